package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"dhbot/internal/demo"
	"dhbot/runbooks"
)

func demoCommand() *cobra.Command {
	o := demo.Options{}
	var script string
	var verbose bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Run the whole bot on this machine, against a local Slack and simulated hosts", Args: argCheck(cobra.NoArgs),
		Long: "Run the whole bot on this machine: a local Slack to open in a browser, three\nsimulated hosts over real SSH, an embedded etcd, and the very bot of `bot run`.\nEverything is on loopback and gone when it ends.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			catalogs, err := runbooks.Builtin()
			if err != nil {
				return err
			}
			if _, ok := catalogs.Get(o.Generation); !ok {
				return misuse{fmt.Errorf("--catalog %q: there is %s", o.Generation, strings.Join(catalogs.Names(), ", "))}
			}
			o.Log = demoLog(cmd.ErrOrStderr(), verbose)
			if script != "" {
				return playScript(cmd, o, script)
			}
			o.Watch = true
			return demo.Run(cmd.Context(), o, func(ctx context.Context, d *demo.Demo) error {
				if err := welcome.Execute(cmd.OutOrStdout(), map[string]string{"URL": d.Slack.URL()}); err != nil {
					return err
				}
				<-ctx.Done()
				fmt.Fprintln(cmd.OutOrStdout(), "putting everything away")
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&script, "script", "", "play a script `file` (- is standard input), check it, and end")
	cmd.Flags().StringVar(&o.Generation, "catalog", "current", "the `generation` of the simulated cluster")
	cmd.Flags().StringVar(&o.SlackListen, "listen", "127.0.0.1:0", "the loopback `address` of the local Slack")
	cmd.Flags().Float64Var(&o.Pace, "pace", 1, "how long things take on the hosts, as a `factor` of what real ones take")
	cmd.Flags().BoolVar(&o.Watch, "watch", false, "with --script: watch the cluster in the background and tell incidents, as is done without a script")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "show the bot's log")
	return cmd
}

// demoLog shows warnings, or everything.
func demoLog(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelError
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

func playScript(cmd *cobra.Command, o demo.Options, file string) error {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return misuse{err}
		}
		defer f.Close()
		in = f
	}
	lines, err := demo.ParseScript(in)
	if err != nil {
		return misuse{err}
	}
	return demo.Run(cmd.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		stage := d.Stage()
		stage.Out = cmd.OutOrStdout()
		if err := demo.Play(ctx, stage, lines); err != nil {
			return fmt.Errorf("the story did not hold:\n%w", err)
		}
		fmt.Fprintln(stage.Out, "the story held")
		return nil
	})
}

var welcome = template.Must(template.New("welcome").Parse(`
The bot runs. Open  {{.URL}}/  in a browser; nothing leaves this machine.

The page shows an operator's window and an approver's phone. Type in #incident:

  as operator    /dh status                    the whole cluster
                 /dh status db_dis             one process
                 /dh restart db_dis disk full  Sev 1: waits for a second person
  as approver    tap Approve                   and watch both cards
  as operator    /dh restart db_ltds           Sev 2: runs at once
                 /dh help

The trail is in #audit. Ctrl-C puts everything away.

`))
