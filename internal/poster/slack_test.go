package poster_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"dhbot/handlers"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/memstore"
	"dhbot/internal/poster"
	"dhbot/internal/secret"
	"dhbot/internal/slackio"
	"dhbot/internal/slacklocal"
)

// Five runs at once through the real edge and a Slack that keeps its limits,
// with 429s on top: one message each, and each ends right.
func TestRunsThroughSlack(t *testing.T) {
	local, err := slacklocal.Start(slacklocal.Config{Workspace: slacklocal.DemoWorkspace()})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	store := memstore.New(memstore.Config{})
	edge, err := slackio.New(slackio.Config{
		AppToken: secret.New(local.AppToken()), BotToken: secret.New(local.BotToken()), APIURL: local.APIURL(), Claims: store,
		Handler: func(context.Context, handlers.Message, handlers.Reply) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := poster.New(poster.Config{
		Runs: store, Posts: store, Board: edge, Log: store, AuditChannel: slacklocal.DemoAudit,
		Card: func(r engine.Run) card.Card {
			return card.Card{Push: r.ID + " " + string(r.State), Head: card.Line{card.B(r.ID), card.T(" " + r.Why)}}
		},
		TrailCard: func(l []audit.Sealed) card.Card { return card.Card{Push: fmt.Sprint("#", l[len(l)-1].N)} },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := edge.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { _ = p.Run(ctx) })
	defer running.Wait()
	defer cancel()

	for _, method := range []string{"chat.postMessage", "chat.update"} {
		if err := local.Inject(slacklocal.Fault{Kind: "ratelimit", Method: method, Count: 1, RetryAfter: 1}); err != nil {
			t.Fatal(err)
		}
	}
	b := &bench{t: t, store: store}
	ids := []string{"R-2222", "R-3333", "R-4444", "R-5555", "R-6666"}
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
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if b.allPosted(last) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("not every run's message came up to date within 30 s")
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
