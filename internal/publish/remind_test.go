package publish_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/test/fakeclock"
	"dhbot/runbooks"
)

var (
	anna = engine.Actor{Person: "anna", Account: auth.Account{Team: "T1", User: "U1"}}
	ben  = engine.Actor{Person: "ben", Account: auth.Account{Team: "T1", User: "U2"}}

	quarter = engine.Policy{VoteTTL: 15 * time.Minute, StartTTL: 2 * time.Minute, Replica: "bot"}
)

// happen applies an event to a stored run.
func (b *bench) happen(id string, e engine.Event) error {
	st, err := b.store.Get(context.Background(), id)
	if err != nil {
		return err
	}
	c, err := engine.Next(st.Run, e, time.Now(), quarter)
	if err != nil {
		return err
	}
	c.Rev = st.Rev
	_, err = b.store.Commit(context.Background(), c)
	return err
}

// ask stores a run that waits for a vote for 15 minutes.
func (b *bench) ask(id string) {
	b.t.Helper()
	s := b.change(engine.Stored{}, id, engine.Waiting, "")
	r := s.Run
	r.Asked, r.RequestedAt, r.VoteBy = anna, time.Now(), time.Now().Add(15*time.Minute)
	r.Plan = runbooks.Plan{Digest: "7f3a9c", Class: runbooks.Disruptive, Severity: runbooks.Critical, Action: "restart", Cluster: "prod"}
	if _, err := b.store.Commit(b.t.Context(), engine.Change{Run: r, Rev: s.Rev}); err != nil {
		b.t.Fatal(err)
	}
}

// withReminders makes the publisher post reminders. The text of each reminder has the number of
// people that it mentions.
func (b *bench) withReminders(note func(id string, e engine.Event) error) {
	b.reminders = &publish.Reminders{
		ToCall: func(r engine.Run, n int) []engine.Callee {
			if r.Quiet(n) {
				return nil
			}
			return []engine.Callee{{Person: "ben"}}
		},
		Card: func(_ context.Context, r engine.Run, n int, called []engine.Callee) card.Card {
			return card.Card{Push: fmt.Sprintf("%s reminder %d calls %d", r.ID, n, len(called))}
		},
		Over: func(r engine.Run, n int) card.Card {
			return card.Card{Push: fmt.Sprintf("%s reminder %d: %s", r.ID, n, r.State)}
		},
		Note: func(_ context.Context, id string, e engine.Event) error { return note(id, e) },
	}
}

func (b *bench) texts(id string) []string {
	var out []string
	for _, m := range b.board.in("C0" + id) {
		out = append(out, strings.TrimPrefix(m.text, id+" "))
	}
	return out
}

func (b *bench) wantTexts(want ...string) {
	b.t.Helper()
	if got := b.texts(run1); strings.Join(got, "|") != strings.Join(want, "|") {
		b.t.Errorf("shown %q, want %q", got, want)
	}
}

// The time between reminders grows. The reminders are in the thread of the run's message, and are
// closed when the run is decided. After an approver has said that they are looking, the next
// reminder mentions no one.
func TestReminders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.withReminders(func(id string, e engine.Event) error { return b.happen(id, e) })
		defer b.start()()
		b.ask(run1)
		fakeclock.Advance(3*time.Minute - 2*time.Second)
		const first = "waiting for votes "
		b.wantTexts(first)
		fakeclock.Advance(4 * time.Second)
		b.wantTexts(first, "reminder 1 calls 1")
		if got := b.board.in("C0" + run1); got[1].thread != got[0].ts {
			t.Errorf("the reminder is in the thread %q", got[1].thread)
		}
		if err := b.happen(run1, engine.LookingBy{By: ben}); err != nil {
			t.Fatal(err)
		}
		fakeclock.Advance(5 * time.Minute)
		b.wantTexts(first, "reminder 1 calls 1", "reminder 2 calls 0")
		fakeclock.Advance(5 * time.Minute)
		b.wantTexts(first, "reminder 1 calls 1", "reminder 2 calls 0", "reminder 3 calls 1")
		if err := b.happen(run1, engine.DeniedBy{By: ben, Reason: "no"}); err != nil {
			t.Fatal(err)
		}
		fakeclock.Advance(5 * time.Minute)
		b.wantTexts("denied no", "reminder 1: denied", "reminder 2: denied", "reminder 3: denied")
	})
}

