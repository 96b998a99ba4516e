package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dhbot/internal/demo"
	"dhbot/internal/fleet"
	"dhbot/internal/sudoers"
	"dhbot/runbooks"
)

func sudoersCommand() *cobra.Command {
	var configFile, catalog, user, version string
	var paths []string
	cmd := &cobra.Command{
		Use: "sudoers HOST", Short: "Print the least sudoers file for what the catalog can run on a host", Args: argCheck(cobra.ExactArgs(1)),
		Long: "Print the least sudoers file for what the catalog can run on a host: exact commands,\n" +
			"no wildcards, no SETENV. Where an argument varies it is an anchored regular expression,\n" +
			"which takes sudo 1.9.10; with an older --sudo-version that command is left out, with a\n" +
			"comment, and stays a thing that a person does.\n\n" +
			"HOST is a host of the config, or CLUSTER/HOST. Without --config the demo's hosts\n" +
			"stand in, of the generation that --catalog names.",
		Example: "  bot sudoers --config config.yaml infra-1 > dhbot && visudo -c -f dhbot",
		RunE: func(cmd *cobra.Command, args []string) error {
			o := sudoers.Options{User: user, Paths: map[string]string{}}
			var err error
			if o.Regexp, err = sudoers.ReadsRegexp(version); err != nil {
				return misuse{err}
			}
			for _, p := range paths {
				name, at, ok := strings.Cut(p, "=")
				if !ok {
					return misuse{fmt.Errorf("--path %s: want NAME=/ABSOLUTE/PATH, as in monit=/usr/local/bin/monit", p)}
				}
				o.Paths[name] = at
			}
			catalogs, f, err := fleetOf(configFile, catalog)
			if err != nil {
				return err
			}
			cl, h, err := findHost(f, args[0])
			if err != nil {
				return misuse{err}
			}
			cat, _ := catalogs.Get(cl.Catalog)
			if o.User == "" {
				o.User = h.Login
			}
			file, err := sudoers.For(cat, cl, h, o)
			if err != nil {
				return err
			}
			_, err = file.WriteTo(cmd.OutOrStdout())
			return err
		},
	}
	cmd.Flags().StringVar(&configFile, "config", "", "the config `file` with the host")
	cmd.Flags().StringVar(&catalog, "catalog", "current", "the `generation` of the demo's hosts, without --config")
	cmd.Flags().StringVar(&user, "user", "", "the `account` the bot logs in with; the config's where it is not given")
	cmd.Flags().StringVar(&version, "sudo-version", "1.9.10", "the `version` of sudo on the host")
	cmd.Flags().StringArrayVar(&paths, "path", nil, "where a program lives that is not in /usr/bin, as `NAME=PATH`; may be given several times")
	return cmd
}

// fleetOf is the config's fleet, or the demo's of a generation.
func fleetOf(configFile, catalog string) (runbooks.Catalogs, *fleet.Fleet, error) {
	catalogs, cfg, err := catalogsOf(configFile)
	if err != nil {
		return nil, nil, err
	}
	if cfg != nil {
		return catalogs, &cfg.Fleet, nil
	}
	if _, ok := catalogs.Get(catalog); !ok {
		return nil, nil, misuse{fmt.Errorf("there is no catalog %q; there is %s", catalog, strings.Join(catalogs.Names(), ", "))}
	}
	return catalogs, demo.Fleet(catalog, nil), nil
}

// findHost finds HOST or CLUSTER/HOST. A name that several clusters have needs
// its cluster.
func findHost(f *fleet.Fleet, name string) (*fleet.Cluster, *fleet.Host, error) {
	cluster, host, qualified := strings.Cut(name, "/")
	if !qualified {
		cluster, host = "", name
	}
	var cl *fleet.Cluster
	var found *fleet.Host
	var all, several []string
	for i := range f.Clusters {
		for j := range f.Clusters[i].Hosts {
			c, h := &f.Clusters[i], &f.Clusters[i].Hosts[j]
			all = append(all, c.Name+"/"+h.Name)
			if h.Name == host && (!qualified || c.Name == cluster) {
				cl, found = c, h
				several = append(several, c.Name+"/"+h.Name)
			}
		}
	}
	switch {
	case len(several) > 1:
		return nil, nil, fmt.Errorf("several clusters have a host %q: say which, %s", host, strings.Join(several, " or "))
	case found == nil:
		return nil, nil, fmt.Errorf("there is no host %q; there is %s", name, strings.Join(all, ", "))
	default:
		return cl, found, nil
	}
}
