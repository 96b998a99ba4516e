package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"dhbot/internal/app"
	"dhbot/internal/app/livecheck"
	"dhbot/internal/config"
)

func checkCommand() *cobra.Command {
	var configFile string
	var live, fileOnly bool
	cmd := &cobra.Command{
		Use: "check", Short: "Check the config and list every problem", Args: argCheck(cobra.NoArgs),
		Long: "Check the config, the Slack tokens, and the files that the config names, including your\nown runbooks. The command lists every problem at once, each with the line and the fix. For\nknown_hosts it lists the skipped lines and the hosts without a key.\n\n--live also connects to Slack, every host, the pagers and an external etcd. It lists for\neach host the processes that the supervisor knows, and the missing sudo rules. It changes\nnothing, except that it runs the command ssh.renew of the config if a certificate has\nexpired or a credential cannot be used.\n\n--file-only checks the config, your own runbooks and the ssh_config file. It needs no\nsecrets, such as Slack tokens, and no private keys.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if live && fileOnly {
				return misuse{errors.New("--live and --file-only contradict each other")}
			}
			cfg, problems := config.LoadFile(configFile)
			if !fileOnly {
				cfg, problems = config.Load(configFile, os.Getenv)
			}
			for _, p := range problems {
				fmt.Fprintln(cmd.OutOrStdout(), p)
			}
			if problems.Fatal() {
				return fmt.Errorf("%s is not valid", configFile)
			}
			for _, p := range app.CheckKnownHosts(cfg) {
				fmt.Fprintln(cmd.OutOrStdout(), p)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is valid\n", configFile)
			for _, line := range cfg.Lowered {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			for _, line := range append(cfg.WatchLines(), cfg.EscalationLines()...) {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			if live {
				return checkLive(cmd, cfg)
			}
			return nil
		},
	}
	configFlag(cmd, &configFile)
	cmd.Flags().BoolVar(&fileOnly, "file-only", false, "check only the config, your own runbooks and the ssh_config file, without secrets and private keys")
	cmd.Flags().BoolVar(&live, "live", false, "also connect to Slack, hosts, pagers and an external etcd")
	return cmd
}

func checkLive(cmd *cobra.Command, cfg *config.Config) error {
	bad := 0
	o := app.Options{SlackAPI: os.Getenv(slackURL), Log: slog.New(slog.DiscardHandler)}
	for _, f := range livecheck.CheckLive(cmd.Context(), cfg, cfg.Catalogs, o) {
		sign := "ok  "
		if !f.OK {
			sign = "FAIL"
			bad++
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s  %-20s %s\n", sign, f.About, f.Text)
	}
	if bad > 0 {
		return errors.New("some checks failed")
	}
	return nil
}
