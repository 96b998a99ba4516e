package main

import (
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/spf13/cobra"

	"dhbot/internal/app"
	"dhbot/internal/config"
	"dhbot/internal/fleet"
	"dhbot/internal/remote"
	"dhbot/internal/sshexec"
	"dhbot/internal/sshexec/hostkey"
)

func hostkeysCommand() *cobra.Command {
	var configFile string
	cmd := &cobra.Command{
		Use: "hostkeys HOST…", Short: "Compare the keys of hosts with known_hosts", Args: argCheck(cobra.MinimumNArgs(1)),
		Long: "Request the keys of hosts in the config, through their jump hosts, and print each\n" +
			"next to its entry in known_hosts. Compare a fingerprint with the one that the host prints\n" +
			"itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, at its console) before\n" +
			"you add the line for this key. The command trusts no host and does not change known_hosts.\n" +
			"If a certificate has expired or a credential cannot be used, it runs\n" +
			"the command ssh.renew of the config.\n\n" +
			"The exit code is 1 if a host shows a key that is not in known_hosts, or does not answer.",
		Example: "  bot hostkeys --config config.yaml infra-1 query-1",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadOffline(configFile)
			if err != nil {
				return err
			}
			return showHostKeys(cmd, cfg, args)
		},
	}
	configFlag(cmd, &configFile)
	return cmd
}

func showHostKeys(cmd *cobra.Command, cfg *config.Config, names []string) error {
	pool, err := sshexec.New(app.PoolConfig(cfg, slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	defer pool.Close()
	unknown := 0
	for _, name := range names {
		found := hostsNamed(&cfg.Fleet, name)
		if len(found) == 0 {
			return misuse{fmt.Errorf("the config has no host %q", name)}
		}
		for _, h := range found {
			keys, err := pool.HostKeys(cmd.Context(), remote.Command{Host: h.Name, Address: h.Address, Login: h.Login, Via: h.Via})
			if err != nil {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %v\n", h.Name, err)
				unknown++
				continue
			}
			unknown += printHostKeys(cmd.OutOrStdout(), h, keys)
		}
	}
	if unknown > 0 {
		return fmt.Errorf("keys or hosts to check: %d", unknown)
	}
	return nil
}

// hostsNamed are the hosts of that name in all clusters.
func hostsNamed(f *fleet.Fleet, name string) []fleet.Host {
	var out []fleet.Host
	for _, cl := range f.Clusters {
		i := slices.IndexFunc(cl.Hosts, func(h fleet.Host) bool { return h.Name == name })
		if i >= 0 {
			out = append(out, cl.Hosts[i])
		}
	}
	return out
}

// printHostKeys prints one host, and returns the number of its unknown keys.
func printHostKeys(w io.Writer, h fleet.Host, keys hostkey.Report) (unknown int) {
	fmt.Fprintf(w, "%s (%s)\n", h.Name, keys.Name)
	for _, k := range keys.Shown {
		fmt.Fprintf(w, "  shows %s %s%s\n    %s\n", k.Type, k.Fingerprint, signedBy(k.Key), k.Verdict)
		if k.Known {
			continue
		}
		unknown++
		if !k.Revoked {
			fmt.Fprintf(w, "    line to add: %s\n", k.Line)
		}
	}
	for _, k := range keys.Missing {
		fmt.Fprintf(w, "  known_hosts has %s %s, which the host does not show\n", k.Type, k.Fingerprint)
	}
	return unknown
}

// signedBy names the authority that signed a host key's certificate, or returns "".
func signedBy(k hostkey.Key) string {
	if k.Authority == "" {
		return ""
	}
	return ", signed by authority " + k.Authority
}
