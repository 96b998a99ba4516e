package faulttest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/pause"
	"dhbot/internal/sim/slacklocal"
)

// manyChannels returns n channels in which people work on the same large incident.
func manyChannels(n int) []slacklocal.Channel {
	home := slacklocal.DemoWorkspace().Channels[0].Members
	var out []slacklocal.Channel
	for i := range n {
		out = append(out, slacklocal.Channel{ID: fmt.Sprintf("C0TRAFFIC%d", i), Name: fmt.Sprintf("traffic-%d", i), Members: home})
	}
	return out
}

// sentCommand is one command that a simulated person sends, and its outcome.
type sentCommand struct {
	*action
	asksOf   string // for a status, its process
	answered time.Time
	turned   bool // the bot refused the command as busy or stopping, or Slack said that the bot did not answer
}

// traffic simulates people who send commands at a constant rate, in each channel in turn. In a
// channel, at most one request for the status of the same process is open at a time, so it is
// clear which request an answer belongs to.
type traffic struct {
	*people
	every    time.Duration
	channels []string

	sentCommands []*sentCommand
	read         map[string]int  // number of messages read, by channel
	tapped       map[string]bool // approved cards, by run
	// broadcast has the replies in threads that the channel also showed. A key is the thread and
	// the text.
	broadcast map[string]bool
	asking    map[string]struct{} // process and channel of an open question
	extra     []string            // answers that match no open command
	mu        sync.Mutex          // guards the fields above
	doing     sync.WaitGroup
}

func newTraffic(p *people, perMinute int) *traffic {
	t := &traffic{people: p, every: time.Minute / time.Duration(perMinute), read: map[string]int{}, tapped: map[string]bool{}, broadcast: map[string]bool{}, asking: map[string]struct{}{}}
	for _, c := range p.setup.channels {
		t.channels = append(t.channels, c.ID)
	}
	return t
}

// How often channels are read. It is seldom, because reading a channel blocks the simulated Slack.
// A message says when it was posted, so it need not be read at once.
const (
	lookEvery     = 700 * time.Millisecond
	ephemeralEach = 8
)

// changesEach means that one in so many commands changes something. More runs are not possible,
// because Slack limits edits.
const changesEach = 40

// asked has the processes whose status people request. restarted has the processes that people
// restart in turn. Some of those need a vote.
var (
	asked = []string{"db_dis", "db_ltds", "db_merge_server", "iris_controller", "configuration_server", "authentication_server", "db_acl_write_server", "web_api_service", "tailer1", "log_aggregator_service", "db_tdcp", "db_query_server"}

	restarted = []string{"restart db_ltds", "restart db_query_server on query-1", "restart db_acl_write_server", "restart db_tdcp on query-2"}
)

