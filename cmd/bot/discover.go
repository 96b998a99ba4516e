package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"dhbot/internal/config"
	"dhbot/internal/discover"
	"dhbot/internal/fleet"
	"dhbot/internal/sshexec"
	"dhbot/internal/sshroute"
	"dhbot/runbooks/catalogs"
)

// reach has the SSH settings for hosts that are not yet in a config.
type reach struct {
	user, known, jump, cluster, catalog string
	keys                                []string
	ssh                                 config.SSH // from a config; empty without one
}

func (r *reach) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.user, "user", "", "the `account` to log in with")
	cmd.Flags().StringArrayVar(&r.keys, "key", nil, "a private key `file` for this account; may be given several times")
	cmd.Flags().StringVar(&r.known, "known-hosts", "", "the `file` with the host keys that you have compared")
	cmd.Flags().StringVar(&r.jump, "proxy-jump", "", "the jump host for all hosts, as `USER@HOST` or USER@HOST:PORT; several separated by commas")
	cmd.Flags().StringVar(&r.cluster, "cluster", "prod", "the `name` of the cluster")
	cmd.Flags().StringVar(&r.catalog, "catalog", "current", "the Deephaven `generation` of the cluster")
}

// fill sets missing values from a config, if there is one.
func (r *reach) fill(ssh config.SSH) {
	r.user = cmp.Or(r.user, ssh.User)
	r.known = cmp.Or(r.known, ssh.KnownHosts)
	r.jump = cmp.Or(r.jump, ssh.ProxyJump)
	r.ssh = ssh
}

// via returns the jump hosts on the way to every host.
func (r *reach) via() (string, error) {
	if r.jump == "" {
		return "", nil
	}
	var hops []sshroute.Hop
	for _, text := range strings.Split(r.jump, ",") {
		hop, err := sshroute.ParseHop(text)
		if err != nil {
			return "", misuse{err}
		}
		hops = append(hops, hop)
	}
	return sshroute.Join(hops), nil
}

// pool returns the connection pool.
func (r *reach) pool() (*sshexec.Pool, error) {
	credentials := sshroute.Keys(r.keys...)
	if len(credentials) == 0 {
		credentials = r.ssh.Credentials
	}
	for flag, missing := range map[string]bool{"--user": r.user == "", "--key": len(credentials) == 0, "--known-hosts": r.known == ""} {
		if missing {
			return nil, misuse{fmt.Errorf("%s is missing: give the SSH settings for the hosts", flag)}
		}
	}
	return sshexec.New(sshexec.Config{
		Credentials: credentials, KnownHosts: r.known, Options: r.ssh.Options, Log: slog.New(slog.DiscardHandler),
	})
}

func (r *reach) catalogOf() (*catalogs.Catalog, error) {
	catalogs, err := catalogs.Builtin()
	if err != nil {
		return nil, err
	}
	cat, ok := catalogs.Get(r.catalog)
	if !ok {
		return nil, misuse{fmt.Errorf("there is no catalog %q; the catalogs are %s", r.catalog, strings.Join(catalogs.Names(), ", "))}
	}
	return cat, nil
}

func discoverCommand() *cobra.Command {
	var r reach
	var configFile string
	cmd := &cobra.Command{
		Use: "discover HOST…", Short: "Print the host entries of a config, from the processes on the hosts", Args: argCheck(cobra.MinimumNArgs(1)),
		Long: "Log in to hosts, query monit and systemd, look for etcd's client files, read the version\n" +
			"of sudo, and print the hosts of a cluster in the config's format. Services that are not in\n" +
			"the catalog are printed as comments. The command changes nothing on the hosts, and trusts\n" +
			"only the host keys in --known-hosts.\n\n" +
			"With --config, the SSH settings of the config are the defaults of --user, --key,\n" +
			"--known-hosts and --proxy-jump.\n\nHOST is an address, or NAME=ADDRESS.",
		Example: "  bot discover --user dhops --key id_ed25519 --known-hosts known_hosts infra-1=10.0.0.5 query-1=10.0.0.6",
		RunE: func(cmd *cobra.Command, args []string) error {
			if configFile != "" {
				cfg, err := loadOffline(configFile)
				if err != nil {
					return err
				}
				r.fill(cfg.SSH)
			}
			found, err := r.discover(cmd.Context(), args)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "clusters:\n  %s:\n    catalog: %s\n", r.cluster, r.catalog)
			return discover.WriteHosts(cmd.OutOrStdout(), found)
		},
	}
	optionalConfigFlag(cmd, &configFile, "a config `file` with the SSH settings")
	r.flags(cmd)
	return cmd
}

// discover queries all hosts.
func (r *reach) discover(ctx context.Context, hosts []string) ([]discover.Found, error) {
	cat, err := r.catalogOf()
	if err != nil {
		return nil, err
	}
	via, err := r.via()
	if err != nil {
		return nil, err
	}
	pool, err := r.pool()
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	list := make([]fleet.Host, len(hosts))
	for i, text := range hosts {
		list[i] = discover.ParseHost(text, r.user)
		list[i].Via = via
	}
	return discover.Hosts(ctx, pool, cat, list)
}

// fileExists reports whether a file exists.
func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
