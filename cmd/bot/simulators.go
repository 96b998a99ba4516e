package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sim/slacklocal"
)

func localslackCommand() *cobra.Command {
	var listen string
	var unlimited bool
	cmd := &cobra.Command{
		Use: "localslack", Short: "Serve a simulated Slack workspace on loopback", Args: argCheck(cobra.NoArgs),
		Long: "Serve a simulated Slack workspace on loopback. It works with Slack's official client libraries.\nIt enforces Slack's limits and time-outs, and prints the addresses for clients.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := slacklocal.New(slacklocal.Config{Listen: listen, Unlimited: unlimited, Workspace: slacklocal.DemoWorkspace()})
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			fmt.Fprintf(w, "page             %s/\n", s.URL())
			fmt.Fprintf(w, "SLACK_API_URL    %s\n", s.APIURL())
			fmt.Fprintf(w, "SLACK_APP_TOKEN  %s\n", s.AppToken())
			fmt.Fprintf(w, "SLACK_BOT_TOKEN  %s\n", s.BotToken())
			return s.Run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "the loopback `address` to listen on")
	cmd.Flags().BoolVar(&unlimited, "unlimited", false, "disable the rate limits, for measurements")
	return cmd
}

func hostsimCommand() *cobra.Command {
	var generation, dir, listen string
	var pace float64
	cmd := &cobra.Command{
		Use: "hostsim", Short: "Serve simulated Deephaven hosts on loopback, over real SSH", Args: argCheck(cobra.NoArgs),
		Long: "Serve infra-1, query-1 and query-2 of a generation on loopback, over real SSH.\nThe simulator records every executed command: GET /executed lists them.\nPOST /fault with the JSON {host,process,fault} causes a fault (Content-Type: application/json).",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveHosts(cmd.Context(), cmd.OutOrStdout(), hostsim.Config{Generation: generation, Dir: dir, Pace: pace}, listen)
		},
	}
	cmd.Flags().StringVar(&generation, "catalog", hostsim.Current, "the `generation` to simulate")
	cmd.Flags().StringVar(&dir, "dir", "", "the `directory` for client key and known_hosts; a temporary one if empty")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "the loopback `address` for HTTP")
	cmd.Flags().Float64Var(&pace, "pace", 1, "the `factor` by which durations on the hosts are multiplied")
	return cmd
}

func serveHosts(ctx context.Context, w io.Writer, cfg hostsim.Config, listen string) (err error) {
	if host, _, err := net.SplitHostPort(listen); err != nil || !net.ParseIP(host).IsLoopback() {
		return misuse{fmt.Errorf("--listen %s is not a loopback address: write for example 127.0.0.1:8090", listen)}
	}
	if cfg.Dir == "" {
		dir, err := os.MkdirTemp("", "hostsim-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		cfg.Dir = dir
	}
	cluster, err := hostsim.Start(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	for _, h := range cluster.Hosts() {
		fmt.Fprintf(w, "%-12s %s\n", h.Name, cluster.Address(h.Name))
	}
	fmt.Fprintf(w, "%-12s %s\n%-12s %s\n%-12s %s\n%-12s http://%s/\n", "login", cluster.Login(), "key", cluster.KeyFile(), "known_hosts", cluster.KnownHosts(), "http", l.Addr())
	srv := &http.Server{Handler: cluster.Handler(), ReadHeaderTimeout: 5 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		err := srv.Close()
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
}
