package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Stage is what a script needs to be played.
type Stage struct {
	// Slack is the base URL of a local Slack.
	Slack string
	// Host injects a fault into a simulated host. It is nil if there are no simulated hosts.
	Host func(host, process, fault string, args ...string) error
	// Verify checks the audit trail and describes the result in one line.
	Verify func(ctx context.Context) (string, error)
	Out    io.Writer
}

// player plays a script.
type player struct {
	Stage
	people  people
	who     string
	channel string
	since   time.Time
	shown   map[string]bool // forms already printed
}

// Play plays the lines and prints the transcript. It returns an error that
// names every failed line.
func Play(ctx context.Context, stage Stage, lines []Line) error {
	p := &player{
		Stage: stage, people: people{base: stage.Slack, http: &http.Client{Timeout: 15 * time.Second}},
		who: "operator", channel: DefaultChannel, since: time.Now(), shown: map[string]bool{},
	}
	var failed []error
	for _, l := range lines {
		if err := p.line(ctx, l); err != nil {
			fmt.Fprintf(p.Out, "    ✗ %v\n", err)
			failed = append(failed, fmt.Errorf("line %d: %s: %w", l.N, l.Source, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(failed...)
}

func (p *player) line(ctx context.Context, l Line) error {
	switch l.Kind {
	case Expect:
		return p.expect(ctx, l)
	case Refute:
		return p.refute(ctx, l)
	case Pause:
		return pause(ctx, l.For)
	case Verify:
		text, err := p.Verify(ctx)
		if err == nil {
			fmt.Fprintf(p.Out, "    ✓ %s\n", text)
		}
		return err
	}
	fmt.Fprintf(p.Out, "%s\n", l.Source)
	p.since = time.Now()
	if l.Who != "" {
		p.who, p.channel = l.Who, l.Channel
	}
	return p.act(ctx, l)
}

func (p *player) act(ctx context.Context, l Line) error {
	switch l.Kind {
	case Say:
		return p.say(ctx, l)
	case Click:
		return p.click(ctx, func(_, label string) bool { return strings.EqualFold(label, l.Text) }, "")
	case Approve:
		return p.click(ctx, func(action, _ string) bool { return action == "approve" }, "")
	case Deny:
		return p.click(ctx, func(action, _ string) bool { return action == "deny" }, l.Text)
	case Fault:
		return p.people.do(ctx, "/local/fault", faultBody(l.Args), nil)
	case Channel:
		body := map[string]any{"channel": l.Args[0]}
		for _, a := range l.Args[1:] {
			k, v, _ := strings.Cut(a, "=")
			body[k] = v != "false"
		}
		return p.people.do(ctx, "/local/channel", body, nil)
	case Host:
		if p.Host == nil {
			return errors.New("this stage has no simulated hosts")
		}
		return p.Host(l.Args[0], l.Args[1], l.Args[2], l.Args[3:]...)
	default:
		return fmt.Errorf("unknown kind of line %q", l.Kind)
	}
}

// faultBody parses `KIND KEY=VALUE…`. A word without "=" is the reason of a disconnect, and a
// number is a count.
func faultBody(args []string) map[string]any {
	body := map[string]any{"kind": args[0]}
	for _, a := range args[1:] {
		k, v, pair := strings.Cut(a, "=")
		n, err := strconv.Atoi(v)
		switch {
		case pair && err == nil:
			body[k] = n
		case pair:
			body[k] = v
		default:
			if n, err := strconv.Atoi(a); err == nil {
				body["count"] = n
			} else {
				body["reason"] = a
			}
		}
	}
	return body
}

func (p *player) say(ctx context.Context, l Line) error {
	body := map[string]any{"user": l.Who, "channel": l.Channel}
	if strings.HasPrefix(l.Text, "@") {
		body["text"] = l.Text
		return p.people.do(ctx, "/local/mention", body, nil)
	}
	body["command"] = "/dh"
	body["text"] = strings.TrimSpace(strings.TrimPrefix(l.Text, "/dh"))
	said := ""
	for range slashTries {
		var answer struct{ Message message }
		if err := p.people.do(ctx, "/local/slash", body, &answer); err != nil {
			return err
		}
		said = answer.Message.Text
		if !strings.Contains(said, "state store does not answer") {
			return nil
		}
	}
	return errors.New(said)
}

// slashTries is how often a person types a slash command while the bot answers that its store does
// not answer. This happens on a busy machine.
const slashTries = 10

// click taps a button, and waits a moment for the button to appear. If the tap opens a form,
// click fills in text, or the value that the form's hint names. If it asks a question, click
// confirms it.
func (p *player) click(ctx context.Context, ok func(action, label string) bool, text string) error {
	ctx, cancel := context.WithTimeout(ctx, DefaultExpect)
	defer cancel()
	var c click
	err := until(ctx, func() (bool, error) {
		var err error
		c, err = p.people.button(ctx, p.channel, p.who, ok)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	before, err := p.forms(ctx)
	if err != nil {
		return err
	}
	err = until(ctx, func() (bool, error) {
		err := p.people.do(ctx, "/local/click", c, nil)
		if err == nil || !strings.Contains(err.Error(), "there is no such") {
			return true, err
		}
		// The message was edited meanwhile, and has a new button.
		if next, missing := p.people.button(ctx, p.channel, p.who, ok); missing == nil {
			c = next
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return p.fillForm(ctx, before, text)
}

// formWait is how long to wait for a form to open after a tap. Slack gives the bot three seconds.
const formWait = 1500 * time.Millisecond

func (p *player) fillForm(ctx context.Context, before map[string]bool, text string) error {
	wait, cancel := context.WithTimeout(ctx, formWait)
	defer cancel()
	var opened view
	err := until(wait, func() (bool, error) {
		views, err := p.views(wait)
		for _, v := range views {
			if !before[v.ID] {
				opened = v
				return true, nil
			}
		}
		return false, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // most taps open no form
	}
	if err != nil {
		return err
	}
	return p.people.do(ctx, "/local/submit", map[string]any{"user": p.who, "view_id": opened.ID, "values": opened.fill(text)}, nil)
}

// view is an open modal.
type view struct {
	ID     string           `json:"id"`
	Blocks []map[string]any `json:"blocks"`
}

// fill fills every input of the form with text. If text is "", it uses the value that the
// placeholder or the hint of the input names.
func (v view) fill(text string) map[string]any {
	values := map[string]any{}
	for _, b := range v.Blocks {
		if b["type"] != "input" {
			continue
		}
		block, _ := b["block_id"].(string)
		el, _ := b["element"].(map[string]any)
		action, _ := el["action_id"].(string)
		s := text
		if s == "" {
			s = strings.TrimSpace(cmp.Or(textOf(el["placeholder"]), textOf(b["hint"])))
		}
		values[block] = map[string]any{action: s}
	}
	return values
}

func (p *player) views(ctx context.Context) ([]view, error) {
	var out struct {
		Modals []view `json:"modals"`
	}
	err := p.people.get(ctx, "/local/views", url.Values{"user": {p.who}}, &out)
	return out.Modals, err
}

func (p *player) forms(ctx context.Context) (map[string]bool, error) {
	views, err := p.views(ctx)
	seen := map[string]bool{}
	for _, v := range views {
		seen[v.ID] = true
	}
	return seen, err
}

func (p *player) expect(ctx context.Context, l Line) error {
	ctx, cancel := context.WithTimeout(ctx, l.For)
	defer cancel()
	var last []string
	err := until(ctx, func() (bool, error) {
		found, all, err := p.look(ctx, l.Text)
		last = all
		return found, err
	})
	if err == nil {
		fmt.Fprintf(p.Out, "    ✓ %s\n", l.Text)
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%q was not shown to %s in %s within %s; shown was:\n%s", l.Text, p.who, p.channel, l.For, indent(strings.Join(last, "\n---\n")))
	}
	return err
}

func (p *player) refute(ctx context.Context, l Line) error {
	end := time.Now().Add(l.For)
	for {
		found, _, err := p.look(ctx, l.Text)
		if err != nil {
			return err
		}
		if found {
			return fmt.Errorf("%q was shown to %s in %s", l.Text, p.who, p.channel)
		}
		if time.Now().After(end) {
			fmt.Fprintf(p.Out, "    ✓ not shown: %s\n", l.Text)
			return nil
		}
		if err := pause(ctx, poll); err != nil {
			return err
		}
	}
}

// look searches for a text in the messages that were posted, edited or shown to the person since
// the last action.
func (p *player) look(ctx context.Context, text string) (found bool, all []string, err error) {
	list, err := p.people.messages(ctx, p.channel, p.who)
	if err != nil {
		return false, nil, err
	}
	for _, m := range list {
		for _, f := range m.forms() {
			if f.At.Before(p.since) {
				continue
			}
			v := visible(f)
			all = append(all, v)
			p.print(m, f)
			found = found || shows(v, text)
		}
	}
	return found, all, nil
}

// shows reports whether a visible line contains a text, ignoring case. If the text has several
// parts, one line must contain all of them in order.
func shows(visible, text string) bool {
	for line := range strings.Lines(strings.ToLower(visible)) {
		rest, all := line, true
		for part := range strings.SplitSeq(strings.ToLower(text), " .. ") {
			if _, rest, all = strings.Cut(rest, part); !all {
				break
			}
		}
		if all {
			return true
		}
	}
	return false
}

// print adds a version of a message to the transcript, unless the transcript already has it.
func (p *player) print(m message, f form) {
	key := m.TS + f.At.String()
	if p.shown[key] {
		return
	}
	p.shown[key] = true
	to := ""
	if m.Ephemeral {
		to = " (only to " + p.who + ")"
	}
	fmt.Fprintf(p.Out, "  %s%s: %s\n", m.User, to, f.Text)
}

const poll = 100 * time.Millisecond

// until calls f until it returns true. On time-out it returns the error of the
// last call, wrapped with context.DeadlineExceeded.
func until(ctx context.Context, f func() (bool, error)) error {
	for {
		ok, err := f()
		if ok {
			return nil
		}
		if wait := pause(ctx, poll); wait != nil {
			if err != nil && !errors.Is(err, wait) {
				return fmt.Errorf("%w (%w)", err, wait)
			}
			return wait
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func indent(s string) string { return "      " + strings.ReplaceAll(s, "\n", "\n      ") }
