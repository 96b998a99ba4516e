package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"dhbot/internal/config"
	"dhbot/internal/redact"
	"dhbot/internal/sshkey"
	"dhbot/internal/terminal"
)

func doCommand() *cobra.Command {
	var d doing
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "do [flags] COMMAND…",
		Short: "Say a command to the running bot, as in Slack but from a shell on its machine",
		Long: "Say a command to the running bot, as in Slack but from a shell on its machine: for\n" +
			"the hour when Slack itself is down. The same words, the same rules, the same second\n" +
			"approver, the same records; Slack is not asked.\n\n" +
			"You prove who you are with an SSH key of yours that the config names under\n" +
			"people.NAME.keys: one that your ssh-agent holds, one that --key names, or\n" +
			"~/.ssh/id_ed25519, id_ecdsa or id_rsa where they have no passphrase.\n\n" +
			"A run is followed until it ends. Interrupting that interrupts no run.\n\n" +
			"With --json every line is an event: text (with live: it replaces the live text\n" +
			"before it; with run and state: of a run), file, and as the last line end, with ok,\n" +
			"run, state and why. Exit code 0 means that it was done.",
		Example: "  bot do status db_dis\n  bot do restart db_dis disk was full, freed 40 GB\n  bot do --as ben approve R-7F3K db_dis",
		Args:    argCheck(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			show := show(&screen{out: cmd.OutOrStdout()})
			if asJSON {
				show = &lines{out: cmd.OutOrStdout()}
			}
			return d.do(cmd.Context(), strings.Join(args, " "), show)
		},
		ValidArgsFunction: d.complete,
	}
	configFlag(cmd, &d.config)
	cmd.Flags().StringVar(&d.socket, "socket", "", "the bot's terminal `socket`; the config's where it is not given")
	cmd.Flags().StringVar(&d.as, "as", "", "your `name` in the config, where your keys do not say")
	cmd.Flags().StringArrayVar(&d.keys, "key", nil, "a private key `file` to prove who you are with, instead of the agent's; may be given several times")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an event a line, as JSON")
	return cmd
}

// doing is one command at the terminal.
type doing struct {
	config, socket, as string
	keys               []string
}

// show is where the events of a command go.
type show interface {
	event(terminal.Event) error
	end(terminal.End) error
}

func (d *doing) do(ctx context.Context, command string, s show) error {
	socket, err := d.at()
	if err != nil {
		return err
	}
	signers, done, err := d.signers(ctx)
	if err != nil {
		return err
	}
	defer done()
	run := ""
	end, err := terminal.NewClient(socket).Do(ctx, terminal.Request{Command: command, As: d.as, Signers: signers}, func(e terminal.Event) error {
		if e.Run != "" {
			run = e.Run
		}
		return s.event(e)
	})
	switch {
	case errors.Is(err, context.Canceled) && run != "":
		return fmt.Errorf("%s is not followed any further; it goes on without you: `bot do show %s` tells how it is", run, run)
	case err != nil:
		return errors.New(redact.Clean(err.Error()))
	}
	if err := s.end(end); err != nil {
		return err
	}
	if !end.OK {
		return errors.New(unsaid(end))
	}
	return nil
}

// unsaid is why a command counts as failed, in a line.
func unsaid(end terminal.End) string {
	switch {
	case end.State != "":
		return redact.Line(end.Run+": "+end.State, 200)
	case end.Why != "":
		return redact.Line(end.Run+": "+end.Why, 300)
	default:
		return "nothing was done"
	}
}

// at is the socket of the running bot.
func (d *doing) at() (string, error) {
	if d.socket != "" {
		return d.socket, nil
	}
	data, err := os.ReadFile(d.config)
	if err != nil {
		return "", misuse{fmt.Errorf("%w: name the config with --config, or the bot's terminal socket with --socket", err)}
	}
	// What is wrong in it otherwise is the bot's matter, not that of who asks.
	cfg, problems := config.Parse(d.config, data)
	if cfg.Terminal.Socket == "" {
		return "", errors.Join(errors.New("the config names no terminal: set terminal.socket"), problems.Err())
	}
	return cfg.Terminal.Socket, nil
}

// usualKeys are the private keys that ssh tries by itself, in ~/.ssh.
var usualKeys = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

// signers are the keys to prove oneself with: those named, else the agent's and
// the usual files.
func (d *doing) signers(ctx context.Context) (list []sshkey.Signer, done func(), err error) {
	done = func() {}
	for _, path := range d.keys {
		s, err := sshkey.File(path)
		if err != nil {
			return nil, done, err
		}
		list = append(list, s)
	}
	if len(list) > 0 {
		return list, done, nil
	}
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" {
		if a, err := sshkey.DialAgent(ctx, socket); err == nil {
			done = func() { a.Close() }
			if list, err = a.Signers(); err != nil {
				list = nil
			}
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return list, done, nil
	}
	for _, name := range usualKeys {
		if s, err := sshkey.File(filepath.Join(home, ".ssh", name)); err == nil {
			list = append(list, s)
		}
	}
	return list, done, nil
}

// complete offers the words that may come next, from the config.
func (d *doing) complete(_ *cobra.Command, before []string, partial string) ([]string, cobra.ShellCompDirective) {
	g, _, err := grammar(d.config, "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	directive := cobra.ShellCompDirectiveNoFileComp
	for _, c := range g.Completions(before) {
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

// lines prints events as they come, for scripts.
type lines struct{ out io.Writer }

func (l *lines) event(e terminal.Event) error {
	enc := json.NewEncoder(l.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(e)
}

func (l *lines) end(e terminal.End) error { return l.event(terminal.Event{End: &e}) }

// screen prints events for people. Of a live text only what has changed is
// printed: nothing is ever taken back, so that it reads well on a serial
// console and in a log, too.
type screen struct {
	out  io.Writer
	live map[string]bool // the lines of the live text before
}

func (s *screen) event(e terminal.Event) error {
	var b bytes.Buffer
	switch {
	case e.File != nil:
		fmt.Fprintf(&b, "--- %s\n%s", redact.Line(e.File.Name, 100), ended(redact.Clean(e.File.Content)))
	case e.Live:
		now := map[string]bool{}
		for _, l := range strings.Split(strings.TrimRight(redact.Clean(e.Text), "\n"), "\n") {
			now[l] = true
			if !s.live[l] {
				b.WriteString(l + "\n")
			}
		}
		s.live = now
	default:
		b.WriteString(ended(redact.Clean(e.Text)))
	}
	_, err := s.out.Write(b.Bytes())
	return err
}

func (s *screen) end(terminal.End) error { return nil }

func ended(s string) string {
	if s == "" || strings.HasSuffix(s, "\n") {
		return s
	}
	return s + "\n"
}
