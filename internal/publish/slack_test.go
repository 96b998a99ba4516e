package publish_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/secret"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
	"dhbot/internal/test/memstore"
)

// startSlack runs a publisher with the bot's real Slack client, until the test ends. The client
// talks to a simulated Slack that enforces Slack's rate limits.
func startSlack(t *testing.T) (*slacklocal.Server, *memstore.Store) {
	t.Helper()
	local, err := slacklocal.Start(slacklocal.Config{Workspace: slacklocal.DemoWorkspace()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	store := memstore.New(memstore.Config{})
	edge, err := slackio.New(slackio.Config{
		IsHome: func(string, string) bool { return true }, IsKnown: func(string) bool { return true }, AppToken: secret.New(local.AppToken()), BotToken: secret.New(local.BotToken()), APIURL: local.APIURL(), Claims: store,
		Handler: func(context.Context, call.Message, call.Reply) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := publish.New(publish.Config{
		Runs: store, Posts: store, Messenger: edge, Log: store, AuditChannel: slacklocal.DemoAudit,
		Card: func(r engine.Run) card.Card {
			return card.Card{Push: r.ID + " " + string(r.State), Head: card.Line{card.B(r.ID), card.T(" " + r.Why)}}
		},
		Elsewhere: func(engine.Run, string) card.Card { return card.Card{Push: "elsewhere"} },
		Restored:  runcard.Restored, Unseen: func(engine.Run, bool) card.Card { return card.Card{Push: "unseen"} },
		Withdraw:  func(context.Context, engine.Run) error { return nil },
		TrailCard: func(l []audit.Sealed) card.Card { return card.Card{Push: fmt.Sprint("#", l[len(l)-1].N)} },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := edge.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { _ = p.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return local, store
}

// Four runs are posted at the same time through the real Slack client, to a simulated Slack that
// enforces its limits and sends additional 429s. Each run has one message, which shows the final
// state.
func TestRunsThroughSlack(t *testing.T) {
	t.Parallel()
	local, store := startSlack(t)
	for _, method := range []string{"chat.postMessage", "chat.update"} {
		if err := local.Inject(slacklocal.Fault{Kind: "ratelimit", Method: method, Count: 1, RetryAfter: 1}); err != nil {
			t.Fatal(err)
		}
	}
	b := &bench{t: t, store: store}
	ids := []string{"R-2222", "R-3333", "R-4444", "R-5555"}
	last := map[string]engine.Stored{}
	for _, id := range ids {
		last[id] = b.changeIn(slacklocal.DemoIncident, engine.Stored{}, id, engine.Waiting, "")
	}
	for range 8 {
		for _, id := range ids {
			last[id] = b.changeIn(slacklocal.DemoIncident, last[id], id, engine.Running, "")
		}
	}
	for _, id := range ids {
		last[id] = b.changeIn(slacklocal.DemoIncident, last[id], id, engine.Done, "")
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if b.allPosted(last) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("not every run's message came up to date within 2 minutes")
		}
	}
	list, err := local.Messages("incident", "")
	if err != nil || len(list) != len(ids) {
		t.Fatalf("%d messages for %d runs, %v", len(list), len(ids), err)
	}
	for _, m := range list {
		if m.Text != m.Text[:6]+" done" {
			t.Errorf("a message ended with %q", m.Text)
		}
	}
}

func (b *bench) allPosted(want map[string]engine.Stored) bool {
	for id, s := range want {
		if p, ok, err := b.store.Post(b.t.Context(), id); err != nil || !ok || p.Rev != s.Rev {
			return false
		}
	}
	return true
}

// Ten concurrent runs change two hundred times within a minute, and Slack sends 429s. No channel
// gets more than one message a second, there are no more edits than the workspace allows, and
// every message shows the final state. `.ci/long pace` runs this test; internal/slackio tests
// the limits with a fake clock.
func TestBusyMinute(t *testing.T) {
	if os.Getenv("DHBOT_PACE") == "" {
		t.Skip("takes more than a minute: set DHBOT_PACE=1")
	}
	t.Parallel()
	const runs, changes, editsAMinute, over = 10, 200, 45, time.Minute
	local, store := startSlack(t)
	b := &bench{t: t, store: store}
	last := map[string]engine.Stored{}
	ids := make([]string, runs)
	for i := range ids {
		ids[i] = fmt.Sprintf("R-222%c", "23456789AB"[i])
	}
	next := time.NewTicker(over / changes)
	defer next.Stop()
	for n := range changes {
		id, state := ids[n%runs], engine.Running
		if n >= changes-runs {
			state = engine.Done
		}
		if n%50 == 10 {
			for _, method := range []string{"chat.postMessage", "chat.update"} {
				if err := local.Inject(slacklocal.Fault{Kind: "ratelimit", Method: method, Count: 1, RetryAfter: 1}); err != nil {
					t.Fatal(err)
				}
			}
		}
		last[id] = b.changeIn(slacklocal.DemoIncident, last[id], id, state, fmt.Sprint("step ", n))
		<-next.C
	}
	for end := time.Now().Add(3 * time.Minute); !b.allPosted(last); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not every run's message came up to date within a minute")
		}
	}
	list, err := local.Messages("incident", "")
	if err != nil || len(list) != runs {
		t.Fatalf("%d messages for %d runs, %v", len(list), runs, err)
	}
	var posts, edits []time.Time
	for _, m := range list {
		if m.Text != m.Text[:6]+" done" {
			t.Errorf("a message ended with %q", m.Text)
		}
		posts = append(posts, m.At)
		for _, h := range m.History[min(1, len(m.History)):] {
			edits = append(edits, h.At)
		}
		if m.EditedAt != nil {
			edits = append(edits, *m.EditedAt)
		}
	}
	audited, err := local.Messages("audit", "")
	if err != nil {
		t.Fatal(err)
	}
	atMost(t, "messages in #incident", posts, 1, time.Second)
	var lines []time.Time
	for _, m := range audited {
		lines = append(lines, m.At)
	}
	atMost(t, "messages in #audit", lines, 1, time.Second)
	atMost(t, "edits", edits, editsAMinute, time.Minute)
	t.Logf("%d changes: %d messages, %d edits", changes, len(posts), len(edits))
}

// atMost fails if more than n of the times are within a duration.
func atMost(t *testing.T, what string, at []time.Time, n int, within time.Duration) {
	t.Helper()
	slices.SortFunc(at, time.Time.Compare)
	for i := n; i < len(at); i++ {
		if d := at[i].Sub(at[i-n]); d < within {
			t.Errorf("%d %s within %s", n+1, what, d)
		}
	}
}
