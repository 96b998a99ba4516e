package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/template"

	"github.com/spf13/cobra"

	"dhbot/internal/logging"
	"dhbot/internal/sim/demo"
	"dhbot/runbooks/catalogs"
)

func demoCommand() *cobra.Command {
	o := demo.Options{}
	var script string
	var verbose bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Run the whole bot on this machine, against a local Slack and simulated hosts", Args: argCheck(cobra.NoArgs),
		Long: "Run the whole bot on this machine: a local Slack to open in a browser, three\nsimulated hosts over real SSH, an embedded etcd, and the bot as `bot run`\nruns it. Everything runs on loopback, and is removed at the end.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			catalogs, err := catalogs.Builtin()
			if err != nil {
				return err
			}
			if _, ok := catalogs.Get(o.Generation); !ok {
				return misuse{fmt.Errorf("there is no catalog %q; the catalogs are %s", o.Generation, strings.Join(catalogs.Names(), ", "))}
			}
			if o.Log, err = demoLog(cmd.ErrOrStderr(), verbose); err != nil {
				return err
			}
			// If the terminal or the pipe is closed, the demo ends as with Ctrl-C, so that
			// nothing is left behind. signal.Notify is not used for SIGPIPE, because it
			// would also report other broken connections.
			signal.Ignore(syscall.SIGPIPE)
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
			defer stop()
			cmd.SetOut(endingWriter{cmd.OutOrStdout(), stop})
			if script != "" {
				return playScript(ctx, cmd, o, script)
			}
			o.Watch = true
			fmt.Fprintln(cmd.OutOrStdout(), "starting…")
			return demo.Run(ctx, o, func(ctx context.Context, d *demo.Demo) error {
				go breakOnEnter(ctx, cmd.InOrStdin(), cmd.OutOrStdout(), d)
				if err := welcome.Execute(cmd.OutOrStdout(), map[string]string{"URL": d.Slack.URL()}); err != nil {
					return err
				}
				<-ctx.Done()
				fmt.Fprintln(cmd.OutOrStdout(), "stopping, and removing everything that the demo created")
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&script, "script", "", "play the story in this `file` (- is standard input), check it, and exit")
	cmd.Flags().StringVar(&o.Generation, "catalog", "current", "the `generation` of the simulated cluster")
	cmd.Flags().StringVar(&o.SlackListen, "listen", "127.0.0.1:0", "the loopback `address` of the local Slack")
	cmd.Flags().Float64Var(&o.Pace, "pace", 1, "the `factor` by which durations on the hosts are multiplied; below 1 the bot also polls more often")
	cmd.Flags().BoolVar(&o.Watch, "watch", false, "with --script: enable background monitoring and incidents, as without a script")
	cmd.Flags().BoolVar(&o.Grid, "grid", false, "make the workspace part of an Enterprise Grid")
	cmd.Flags().StringVar(&o.Metrics, "metrics", "", "the loopback `address` where the bot serves metrics and health, such as 127.0.0.1:9095")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "show the bot's log")
	return cmd
}

// endingWriter calls the function end when a write fails because the reader of the output
// is gone.
type endingWriter struct {
	io.Writer
	end func()
}

func (w endingWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		w.end()
	}
	return n, err
}

// demoLog shows only errors, or everything if verbose.
func demoLog(w io.Writer, verbose bool) (*slog.Logger, error) {
	o := logging.Options{Level: "error", Format: logging.Text}
	if verbose {
		o.Level = "debug"
	}
	return logging.New(w, o)
}

func playScript(ctx context.Context, cmd *cobra.Command, o demo.Options, file string) error {
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
	return demo.Run(ctx, o, func(ctx context.Context, d *demo.Demo) error {
		stage := d.Stage()
		stage.Out = cmd.OutOrStdout()
		if err := demo.Play(ctx, stage, lines); err != nil {
			return fmt.Errorf("the story failed:\n%w", err)
		}
		fmt.Fprintln(stage.Out, "the story passed")
		return nil
	})
}

// breakOnEnter stops the simulated process db_dis each time that the user presses Enter.
func breakOnEnter(ctx context.Context, in io.Reader, out io.Writer, d *demo.Demo) {
	for sc := bufio.NewScanner(in); sc.Scan() && ctx.Err() == nil; {
		if err := d.Hosts.Fault("infra-1", "db_dis", "stop"); err != nil {
			fmt.Fprintln(out, "db_dis could not be stopped:", err)
			continue
		}
		fmt.Fprintln(out, "db_dis on infra-1 is down now: watch #incident, then as operator: /dh restart db_dis")
	}
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

Press Enter here to take db_dis down: an incident opens within half a minute.

The trail is in #audit. Ctrl-C stops the demo and removes everything.

`))
