package faulttest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/pause"
	"dhbot/internal/sim/slacklocal"
)

// action is what a person does in Slack. It also says whether Slack reported that the action was delivered.
type action struct {
	who    string
	where  string // the channel
	kind   string // ask, approve, read
	tag    string // ask: a unique word in the reason
	run    string // approve: the run of the card
	shown  string // approve: the text of the card
	at     time.Time
	acked  bool
	answer string // what Slack showed immediately
}

// people act, and record their actions.
type people struct {
	*world

	mu      sync.Mutex
	actions []*action
	tags    int
}

const channel = "incident"

func (p *people) note(d *action) *action {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.actions = append(p.actions, d)
	return d
}

func (p *people) newTag() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tags++
	return fmt.Sprintf("wish%d", p.tags)
}

const (
	askTries = 8
	askPause = 700 * time.Millisecond
)

// ask types a command, and repeats it as long as Slack reports a failure.
func (p *people) ask(ctx context.Context, who, command string) {
	for range askTries {
		d := p.note(&action{who: who, where: channel, kind: "ask", tag: p.newTag(), at: time.Now()})
		a, err := p.slack.Slash(slacklocal.SlashCommand{User: who, Channel: channel, Text: command + " because " + d.tag})
		if err != nil {
			p.violation("%s cannot type %q: %v", who, command, err)
			return
		}
		if a.Message != nil {
			d.answer = a.Message.Text
		}
		if d.acked = a.OK; d.acked && d.answer == "" {
			return
		}
		if !pause.For(ctx, askPause) {
			return
		}
	}
}

// asks returns every attempt of every request.
func (p *people) asks() (out []action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.actions {
		if d.kind == "ask" {
			out = append(out, *d)
		}
	}
	return out
}

// mention sends a message that mentions the bot. Slack repeats the event until the bot acknowledges
// it.
func (p *people) mention(who, command string) {
	d := p.note(&action{who: who, where: channel, kind: "ask", tag: p.newTag(), at: time.Now(), acked: true})
	if _, err := p.slack.Mention(slacklocal.Mention{User: who, Channel: channel, Text: "@dh " + command + " because " + d.tag}); err != nil {
		p.violation("%s cannot mention the bot: %v", who, err)
	}
}

// status sends a status command, which only reads.
func (p *people) status(who, command string) {
	d := p.note(&action{who: who, where: channel, kind: "read", at: time.Now()})
	a, err := p.slack.Slash(slacklocal.SlashCommand{User: who, Channel: channel, Text: command})
	if err != nil {
		p.violation("%s cannot type %q: %v", who, command, err)
		return
	}
	d.acked = a.OK
}

// approve taps Approve on every card in the channel that has this button, until ctx ends. An
// operator taps first, and that tap must not count.
func (p *people) approve(ctx context.Context, temper func(run string) []string) {
	var taps sync.WaitGroup
	defer taps.Wait()
	last := map[string]time.Time{}
	for pause.For(ctx, 100*time.Millisecond) {
		list, err := p.slack.Messages(channel, "approver")
		if err != nil {
			p.violation("approver cannot read the channel: %v", err)
			return
		}
		for _, m := range list {
			for _, b := range m.Buttons() {
				run, _, _ := strings.Cut(b.Value, " ")
				if b.ActionID != card.TapApprove || time.Since(last[run]) < 1500*time.Millisecond {
					continue
				}
				first := last[run].IsZero()
				last[run] = time.Now()
				who := temper(run)
				if first {
					p.tap("operator", run, m, b) // must not count: operator is the requester, or not an approver
				}
				for _, name := range who {
					taps.Go(func() { p.tap(name, run, m, b) })
				}
			}
		}
	}
}

func (p *people) tap(who, run string, m slacklocal.Message, b slacklocal.Button) {
	d := p.note(&action{who: who, where: m.Channel, kind: "approve", run: run, shown: words(m), at: time.Now()})
	a, err := p.slack.Click(slacklocal.Click{User: who, Channel: m.Channel, TS: m.TS, ActionID: b.ActionID, BlockID: b.BlockID, Value: b.Value})
	if err != nil {
		return // the card has changed and no longer has this button
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d.acked = a.OK
}

// words returns all text that a message shows.
func words(m slacklocal.Message) string {
	b, _ := json.Marshal(m.Blocks)
	return m.Text + "\n" + string(b)
}
