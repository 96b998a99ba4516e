package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"dhbot/auth"
	"dhbot/internal/command"
	"dhbot/internal/command/complete"
	"dhbot/internal/config"
	"dhbot/internal/local/localshell"
	"dhbot/internal/local/screen"
	"dhbot/internal/redact"
	"dhbot/internal/sshkey"
	"dhbot/runbooks"
)

func doCommand() *cobra.Command {
	var d doing
	var out *output
	cmd := &cobra.Command{
		Use:   "do [flags] COMMAND…",
		Short: "Send a command to the running bot, as in Slack but from a shell on its machine",
		Long: "Send a command to the running bot, as in Slack but from a shell on its machine, for\n" +
			"times when Slack is down. Commands, rules, second approver and records are the\n" +
			"same as in Slack. While Slack does not answer, there are three more rules: destructive\n" +
			"actions are refused, requester and approver must be different users of this machine, and\n" +
			"Slack must have confirmed their membership within the last 24 hours.\n\n" +
			"You prove who you are with an SSH key that is in the config under people.NAME.keys: the\n" +
			"key that --key names or, without --key, a key of your ssh-agent, or ~/.ssh/id_ed25519,\n" +
			"id_ecdsa or id_rsa without a passphrase.\n\n" +
			"The command follows a run until the run ends. Interrupting it does not stop the run.\n\n" +
			"With --json every line is an event. An event has either file, or text and facts: facts\n" +
			"has the content of text as data (severities, findings, steps). If live is true, the\n" +
			"text replaces the previous live text. run and state are the id and the state of the run\n" +
			"that the event is about. The last line has end, with ok, run, state and why. With\n" +
			"--output yaml every document is an event.\n\n" + exitHelp,
		Example: "  bot do status db_dis\n  bot do restart db_dis disk was full, freed 40 GB\n  bot do --as ben approve R-7F3K db_dis",
		Args:    argCheck(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			people := out.forPeople()
			show := screen.New(cmd.OutOrStdout(), os.Getenv).Event
			if !people {
				show = (&lines{out: cmd.OutOrStdout(), format: out}).event
			}
			command, yes := withoutYes(args)
			d.yes = d.yes || yes
			d.ask = func() bool { return people && d.confirms(cmd.InOrStdin(), cmd.OutOrStdout()) }
			return d.do(cmd.Context(), command, show)
		},
		ValidArgsFunction: d.complete,
	}
	configFlag(cmd, &d.config)
	cmd.Flags().StringVar(&d.socket, "socket", "", "the bot's terminal `socket`; default: the config's")
	cmd.Flags().StringVar(&d.as, "as", "", "your `name` in the config, if your keys belong to several people")
	cmd.Flags().StringArrayVar(&d.keys, "key", nil, "a private key `file` that proves who you are, instead of the keys of the agent and in ~/.ssh; may be given several times")
	out = outputFlags(cmd)
	cmd.Flags().BoolVarP(&d.yes, "yes", "y", false, "run at once where Slack would show a Run button")
	cmd.Flags().SetInterspersed(false) // a flag after the command is part of the command, as in Slack
	return cmd
}

// withoutYes removes --yes after a command.
func withoutYes(args []string) (command string, yes bool) {
	if n := len(args); n > 1 && args[n-1] == "--yes" {
		args, yes = args[:n-1], true
	}
	return strings.Join(args, " "), yes
}

// confirms asks at a terminal whether to run the plan that was shown.
func (d *doing) confirms(in io.Reader, out io.Writer) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		fmt.Fprintln(out, "Nothing was run. To run it, repeat the command with --yes.")
		return false
	}
	fmt.Fprint(out, "Run it? [y/N] ")
	line, err := bufio.NewReader(f).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); err == nil && (answer == "y" || answer == "yes") {
		return true
	}
	fmt.Fprintln(out, "Nothing was run.")
	return false
}

