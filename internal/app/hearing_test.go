package app

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/slackio"
	"dhbot/internal/test/fakeclock"
	"dhbot/internal/test/memstore"
)

// fakeSlack is a fake Slack client. The test sets whether it receives events, and reads what the bot
// posted.
type fakeSlack struct {
	Slack
	deaf   atomic.Bool
	mu     sync.Mutex
	posted []string
}

func (e *fakeSlack) Health() slackio.Health {
	return slackio.Health{Sockets: []slackio.SocketHealth{{Up: !e.deaf.Load(), Read: time.Now()}}}
}

func (e *fakeSlack) Post(_ context.Context, at engine.Place, c card.Card) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.posted = append(e.posted, at.Channel+": "+c.Push)
	return "1", nil
}

// said lists the posts so far.
func (e *fakeSlack) said() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.posted)
}

// A long gap in which the bot received no events is reported in its channels, once.
// A short gap, a slow store or a first start is not.
func TestGapsAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slack := &fakeSlack{}
		var last time.Time
		var storeDown atomic.Bool
		store := memstore.New(memstore.Config{})
		b := &bot{slack: slack, Config: Config{
			Now: time.Now, Log: slog.New(slog.DiscardHandler), Grammar: command.Grammar{Channels: map[string]string{"C0INCIDENT": "prod"}},
		}, Edges: Edges{Store: appStore{store}, SetLastHeard: func(_ context.Context, at time.Time) (time.Time, error) {
			if storeDown.Load() {
				return time.Time{}, engine.ErrStoreDown
			}
			before := last
			last = at
			return before, nil
		}}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- b.listen(ctx) }()
		for _, phase := range []struct {
			deaf, down bool
			lasts      time.Duration
			told       int // so far
		}{
			{lasts: time.Minute},                  // the first start
			{deaf: true, lasts: 10 * time.Second}, // a socket is renewed
			{lasts: time.Minute},
			{down: true, lasts: 5 * time.Minute}, // it received events, but could not store the time
			{lasts: time.Minute},
			{deaf: true, lasts: 3 * time.Minute},
			{lasts: 5 * time.Minute, told: 1},
		} {
			slack.deaf.Store(phase.deaf)
			storeDown.Store(phase.down)
			fakeclock.Advance(phase.lasts)
			if len(slack.said()) != phase.told {
				t.Errorf("after %+v it posted %q", phase, slack.said())
			}
		}
		want := "C0INCIDENT: I received nothing from Slack from 1 Jan 00:08:10 UTC to 1 Jan 00:11:15 UTC; please repeat any command from that time."
		if len(slack.said()) != 1 || slack.said()[0] != want {
			t.Errorf("it posted %q, want %q", slack.said(), want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// appStore is the in-memory store with a stub for what only replicas need.
type appStore struct{ *memstore.Store }

func (appStore) NewID(context.Context) (string, error) { return "", nil }
