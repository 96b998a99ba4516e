package slackio_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
	"dhbot/internal/slackio/rate"
)

// flooded is a world with Slack's own limits. It answers reads in their channel, and posts for
// each restart a card that waits for a decision. It records all other commands.
type flooded struct {
	*world
	answers atomic.Int64 // reads that reached the handler
	heard   sync.Map     // texts of other commands that reached the handler
}

func newFlooded(t *testing.T) *flooded {
	t.Helper()
	f := &flooded{}
	f.world = newSilentWorld(t, func(ctx context.Context, m call.Message, r call.Reply) {
		if strings.HasPrefix(m.Text, "status") {
			f.answers.Add(1)
			_ = r.Show(ctx, say("an answer"))
			return
		}
		f.heard.Store(m.Text, true)
		if strings.HasPrefix(m.Text, "restart") {
			_, _ = f.edge.Post(ctx, engine.Place{Channel: slacklocal.DemoIncident}, requestCard)
		}
	}, func(c *slackio.Config) {
		c.Pace = rate.Pace{} // Slack's own limits
		c.IsKnown = func(user string) bool { return user == slacklocal.DemoOperator || user == slacklocal.DemoApprover }
	})
	f.edge.ClaimUnless(func(m call.Message) *call.Parsed { return &call.Parsed{OnlyReads: strings.HasPrefix(m.Text, "status")} })
	f.run()
	return f
}

var requestCard = card.Card{
	Push: "a request", Head: card.Line{card.T("a request")},
	Buttons: []card.Button{{Action: card.TapApprove, Label: "Approve", Value: "x"}},
}

// restart sends a restart during a flood. It returns how many answers were
// posted between the command and its card.
func (f *flooded) restart() int {
	f.t.Helper()
	before, asked := len(f.seen("reader", "an answer")), time.Now()
	f.slash("operator", "restart db_dis")
	f.awaitSeen("reader", "a request")
	f.t.Logf("the card of a restart came after %s", time.Since(asked).Round(time.Millisecond))
	return len(f.seen("reader", "an answer")) - before
}

// decides sends a denial, a cancellation and an approval, and waits until each was handled.
func (f *flooded) decides(user string) {
	f.t.Helper()
	for _, text := range []string{"deny R-7F3K no", "cancel R-7F3K", "approve R-7F3K db_dis"} {
		f.slash(user, text)
		f.await("handling of "+text, func() bool { _, ok := f.heard.Load(text); return ok })
	}
}

// TestFloods: during a flood of any kind, a restart's card is posted before
// nearly all other messages that wait in its channel, and decisions are
// accepted.
func TestFloods(t *testing.T) {
	t.Parallel()
	const atMost = 5 // answers that may precede the card, because they are already being posted
	t.Run("300 reads of the operator", func(t *testing.T) {
		t.Parallel()
		f := newFlooded(t)
		for range 300 {
			f.slash("operator", "status db_dis")
		}
		if n := f.restart(); n > atMost {
			t.Errorf("%d answers were posted before the card", n)
		}
		f.decides("operator")
		if n := f.answers.Load(); n > 30 {
			t.Errorf("%d of 300 reads were accepted", n)
		}
	})
	t.Run("300 commands of strangers", func(t *testing.T) {
		t.Parallel()
		f := newFlooded(t)
		for i := range 300 {
			f.slash([]string{"reader", "approver2"}[i%2], fmt.Sprintf("status db_dis %d", i))
		}
		if n := f.restart(); n > atMost {
			t.Errorf("%d answers were posted before the card", n)
		}
		f.decides("approver")
		if n := f.answers.Load(); n > 2 {
			t.Errorf("commands of two strangers were handled %d times", n)
		}
	})
	t.Run("1000 edits", func(t *testing.T) {
		t.Parallel()
		f := newFlooded(t)
		ctx, cancel := context.WithCancel(t.Context())
		var done atomic.Int64
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				_ = f.edge.Edit(ctx, slacklocal.DemoIncident, fmt.Sprintf("1700000000.%06d", i), say("an edit"), false)
				done.Add(1)
			})
		}
		f.restart()
		f.decides("operator")
		if n := done.Load(); n > 100 {
			t.Errorf("%d edits were done before the card and the decisions", n)
		}
		cancel()
		all.Wait()
	})
}