// doing is one command at the terminal.
type doing struct {
	config, socket, as string
	keys               []string
	yes                bool
	ask                func() bool // asks the person whether to run the plan that was shown
}

// do sends a command, and passes every event to the function show, including the last one.
func (d *doing) do(ctx context.Context, command string, show func(localshell.Event) error) error {
	socket, err := d.at()
	if err != nil {
		return err
	}
	signers, done, err := sshkey.Own(ctx, d.keys)
	if err != nil {
		return err
	}
	defer done()
	if d.yes && !strings.HasPrefix(command, localshell.RunPrefix) {
		command = localshell.YesPrefix + command
	}
	run := ""
	request := localshell.Request{Command: command, As: d.as, Signers: signers}
	end, err := localshell.NewClient(socket).Do(ctx, request, func(e localshell.Event) error {
		if e.Run != "" {
			run = e.Run
		}
		return show(e)
	})
	switch {
	case errors.Is(err, context.Canceled) && run != "":
		return fmt.Errorf("the run %s continues, but is no longer followed here: `bot do show %s` shows its state", run, run)
	case err != nil:
		return errors.New(redact.Clean(err.Error()))
	}
	if end.Confirm && !d.yes && d.ask != nil && d.ask() {
		return d.do(ctx, localshell.RunPrefix+end.Proposal, show)
	}
	if err := show(localshell.Event{End: &end}); err != nil {
		return err
	}
	if !end.OK {
		return coded{errors.New(endReason(end)), codeOf(end)}
	}
	return nil
}

// endReason returns the reason that came with the end of a command, or "" if there is none.
func endReason(end localshell.End) string {
	switch {
	case end.Why == "":
		return ""
	case end.Run == "":
		return redact.Line(end.Why, 300)
	default:
		return redact.Line(end.Run+": "+end.Why, 300)
	}
}

// at returns the path of the running bot's socket.
func (d *doing) at() (string, error) {
	if d.socket != "" {
		return d.socket, nil
	}
	data, err := os.ReadFile(d.config)
	if err != nil {
		return "", misuse{fmt.Errorf("%w: name the config with --config, or the bot's terminal socket with --socket", err)}
	}
	// Other problems in the config concern the bot, not the caller.
	cfg, problems := config.Parse(d.config, data)
	if cfg.Terminal.Socket == "" {
		return "", errors.Join(errors.New("the config names no socket for `bot do`: set terminal.socket"), problems.Err())
	}
	return cfg.Terminal.Socket, nil
}

// complete returns the words that may come next, including names from the config. If --as names a
// person, it returns only names of clusters that this person may read.
func (d *doing) complete(_ *cobra.Command, before []string, partial string) ([]string, cobra.ShellCompDirective) {
	catalogs, cfg, err := catalogsOf(d.config)
	if err != nil || cfg == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	g := &command.Grammar{Catalogs: catalogs, Fleet: &cfg.Fleet}
	if d.as != "" {
		g = g.Within(func(cluster string) bool {
			return cfg.Rules.MayAsk(auth.Person{Name: d.as}, cluster, runbooks.Read, "") == nil
		})
	}
	var out []string
	directive := cobra.ShellCompDirectiveNoFileComp
	for _, c := range complete.Next(g, before) {
		if !strings.HasPrefix(c[0], partial) {
			continue
		}
		if strings.HasSuffix(c[0], "=") {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		out = append(out, strings.TrimSuffix(c[0]+"\t"+c[1], "\t"))
	}
	return out, directive
}

// lines prints each event when it arrives, for scripts.
type lines struct {
	out    io.Writer
	format *output
}

func (l *lines) event(e localshell.Event) error {
	if *l.format == asYAML {
		if _, err := io.WriteString(l.out, "---\n"); err != nil {
			return err
		}
		return l.format.write(l.out, e, nil)
	}
	enc := json.NewEncoder(l.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(e)
}
