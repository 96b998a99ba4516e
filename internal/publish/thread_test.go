package publish_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/test/fakeclock"
	"dhbot/internal/test/memstore"
)

// The entries of each run are in one thread of the audit channel. The first message of the thread
// links to the run's message, which links back to the thread.
func TestTrailHasAThreadForEachRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		a := b.change(engine.Stored{}, run1, engine.Running, "")
		c := b.change(engine.Stored{}, "R-6789", engine.Running, "")
		b.record(1, audit.Note)
		a = b.change(a, run1, engine.Running, "step 1")
		stop := b.start() // started now, so that its first check finds all entries
		fakeclock.Advance(4 * time.Second)
		c = b.change(c, "R-6789", engine.Done, "")
		fakeclock.Advance(4 * time.Second)
		stop()
		defer b.start()() // another process continues the same threads
		a = b.change(a, run1, engine.Done, "")
		fakeclock.Advance(4 * time.Second)
		trail := b.board.in(auditChannel)
		type place struct{ text, thread string }
		var got []place
		for _, m := range trail {
			got = append(got, place{m.text, m.thread})
		}
		// The runs' own messages are posted a moment before their trails.
		first, second := trail[1], trail[2]
		want := []place{{"3-3 (1)", ""}, {"1-4 (2)", ""}, {"2-2 (1)", ""}, {"5-5 (1)", second.ts}, {"6-6 (1)", first.ts}}
		for i := range want {
			if len(got) != len(want) || got[i] != want[i] {
				t.Fatalf("the trail shows %+v, want %+v", got, want)
			}
		}
		for _, m := range []struct {
			run    engine.Stored
			parent shown
		}{{a, first}, {c, second}} {
			posted, _, err := b.store.Post(t.Context(), m.run.Run.ID)
			if err != nil || !strings.HasSuffix(m.parent.foot, "/"+posted.TS+")") {
				t.Errorf("the trail of %s links to %q, its message is %s, %v", m.run.Run.ID, m.parent.foot, posted.TS, err)
			}
			if got := b.board.in(m.run.Run.Place.Channel); len(got) != 1 || got[0].foot != "trail (https://slack.example/C0AUDIT/"+m.parent.ts+")" {
				t.Errorf("the message of %s links to %+v", m.run.Run.ID, got)
			}
			if th, ok, err := b.store.Thread(t.Context(), m.run.Run.ID); !ok || err != nil || !th.Linked {
				t.Errorf("%s: %+v, %v, %v", m.run.Run.ID, th, ok, err)
			}
		}
	})
}

// A run whose message cannot be posted delays the trail only for a moment.
func TestTrailDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.board.fail = func(call string) error {
			if call == "post C0"+run1 {
				return errors.New("no answer")
			}
			return nil
		}
		defer b.start()()
		b.change(engine.Stored{}, run1, engine.Running, "")
		b.record(1, audit.Note)
		fakeclock.Advance(3 * time.Second)
		if got := b.board.in(auditChannel); len(got) != 1 || got[0].text != "2-2 (1)" {
			t.Errorf("after 3 s %+v", got)
		}
		fakeclock.Advance(5 * time.Second)
		if got := b.board.in(auditChannel); len(got) != 2 || got[1].text != "1-1 (1)" || strings.Contains(got[1].foot, "message of") {
			t.Errorf("after 8 s %+v", got)
		}
		if n, err := b.store.TrailPosted(t.Context()); n != 2 || err != nil {
			t.Errorf("the cursor is at %d, %v", n, err)
		}
	})
}

// newer is a store that has threads in the form of a newer version of the bot.
type newer struct{ *memstore.Store }

func (newer) Thread(context.Context, string) (publish.Thread, bool, error) {
	return publish.Thread{}, false, fmt.Errorf("thread of form 2: %w", engine.ErrNewerForm)
}

// A thread in a form that this version does not know is not changed, and does not delay other
// messages.
func TestThreadsOfANewerBotAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.posts = newer{b.store}
		defer b.start()()
		b.change(engine.Stored{}, run1, engine.Running, "")
		fakeclock.Advance(3 * time.Second)
		if got := b.board.in(auditChannel); len(got) != 1 || got[0].thread != "" {
			t.Errorf("the trail shows %+v", got)
		}
		if _, ok, err := b.store.Thread(t.Context(), run1); ok || err != nil {
			t.Errorf("a thread was stored: %v", err)
		}
	})
}
