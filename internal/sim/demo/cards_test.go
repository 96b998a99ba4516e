package demo_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"dhbot/handlers/call"
	"dhbot/internal/engine"
	"dhbot/internal/secret"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
	"dhbot/internal/slackio/rate"
	"dhbot/internal/test/cardtest"
	"dhbot/internal/test/memstore"
)

// TestEveryCardInTheBrowser posts every card and draws it on the narrowest screen. Every card
// must obey Slack's limits, be drawn completely, and fit the width of the screen.
func TestEveryCardInTheBrowser(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	local, edge := postOnly(t)
	samples := cardtest.All()
	for _, s := range samples {
		if _, err := edge.Post(t.Context(), engine.Place{Channel: slacklocal.DemoIncident}, s.Card); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
	}
	w := open(t, browser, local.URL(), "approver", "incident", narrowWidth, phoneHeight)
	w.counts("article", len(samples))
	w.clean()
	// All cards are saved as a few long images, which people can review.
	const part = 2400
	total := eval[int](w, `document.querySelector('#messages').scrollHeight`)
	w.do(chromedp.EmulateViewport(narrowWidth, part))
	for i, y := 0, 0; y < total; i, y = i+1, y+part-200 {
		eval[int](w, fmt.Sprintf(`document.querySelector('#messages').scrollTop = %d`, y))
		w.keepIn(fmt.Sprintf("cards-%d", i), []string{"light", "dark"}[i%2])
	}
}

// postOnly returns a local Slack, and an edge that can only post messages there.
func postOnly(t *testing.T) (*slacklocal.Server, *slackio.Edge) {
	t.Helper()
	local, err := slacklocal.Start(slacklocal.Config{Workspace: slacklocal.DemoWorkspace(), Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	edge, err := slackio.New(slackio.Config{
		IsHome: func(string, string) bool { return true }, IsKnown: func(string) bool { return true },
		AppToken: secret.New(local.AppToken()), BotToken: secret.New(local.BotToken()), APIURL: local.APIURL(),
		Claims: memstore.New(memstore.Config{}), Handler: ignore, Pace: rate.Pace{PostEvery: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return local, edge
}

// ignore is a handler that ignores messages.
func ignore(context.Context, call.Message, call.Reply) bool { return true }
