package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"dhbot/internal/fleet"
	"dhbot/internal/sim/demo"
	"dhbot/internal/sudoers"
	"dhbot/runbooks/catalogs"
)

// sudoersAsked has the options of `bot sudoers`.
type sudoersAsked struct {
	config, catalog string
	user, version   string
	paths           []string // NAME=PATH
	wrapper         bool
}

func sudoersCommand() *cobra.Command {
	var asked sudoersAsked
	cmd := &cobra.Command{
		Use: "sudoers HOST", Short: "Print the minimal sudoers file for the commands that the catalog can run on a host", Args: argCheck(cobra.ExactArgs(1)),
		Long: "Print the minimal sudoers file for the commands that the catalog can run on a host: exact commands,\n" +
			"no wildcards, no SETENV. A variable argument is an anchored regular expression,\n" +
			"which needs sudo 1.9.10. For a host with an older sudo (sudo_version in the config)\n" +
			"the file allows only the script that --wrapper prints, which compares commands with\n" +
			"the same expressions.\n\n" +
			"HOST is a host in the config, or CLUSTER/HOST. Without a config the command uses the\n" +
			"demo's hosts, of the generation that --catalog names.",
		Example: "  bot sudoers --config config.yaml infra-1 > dhbot && visudo -c -f dhbot",
		RunE: func(cmd *cobra.Command, args []string) error {
			text, note, err := asked.print(args[0])
			if err != nil {
				return err
			}
			fmt.Fprint(cmd.ErrOrStderr(), note)
			_, err = io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
	optionalConfigFlag(cmd, &asked.config, "the config `file` with the host")
	cmd.Flags().StringVar(&asked.catalog, "catalog", "current", "the `generation` of the demo's hosts, without a config")
	cmd.Flags().StringVar(&asked.user, "user", "", "the `account` that the bot logs in with; default: the config's")
	cmd.Flags().StringVar(&asked.version, "sudo-version", "", "the `version` of sudo on the host; default: sudo_version in the config, otherwise any from 1.9.10")
	cmd.Flags().BoolVar(&asked.wrapper, "wrapper", false, "print the script for a sudo older than 1.9.10")
	cmd.Flags().StringArrayVar(&asked.paths, "path", nil, "the path of a program outside /usr/bin, as `NAME=PATH`; may be given several times")
	return cmd
}

// print returns the file or the wrapper for a host, and notes for the reader.
func (a sudoersAsked) print(name string) (text, note string, err error) {
	o := sudoers.Options{User: a.user, Paths: map[string]string{}}
	for _, p := range a.paths {
		program, at, ok := strings.Cut(p, "=")
		if !ok {
			return "", "", misuse{fmt.Errorf("--path %s: write NAME=/ABSOLUTE/PATH, for example monit=/usr/local/bin/monit", p)}
		}
		o.Paths[program] = at
	}
	catalogs, f, err := fleetOf(a.config, a.catalog)
	if err != nil {
		return "", "", err
	}
	cl, h, err := f.FindHost(name)
	if err != nil {
		return "", "", misuse{err}
	}
	o.User = cmp.Or(o.User, h.Login)
	host := *h
	if a.version != "" {
		reads, err := fleet.SudoReadsRegexp(a.version)
		if err != nil {
			return "", "", misuse{err}
		}
		host.OldSudo = !reads
	}
	cat, _ := catalogs.Get(cl.Catalog)
	file, err := sudoers.For(cat, cl, &host, o)
	if err != nil {
		return "", "", err
	}
	if host.OldSudo && !h.OldSudo {
		note = fmt.Sprintf("The bot uses the wrapper only with this line in the config: hosts: %s: sudo_version: %q\n", h.Name, a.version)
	}
	if !a.wrapper {
		return file.String(), note, nil
	}
	if text = file.Wrapper(); text == "" {
		return "", "", misuse{fmt.Errorf(
			"%s needs no wrapper, because its sudo understands regular expressions; for an older sudo, set sudo_version of the host in the config, or --sudo-version", h.Name)}
	}
	return text, note, nil
}

// fleetOf returns the fleet of the config, or the fleet of the demo for the given catalog.
func fleetOf(configFile, catalog string) (catalogs.Set, *fleet.Fleet, error) {
	catalogs, cfg, err := catalogsOf(configFile)
	if err != nil {
		return nil, nil, err
	}
	if cfg != nil {
		return catalogs, &cfg.Fleet, nil
	}
	if _, ok := catalogs.Get(catalog); !ok {
		return nil, nil, misuse{fmt.Errorf("there is no catalog %q; the catalogs are %s", catalog, strings.Join(catalogs.Names(), ", "))}
	}
	return catalogs, demo.Fleet(catalog, nil), nil
}
