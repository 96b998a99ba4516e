package publish_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/test/fakeclock"
)

// mentioning returns a bench whose publisher mentions requesters.
func mentioning(t *testing.T) *bench {
	b := newBench(t)
	b.decided = func(engine.Run) card.Card { return card.Card{Push: "@requester decided"} }
	b.ended = func(r engine.Run) card.Card { return card.Card{Push: "@requester " + string(r.State)} }
	return b
}

// lines returns the replies to a run's message.
func (b *bench) lines(t *testing.T, id string) []string {
	t.Helper()
	var out []string
	list := b.board.in("C0" + id)
	for _, m := range list[min(1, len(list)):] {
		if m.thread != list[0].ts {
			t.Errorf("mentioned in the thread %q, want that of its message %q", m.thread, list[0].ts)
		}
		out = append(out, m.text)
	}
	return out
}

// asked stores a run that anna requested and that waits for a vote.
func (b *bench) asked(id string) engine.Stored {
	now := time.Now()
	return b.change(engine.Stored{Run: engine.Run{Asked: engine.Actor{Person: "anna"}, Need: 1, RequestedAt: now}}, id, engine.Waiting, "")
}

func (b *bench) approved(s engine.Stored) engine.Stored {
	now := time.Now()
	s.Run.ApprovedAt = &now
	s.Run.Votes = []engine.Vote{{Actor: engine.Actor{Person: "ben"}, At: now}}
	return b.change(s, s.Run.ID, engine.Running, "")
}

// The requester is mentioned once after a slow decision and once at the end, however often the
// message is edited and the leader changes.
func TestRequesterIsMentionedOncePerPurpose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mentioning(t)
		stop := b.start()
		s := b.asked(run1)
		fakeclock.Advance(4 * time.Minute)
		s = b.approved(s)
		fakeclock.Advance(10 * time.Second)
		for range 3 {
			s = b.change(s, run1, engine.Running, "another step")
			fakeclock.Advance(10 * time.Second)
		}
		stop()
		stop = b.start() // a new leader edits the message anew
		fakeclock.Advance(time.Minute)
		if got, want := b.lines(t, run1), []string{"@requester decided"}; !slices.Equal(got, want) {
			t.Errorf("mentions %q, want %q", got, want)
		}
		s = b.change(s, run1, engine.Unknown, "connection lost")
		fakeclock.Advance(10 * time.Second)
		s.Run.EndedBy = &engine.Actor{Person: "ben"}
		s = b.change(s, run1, engine.Closed, "it did restart")
		fakeclock.Advance(10 * time.Second)
		stop()
		defer b.start()()
		fakeclock.Advance(time.Minute)
		if got, want := b.lines(t, run1), []string{"@requester decided", "@requester unknown"}; !slices.Equal(got, want) {
			t.Errorf("mentions %q, want %q", got, want)
		}
		b.wantPosted(s)
	})
}

// TestWhatIsPosted checks that each kind of run posts only the expected mentions.
func TestWhatIsPosted(t *testing.T) {
	anna, ben := &engine.Actor{Person: "anna"}, &engine.Actor{Person: "ben"}
	for name, tt := range map[string]struct {
		decision time.Duration // 0: needs no approval, and starts at once
		runs     time.Duration
		end      engine.State
		by       *engine.Actor
		want     []string
	}{
		"a quick approval":           {30 * time.Second, 20 * time.Second, engine.Done, nil, []string{"@requester done"}},
		"a slow approval":            {2 * time.Minute, 20 * time.Second, engine.Done, nil, []string{"@requester decided", "@requester done"}},
		"a short run":                {0, 40 * time.Second, engine.Done, nil, nil},
		"a long run":                 {0, 2 * time.Minute, engine.Done, nil, []string{"@requester done"}},
		"a short run that failed":    {0, 20 * time.Second, engine.Failed, nil, []string{"@requester failed"}},
		"cancelled by the requester": {30 * time.Second, 20 * time.Second, engine.Cancelled, anna, nil},
		"cancelled by an approver":   {30 * time.Second, 20 * time.Second, engine.Cancelled, ben, []string{"@requester cancelled"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := mentioning(t)
				defer b.start()()
				s := b.asked(run1)
				if fakeclock.Advance(tt.decision); tt.decision > 0 {
					s = b.approved(s)
				} else {
					s.Run.Need = 0
				}
				fakeclock.Advance(tt.runs)
				s.Run.EndedBy = tt.by
				b.change(s, run1, tt.end, "")
				fakeclock.Advance(time.Minute)
				if got := b.lines(t, run1); !slices.Equal(got, tt.want) {
					t.Errorf("mentions %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// If the mention for the end of a run can only be posted long after the end, it is not posted.
func TestOldEndIsNotPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mentioning(t)
		b.change(b.approved(b.asked(run1)), run1, engine.Failed, "")
		fakeclock.Advance(2 * time.Hour)
		defer b.start()()
		fakeclock.Advance(time.Minute)
		if got := b.lines(t, run1); len(got) != 0 {
			t.Errorf("mentions %q", got)
		}
	})
}

// If a channel accepts no messages for a while, mentions wait, but the run's own message
// does not.
func TestMessageDoesNotWaitForMention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mentioning(t)
		defer b.start()()
		s := b.asked(run1)
		fakeclock.Advance(2 * time.Minute)
		b.board.mu.Lock()
		b.board.fail = func(call string) error {
			if call == "post C0"+run1 {
				return errors.New("not now")
			}
			return nil
		}
		b.board.mu.Unlock()
		s = b.change(b.approved(s), run1, engine.Done, "")
		fakeclock.Advance(10 * time.Second)
		if got := b.board.in("C0" + run1); len(got) != 1 || got[0].text != run1+" done " {
			t.Errorf("shown %+v", got)
		}
		b.wantPosted(s)
		b.board.mu.Lock()
		b.board.fail = nil
		b.board.mu.Unlock()
		fakeclock.Advance(time.Minute)
		if got, want := b.lines(t, run1), []string{"@requester done"}; !slices.Equal(got, want) {
			t.Errorf("mentions %q, want %q", got, want)
		}
	})
}

// A deleted message is posted again and mentions no one a second time.
func TestPostedAgainMentionsNoOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		calls := 0
		b.first = func(context.Context, engine.Run) card.Card {
			calls++
			return card.Card{Push: "@approvers"}
		}
		defer b.start()()
		s := b.asked(run1)
		fakeclock.Advance(10 * time.Second)
		b.board.mu.Lock()
		b.board.fail = func(call string) error {
			if call == "edit C0"+run1 {
				return publish.ErrGone
			}
			return nil
		}
		b.board.mu.Unlock()
		s = b.change(s, run1, engine.Waiting, "ben is looking")
		fakeclock.Advance(10 * time.Second)
		if got := b.board.in("C0" + run1); calls != 1 || len(got) != 2 || got[1].text != run1+" waiting for votes ben is looking" {
			t.Errorf("%d calls: %+v", calls, got)
		}
		b.wantPosted(s)
	})
}
