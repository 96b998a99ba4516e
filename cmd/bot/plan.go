package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"dhbot/auth"
	"dhbot/handlers"
	"dhbot/internal/command"
	"dhbot/internal/config"
	"dhbot/internal/sim/demo"
	"dhbot/runbooks/catalogs"
)

func catalogCommand() *cobra.Command {
	var out *output
	var configFile string
	cmd := &cobra.Command{
		Use: "catalog", Short: "Show every process and action of both generations", Args: argCheck(cobra.NoArgs),
		Long: "Show every process and action of both generations, and those of your own runbooks, if\nthe config names any.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, _, err := catalogsOf(configFile)
			if err != nil {
				return err
			}
			var views []catalogs.View
			for _, c := range list {
				v, err := c.View()
				if err != nil {
					return err
				}
				views = append(views, v)
			}
			return out.write(cmd.OutOrStdout(), map[string]any{"catalogs": views}, func(w io.Writer) error {
				return writeCatalogs(w, views)
			})
		},
	}
	out = outputFlags(cmd)
	optionalConfigFlag(cmd, &configFile, "a config `file`; its directory of your own runbooks is included")
	return cmd
}

// catalogsOf returns the catalogs of a config file, and the config. Without a file it returns the
// built-in catalogs and no config.
func catalogsOf(configFile string) (catalogs.Set, *config.Config, error) {
	if configFile == "" {
		list, err := catalogs.Builtin()
		return list, nil, err
	}
	data, err := os.ReadFile(configFile)
	if err != nil {
		return nil, nil, misuse{err}
	}
	cfg, problems := config.Parse(configFile, data)
	if problems.Fatal() {
		return nil, nil, problems
	}
	return cfg.Catalogs, cfg, nil
}

func writeCatalogs(w io.Writer, views []catalogs.View) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, v := range views {
		fmt.Fprintf(t, "%s\t%s\n", v.Catalog, v.Title)
		for _, p := range v.Processes {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", p.ID, p.Level, p.Title)
			for _, a := range p.Actions {
				note := ""
				if a.Corrected != "" {
					note = "  (corrected: " + a.Corrected + ")"
				}
				fmt.Fprintf(t, "    %s\t%s\t%s\t%s%s\n", a.Action, a.Class, a.Command, a.Source, note)
			}
		}
		if len(v.Actions) > 0 {
			fmt.Fprintln(t, "  actions on a host or the cluster")
		}
		for _, a := range v.Actions { // most have several steps, so the title tells more than one command
			fmt.Fprintf(t, "    %s\t%s\t%s\t%s\n", a.Action, a.Class, a.Title, a.Source)
		}
	}
	return t.Flush()
}

func planCommand() *cobra.Command {
	var out *output
	var configFile, catalog string
	cmd := &cobra.Command{
		Use:   "plan [flags] COMMAND…",
		Short: "Show what a command would run, without running it",
		Long: "Show what a command would run, without running it.\n\n" +
			"Without a config the command uses the demo's cluster, of the generation that --catalog names.",
		Example: "  bot plan restart db_dis\n  bot plan --json --catalog legacy-20200121 restart cus",
		Args:    argCheck(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			g, policy, err := grammar(configFile, catalog)
			if err != nil {
				return err
			}
			plan, err := handlers.PlanText(g, strings.Join(args, " "), time.Now)
			if err != nil {
				return notUnderstood(err)
			}
			view := plan.View(policy.VotesNeeded(plan.Class, plan.Severity))
			return out.write(cmd.OutOrStdout(), view, func(w io.Writer) error {
				_, err := io.WriteString(w, view.Text())
				return err
			})
		},
	}
	out = outputFlags(cmd)
	optionalConfigFlag(cmd, &configFile, "the config `file` with the fleet to plan for")
	cmd.Flags().SetInterspersed(false) // a flag after the command is part of the command, as in Slack
	cmd.Flags().StringVar(&catalog, "catalog", "current", "the `generation` of the demo's cluster, without a config")
	return cmd
}

// grammar is the grammar of commands, with the names of the config or of the demo.
func grammar(configFile, catalog string) (*command.Grammar, auth.Policy, error) {
	catalogs, cfg, err := catalogsOf(configFile)
	if err != nil {
		return nil, auth.Policy{}, err
	}
	if cfg != nil {
		return &command.Grammar{Catalogs: catalogs, Fleet: &cfg.Fleet}, cfg.Rules.Policy, nil
	}
	if _, ok := catalogs.Get(catalog); !ok {
		return nil, auth.Policy{}, misuse{fmt.Errorf("there is no catalog %q; the catalogs are %s", catalog, strings.Join(catalogs.Names(), ", "))}
	}
	return &command.Grammar{Catalogs: catalogs, Fleet: demo.Fleet(catalog, nil)}, auth.Policy{}, nil
}

// notUnderstood adds to an error the suggestions that Slack would show.
func notUnderstood(err error) error {
	var m *command.Question
	if !errors.As(err, &m) || len(m.Choices) == 0 {
		return err
	}
	texts := make([]string, len(m.Choices))
	for i, c := range m.Choices {
		texts[i] = c.Text
	}
	return fmt.Errorf("%w Did you mean %s?", err, strings.Join(texts, ", or "))
}
