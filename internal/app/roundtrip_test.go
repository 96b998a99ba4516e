package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/command"
	"dhbot/internal/slackio"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/test/fakeclock"
	"dhbot/internal/test/memstore"
)

// memoryRoundTrip keeps a round trip in memory.
type memoryRoundTrip struct {
	mu   sync.Mutex
	echo etcdstore.RoundTrip
}

func (o *memoryRoundTrip) LoadRoundTrip(context.Context) (etcdstore.RoundTrip, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.echo, nil
}

func (o *memoryRoundTrip) SaveRoundTrip(_ context.Context, old, next etcdstore.RoundTrip) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.echo != old {
		return false, nil
	}
	o.echo = next
	return true, nil
}

// reactingSlack is a fake Slack client. The field how selects which events its reactions cause.
type reactingSlack struct {
	fakeSlack
	hear func(slackio.RoundTrip)

	how     string // "at once", "again", "never", or what Slack answers instead
	renewed int
}

func (m *reactingSlack) SetRoundTripMark(_ context.Context, channel, ts string, on bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.how {
	case "at once", "again":
		m.hear(slackio.RoundTrip{Channel: channel, TS: ts, On: on, Again: m.how == "again"})
		return nil
	case "never":
		return nil
	default:
		return slackio.ErrAlreadyMarked
	}
}

func (m *reactingSlack) Renew(context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.renewed++
}

func (m *reactingSlack) turn(how string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.how = how
}

func (m *reactingSlack) renewals() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.renewed
}

// If the event of a round trip does not arrive at once, the sockets are replaced. Health reports
// the problem, and the channels are told when events arrive again. An app that never received the
// events of its own reactions is not checked.
func TestRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slack := &reactingSlack{how: "never"}
		b := &bot{slack: slack, echoes: roundTrips{heard: make(chan slackio.RoundTrip, 16)}, Config: Config{
			Now: time.Now, Log: slog.New(slog.DiscardHandler), AuditChannel: "C0AUDIT", Grammar: command.Grammar{Channels: map[string]string{"C0INCIDENT": "prod"}},
		}, Edges: Edges{Store: appStore{memstore.New(memstore.Config{})}, RoundTrip: &memoryRoundTrip{}}}
		slack.hear = b.echoes.hear
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var parts sync.WaitGroup
		parts.Go(func() { _ = b.announceHearing(ctx) })
		parts.Go(func() { _ = b.watchRoundTrip(ctx) })
		time.Sleep(roundTripEvery - time.Second) // a phase ends a second before the next round trip
		for i, phase := range []struct {
			how       string
			why, line string // of health
			renewals  int    // so far
			told      int    // posts in the channel so far
		}{
			{how: "never", line: "bot manifest"}, // nothing is known yet
			{how: "at once", line: "took 0s"},
			{how: "never", why: "not everything from Slack arrives", renewals: 1},
			{how: "at once", line: "took 0s", renewals: 1, told: 1},
			{how: "again", why: "not everything from Slack arrives", renewals: 2, told: 1},
			{how: "at once", line: "took 0s", renewals: 2, told: 2},
			{how: "marked", renewals: 2, told: 2}, // the reaction is already set: the next round trip removes it
			{how: "at once", line: "took 0s", renewals: 2, told: 2},
		} {
			slack.turn(phase.how)
			fakeclock.Advance(roundTripEvery) // the round trip and its consequences
			why, line := b.roundTripHealth(ctx)
			if !strings.Contains(why, phase.why) || (phase.why == "") != (why == "") || !strings.Contains(line, phase.line) {
				t.Errorf("phase %d, %s: health says %q, %q", i, phase.how, why, line)
			}
			told := slices.DeleteFunc(slack.said(), func(text string) bool { return !strings.HasPrefix(text, "C0INCIDENT: Between ") })
			if slack.renewals() != phase.renewals || len(told) != phase.told {
				t.Errorf("phase %d, %s: renewed %d times, posted %q", i, phase.how, slack.renewals(), told)
			}
		}
		if n := len(slices.DeleteFunc(slack.said(), func(text string) bool { return !strings.HasPrefix(text, "C0AUDIT: ") })); n != 1 {
			t.Errorf("%d messages with reactions, want one for all round trips", n)
		}
		cancel()
		parts.Wait()
	})
}

// A single count of too many connections is ignored; two such counts in a row are reported.
func TestForeignConnections(t *testing.T) {
	var s foreignConnections
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	for i, step := range []struct {
		counted, counted0, now int // number of connections, when Slack counted them, and the current time
		recount, says          bool
	}{
		{counted: 2, counted0: 0, now: 15},
		{counted: 4, counted0: 20, now: 30},                                  // just now: sockets change
		{counted: 4, counted0: 20, now: 90, recount: true},                   // long enough: count again
		{counted: 2, counted0: 91, now: 95},                                  // the problem is over
		{counted: 3, counted0: 100, now: 165, recount: true},                 // another time
		{counted: 3, counted0: 166, now: 190},                                // counted again, too early to tell
		{counted: 3, counted0: 166, now: 230, recount: true, says: true},     // too high twice in a row
		{counted: 3, counted0: 231, now: 300, says: true},                    // reported: count again less often
		{counted: 3, counted0: 231, now: 831 + 1, recount: true, says: true}, // time for another count
		{counted: 2, counted0: 840, now: 845},                                // the foreign connection has ended
	} {
		if got := s.judge(step.counted, 2, at(step.counted0), at(step.now)); got != step.recount || (s.say() != "") != step.says {
			t.Errorf("step %d: recount %v, says %q", i, got, s.say())
		}
	}
}
