package slackio_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

// heldReads is a world whose reads are not answered until release is called.
type heldReads struct {
	*world
	release func()
	arrived atomic.Int32 // number of commands and mentions

	mu      sync.Mutex
	handled map[string]int // by text
}

// newHeldReads starts the world. The function check sees every handled message.
func newHeldReads(t *testing.T, check func(call.Message)) *heldReads {
	t.Helper()
	held := make(chan struct{})
	h := &heldReads{release: sync.OnceFunc(func() { close(held) }), handled: map[string]int{}}
	isRead := func(m call.Message) bool { return strings.HasPrefix(m.Text, "status") }
	h.world = newSilentWorld(t, func(_ context.Context, m call.Message, _ call.Reply) {
		if isRead(m) {
			<-held
		}
		check(m)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.handled[m.Text]++
	}, nil)
	h.edge.ClaimUnless(func(m call.Message) *call.Parsed {
		h.arrived.Add(1)
		return &call.Parsed{OnlyReads: isRead(m)}
	})
	h.run()
	t.Cleanup(h.release)
	return h
}

// times returns how often a text was handled.
func (h *heldReads) times(text string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.handled[text]
}

// notAnswered returns how many reads the person was told were not answered.
func (h *heldReads) notAnswered(user string) int {
	h.t.Helper()
	sum := 0
	for _, m := range h.seen(user, "of your reads were not answered") {
		n, err := strconv.Atoi(m.Text[:strings.IndexByte(m.Text, ' ')])
		if err != nil {
			h.t.Fatalf("%v: %s", err, m.Text)
		}
		sum += n
	}
	return sum
}

// In a flood of reads, the edge accepts five reads of a person at a time. It answers the first
// refused read, and later reports the number of all refused reads in one message. The flood delays
// no decision, not even of the same person.
func TestReadsHaveABudget(t *testing.T) {
	t.Parallel()
	w := newHeldReads(t, func(call.Message) {})
	const flood = 60
	told := 0
	for range flood {
		if a := w.slash("operator", "status db_dis"); a.Message != nil && strings.Contains(a.Message.Text, "was not accepted") {
			told++
		}
	}
	w.slash("operator", "deny R-7F3K no")
	w.await("the decision", func() bool { return w.times("deny R-7F3K no") == 1 })
	w.release()
	w.awaitSeen("operator", fmt.Sprintf("%d of your reads were not answered", flood-5))
	if n := w.times("status db_dis"); told != 1 || n != 5 {
		t.Errorf("refused %d times, handled %d times", told, n)
	}
}

// Mentions that only read count as well. They are claimed, as every mention is.
func TestMentionedReadsHaveABudget(t *testing.T) {
	t.Parallel()
	w := newHeldReads(t, func(m call.Message) {
		if m.Key == "" || m.Unclaimed {
			t.Errorf("a mention was not claimed: %s", m.Text)
		}
	})
	const flood = 30
	for range flood {
		w.mention("@dh status db_dis", "")
	}
	w.mention("@dh deny R-7F3K no", "")
	w.await("the decision", func() bool { return w.times("deny R-7F3K no") == 1 })
	w.await("all mentions", func() bool { return w.arrived.Load() > flood }) // Slack delivers them after the call
	w.awaitSeen("operator", "5 of your reads are in progress, so this one was not accepted")
	if n := len(w.seen("operator", "was not accepted")); n != 1 {
		t.Errorf("refused %d times", n)
	}
	w.release()
	w.await("an answer or a count for each mention", func() bool { return w.times("status db_dis")+w.notAnswered("operator") >= flood })
	if n := w.times("status db_dis"); n < 5 || n > 6 { // the last mention may be counted after the release
		t.Errorf("handled %d of %d mentions", n, flood)
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