// flow sends commands until ctx ends, and then waits for their outcomes.
func (t *traffic) flow(ctx context.Context) {
	tick := time.NewTicker(t.every)
	defer tick.Stop()
	looking, stop := context.WithCancel(context.WithoutCancel(ctx))
	var eyes sync.WaitGroup
	eyes.Go(func() {
		for n := 1; pause.For(looking, lookEvery); n++ {
			t.look(n%ephemeralEach == 0)
		}
	})
	for n := 0; ctx.Err() == nil; n++ {
		t.doing.Go(t.next(n))
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	t.doing.Wait()
	t.until("every command is answered", time.Minute, func() bool { return t.open() == 0 })
	stop()
	eyes.Wait()
	t.look(true)
}

// next returns the nth action.
func (t *traffic) next(n int) func() {
	where := t.channels[n%len(t.channels)]
	if n%changesEach == changesEach-1 {
		w := t.record(&sentCommand{action: &action{who: "operator", where: where, kind: "ask", tag: t.newTag()}})
		return func() { t.slash(w, restarted[n/changesEach%len(restarted)]+" again=yes because "+w.tag) }
	}
	who := []string{"reader", "operator", "approver"}[n%3]
	w := t.record(&sentCommand{action: &action{who: who, where: where, kind: "read"}, asksOf: t.question(where, n)})
	if n%5 < 2 {
		return func() { t.ask(w, "@dh status "+w.asksOf) }
	}
	return func() { t.slash(w, "status "+w.asksOf) }
}

// question returns a process whose status no one is requesting in this channel.
func (t *traffic) question(where string, n int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range asked {
		p := asked[(n/len(t.channels)+i)%len(asked)]
		if _, open := t.asking[where+" "+p]; !open {
			t.asking[where+" "+p] = struct{}{}
			return p
		}
	}
	t.violation("in %s %d queries are open at a time", where, len(asked))
	return asked[0]
}

func (t *traffic) record(w *sentCommand) *sentCommand {
	t.note(w.action)
	t.mu.Lock()
	defer t.mu.Unlock()
	w.at = time.Now()
	t.sentCommands = append(t.sentCommands, w)
	return w
}

func (t *traffic) slash(w *sentCommand, command string) {
	a, err := t.slack.Slash(slacklocal.SlashCommand{User: w.who, Channel: w.where, Text: command})
	if err != nil {
		t.violation("%s cannot type %q: %v", w.who, command, err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w.acked = a.OK
	if a.Message != nil {
		w.answer = a.Message.Text
		t.refused(w, a.Message.At)
	}
}

// ask sends a message that mentions the bot. Slack repeats the event until the bot acknowledges it.
func (t *traffic) ask(w *sentCommand, text string) {
	w.acked = true
	if _, err := t.slack.Mention(slacklocal.Mention{User: w.who, Channel: w.where, Text: text}); err != nil {
		t.violation("%s cannot write %q: %v", w.who, text, err)
	}
}

// refused records that the bot refused a command. The caller holds mu.
func (t *traffic) refused(w *sentCommand, at time.Time) {
	w.turned, w.answered = true, at
	delete(t.asking, w.where+" "+w.asksOf)
}

func (t *traffic) open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, w := range t.sentCommands {
		if w.answered.IsZero() {
			n++
		}
	}
	return n
}

// look reads new messages in every channel, finds the commands that they answer, and approves waiting
// runs. If ephemeral is set, it also reads ephemeral messages.
func (t *traffic) look(ephemeral bool) {
	for _, where := range t.channels {
		list, err := t.slack.Messages(where, "")
		if err != nil {
			t.violation("%s cannot be read: %v", where, err)
			return
		}
		t.mu.Lock()
		for _, m := range list[t.read[where]:] {
			t.matchAnswer(m)
		}
		t.read[where] = len(list)
		// This also reads older messages, because a run's card gets and loses its button long after
		// it was posted.
		for _, m := range list[max(0, len(list)-30):] {
			t.approveOn(m)
		}
		t.mu.Unlock()
		if ephemeral {
			t.matchEphemeral(where)
		}
	}
}

// matchAnswer finds the command that a message of the bot answers.
func (t *traffic) matchAnswer(m slacklocal.Message) {
	if m.BotID == "" || m.Ephemeral {
		return
	}
	if m.Broadcast { // the end of a Sev 1 run, from its thread
		key := m.ThreadTS + " " + m.Text
		if t.broadcast[key] {
			t.violation("posted twice in %s: %s", m.Channel, m.Text)
		}
		t.broadcast[key] = true
		return
	}
	shown := words(m)
	for _, w := range slices.Backward(t.sentCommands) {
		switch {
		case w.where != m.Channel:
		case w.tag != "" && strings.Contains(shown, w.tag):
			if !w.answered.IsZero() {
				t.violation("%s has two messages in %s", w.tag, w.where)
			}
			w.answered = m.At
			return
		case w.asksOf != "" && w.answered.IsZero() && strings.Contains(m.Text, w.asksOf+" on "):
			w.answered = m.At
			delete(t.asking, w.where+" "+w.asksOf)
			return
		}
	}
	t.extra = append(t.extra, m.Channel+": "+m.Text)
}

// matchEphemeral finds the commands that ephemeral messages answer.
func (t *traffic) matchEphemeral(where string) {
	for _, who := range []string{"reader", "operator", "approver"} {
		list, err := t.slack.Messages(where, who)
		if err != nil {
			t.violation("%s cannot read %s: %v", who, where, err)
			continue
		}
		t.mu.Lock()
		for _, m := range list[max(0, len(list)-20):] {
			if !m.Ephemeral || m.User == slackbot {
				continue
			}
			for _, w := range t.sentCommands[max(0, len(t.sentCommands)-500):] {
				if w.who == who && w.where == where && w.answered.IsZero() && !w.at.After(m.At) && !t.tapped[m.TS] {
					t.tapped[m.TS] = true
					w.answer = m.Text
					t.refused(w, m.At)
				}
			}
		}
		t.mu.Unlock()
	}
}

// approveOn makes the approver tap Approve, if a card has this button. The caller holds mu.
func (t *traffic) approveOn(m slacklocal.Message) {
	for _, b := range m.Buttons() {
		run, _, _ := strings.Cut(b.Value, " ")
		if b.ActionID == card.TapApprove && !t.tapped[run] {
			t.tapped[run] = true
			t.doing.Go(func() { t.tap("approver", run, m, b) })
		}
	}
}

// figures says how long people waited for the first answer.
type figures struct {
	commands, changes, turned, lost int
	p50, p90, p99, most             time.Duration
}

// count counts the commands in a period. If to is the zero time, the period lasts until now.
func (t *traffic) count(from, to time.Time) figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	var f figures
	var took []time.Duration
	for _, w := range t.sentCommands {
		if w.at.Before(from) || !to.IsZero() && !w.at.Before(to) {
			continue
		}
		f.commands++
		if w.kind == "ask" {
			f.changes++
		}
		switch {
		case w.turned:
			f.turned++
		case w.answered.IsZero():
			f.lost++
		default:
			took = append(took, w.answered.Sub(w.at))
		}
	}
	slices.SortFunc(took, func(a, b time.Duration) int { return cmp.Compare(a, b) })
	at := func(part float64) time.Duration {
		if len(took) == 0 {
			return 0
		}
		return took[min(len(took)-1, int(part*float64(len(took))))].Round(time.Millisecond)
	}
	f.p50, f.p90, f.p99, f.most = at(0.5), at(0.9), at(0.99), at(1)
	return f
}

func (f figures) String() string {
	return fmt.Sprintf("%d commands (%d changes), %d not accepted, %d without an answer; first answer p50 %v, p90 %v, p99 %v, longest %v",
		f.commands, f.changes, f.turned, f.lost, f.p50, f.p90, f.p99, f.most)
}

// refusals returns how often each text of a refusal was shown.
func (t *traffic) refusals() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]int{}
	for _, w := range t.sentCommands {
		if w.turned {
			out[w.answer]++
		}
	}
	return out
}
