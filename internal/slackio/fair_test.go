package slackio_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
	"dhbot/internal/slackio/rate"
)

// Deliveries of an account that is not in the config reach the handler at a low rate, and do not
// delay the deliveries of known people.
func TestUnknownAccountsAreLimited(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	heard := map[string]int{}
	w := newWorld(t, func(_ context.Context, m call.Message, _ call.Reply) {
		mu.Lock()
		defer mu.Unlock()
		heard[m.Account.User]++
	}, func(c *slackio.Config) {
		c.IsKnown = func(user string) bool { return user == slacklocal.DemoOperator }
	})
	for range 30 {
		for _, user := range []string{"reader", "approver"} {
			if a := w.slash(user, "status db_dis"); !a.OK {
				t.Fatalf("not acknowledged: %+v", a)
			}
		}
	}
	w.slash("operator", "restart db_dis")
	w.await("the operator's command", func() bool { mu.Lock(); defer mu.Unlock(); return heard[slacklocal.DemoOperator] == 1 })
	mu.Lock()
	defer mu.Unlock()
	if heard[slacklocal.DemoReader] != 1 || heard[slacklocal.DemoApprover] != 1 {
		t.Errorf("handled, by user: %v", heard)
	}
}

// In a flood of reads, the edge accepts five reads of a person at a time. It answers the first
// refused read, and later reports the number of all refused reads in one message. The flood delays
// no decision, not even of the same person.
func TestReadsHaveABudget(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var mu sync.Mutex
	handled := map[string]int{}
	w := newSilentWorld(t, func(_ context.Context, m call.Message, _ call.Reply) {
		if strings.HasPrefix(m.Text, "status") {
			<-release
		}
		mu.Lock()
		defer mu.Unlock()
		handled[m.Text]++
	}, nil)
	w.edge.ClaimUnless(func(m call.Message) *call.Parsed { return &call.Parsed{OnlyReads: strings.HasPrefix(m.Text, "status")} })
	w.run()
	const flood = 60
	told := 0
	for range flood {
		if a := w.slash("operator", "status db_dis"); a.Message != nil && strings.Contains(a.Message.Text, "was not accepted") {
			told++
		}
	}
	w.slash("operator", "deny R-7F3K no")
	w.await("the decision", func() bool { mu.Lock(); defer mu.Unlock(); return handled["deny R-7F3K no"] == 1 })
	close(release)
	w.awaitSeen("operator", fmt.Sprintf("%d of your reads were not answered", flood-5))
	mu.Lock()
	defer mu.Unlock()
	if told != 1 || handled["status db_dis"] != 5 {
		t.Errorf("refused %d times, handled %v", told, handled)
	}
}

// Mentions that only read count as well. They are claimed, as every mention is.
func TestMentionedReadsHaveABudget(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var mu sync.Mutex
	handled := map[string]int{}
	w := newSilentWorld(t, func(_ context.Context, m call.Message, _ call.Reply) {
		if strings.HasPrefix(m.Text, "status") {
			<-release
		}
		mu.Lock()
		defer mu.Unlock()
		handled[m.Text]++
		if m.Key == "" || m.Unclaimed {
			t.Errorf("a mention was not claimed: %s", m.Text)
		}
	}, nil)
	w.edge.ClaimUnless(func(m call.Message) *call.Parsed { return &call.Parsed{OnlyReads: strings.HasPrefix(m.Text, "status")} })
	w.run()
	end := sync.OnceFunc(func() { close(release) })
	t.Cleanup(end)
	const flood = 30
	for range flood {
		w.mention("@dh status db_dis", "")
	}
	w.mention("@dh deny R-7F3K no", "")
	w.await("the decision", func() bool { mu.Lock(); defer mu.Unlock(); return handled["deny R-7F3K no"] == 1 })
	w.awaitSeen("operator", "5 of your reads are in progress, so this one was not accepted")
	end()
	w.awaitSeen("operator", fmt.Sprintf("%d of your reads were not answered", flood-5))
	mu.Lock()
	defer mu.Unlock()
	if n := len(w.seen("operator", "was not accepted")); n != 1 || handled["status db_dis"] != 5 {
		t.Errorf("refused %d times, handled %v", n, handled)
	}
}

// While an answer waits for Slack's rate limit, the command's response URL
// shows the delay.
func TestDelayIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(ctx context.Context, _ call.Message, r call.Reply) {
		_ = r.Show(ctx, card.Card{Push: "the answer"})
	}, nil)
	w.inject(slacklocal.Fault{Kind: "ratelimit", Method: "chat.postMessage", RetryAfter: 6})
	w.slash("operator", "restart iris_controller x")
	w.awaitSeen("operator", "restart iris_controller x")
	w.await("the answer", func() bool { return len(w.seen("operator", "the answer")) > 0 })
}

// A card that waits for a decision is posted before other messages that wait in
// its channel.
func TestDecisionsGoFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *slackio.Config) { c.Pace = rate.Pace{} }) // Slack's own limits
	at := engine.Place{Channel: slacklocal.DemoIncident}
	ctx, giveUp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() { _, _ = w.edge.Post(ctx, at, card.Card{Push: "an answer"}) })
	}
	w.awaitSeen("reader", "an answer")
	decision := card.Card{Push: "a decision", Head: card.Line{card.T("a decision")}, Buttons: []card.Button{{Action: card.TapApprove, Label: "Approve", Value: "x"}}}
	if _, err := w.edge.Post(t.Context(), at, decision); err != nil {
		t.Fatal(err)
	}
	if n := len(w.seen("reader", "an answer")); n > 5 {
		t.Errorf("%d others went first", n)
	}
	giveUp()
	wg.Wait()
}