// TestEndReminder checks that the approvers of a run are mentioned once, ten minutes before the
// end of an approval that remaining steps need. The reminder is closed when the run ends.
func TestEndReminder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.withReminders(func(id string, e engine.Event) error { return b.happen(id, e) })
		defer b.start()()
		b.ask(run1)
		st, err := b.store.Get(t.Context(), run1)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		r := st.Run
		r.State, r.Worker = engine.Running, "bot"
		r.ApprovedAt, r.StartedAt = &now, &now
		r.Votes = []engine.Vote{{Actor: ben, At: now, Digest: r.Plan.Digest}}
		for _, host := range []string{"a", "b"} {
			target := runbooks.Step{Process: "db_dis", Host: host, Timeout: runbooks.Duration(time.Second)}
			exec, wait := target, target
			exec.Kind = runbooks.Exec
			wait.Kind, wait.Until = runbooks.Wait, runbooks.Restarted
			r.Plan.Steps = append(r.Plan.Steps, exec, wait)
		}
		r.Steps = make([]engine.Step, len(r.Plan.Steps))
		for i := range r.Steps {
			r.Steps[i].State = engine.StepPending
		}
		if _, err := b.store.Commit(t.Context(), engine.Change{Run: r, Rev: st.Rev}); err != nil {
			t.Fatal(err)
		}
		fakeclock.Advance(19 * time.Minute)
		b.wantTexts("running ")
		fakeclock.Advance(2 * time.Minute)
		b.wantTexts("running ", "reminder -1 calls 1")
		fakeclock.Advance(5 * time.Minute)
		b.wantTexts("running ", "reminder -1 calls 1")
		if err := b.happen(run1, engine.CancelledBy{By: anna, Reason: "enough"}); err != nil {
			t.Fatal(err)
		}
		fakeclock.Advance(time.Minute)
		b.wantTexts("cancelled cancelled by anna: enough", "reminder -1: cancelled")
	})
}

// A posted reminder that could not be stored is not posted again by the same process. After a crash
// between posting and storing it is posted again with the same number.
func TestReminderIsGivenAtLeastOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		down := true
		b.withReminders(func(id string, e engine.Event) error {
			if down {
				return errors.New("down")
			}
			return b.happen(id, e)
		})
		stop := b.start()
		b.ask(run1)
		fakeclock.Advance(4 * time.Minute)
		b.wantTexts("waiting for votes ", "reminder 1 calls 1")
		stop()
		down = false
		defer b.start()()
		fakeclock.Advance(3 * time.Second)
		b.wantTexts("waiting for votes ", "reminder 1 calls 1", "reminder 1 calls 1")
		st, err := b.store.Get(t.Context(), run1)
		if err != nil || st.Run.Reminded() != 1 || st.Run.Reminders[0].Message != b.board.in("C0" + run1)[2].ts {
			t.Errorf("reminders %+v, %v", st.Run.Reminders, err)
		}
	})
}

// If a run is decided while a reminder is being posted, the reminder is closed.
func TestReminderThatCameTooLateIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.withReminders(func(id string, e engine.Event) error { return b.happen(id, e) })
		posts := 0
		b.board.fail = func(call string) error {
			if call != "post C0"+run1 {
				return nil
			}
			if posts++; posts == 2 { // the post of the reminder
				return b.happen(run1, engine.DeniedBy{By: ben, Reason: "no"})
			}
			return nil
		}
		defer b.start()()
		b.ask(run1)
		fakeclock.Advance(5 * time.Minute)
		b.wantTexts("denied no", "reminder 1: denied")
	})
}
