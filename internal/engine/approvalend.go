package engine

import (
	"fmt"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// validityWarning is how long before an approval ends the bot reminds the approvers.
const validityWarning = 10 * time.Minute

// ValidUntil returns the end of the run's approval. The result ok is false if the run is not
// approved. The end is computed from the plan, so no stored value can prolong it.
func (r Run) ValidUntil() (end time.Time, ok bool) {
	if r.ApprovedAt == nil {
		return time.Time{}, false
	}
	return r.ApprovedAt.Add(r.Plan.Validity()), true
}

// NeedsValidity reports whether step i may begin only while the approval is valid. Such a step
// stops something, or is the first change of its target. A step that completes or verifies a
// change, or starts again what this run stopped, needs no valid approval.
func (r Run) NeedsValidity(i int) bool {
	switch {
	case !r.changes(i):
		return false
	case r.Plan.TakesDown(i):
		return true
	default:
		return !r.touched(i) && !r.holdsDown()
	}
}

// touched reports whether this run began an earlier change of the target of step i. A change of a
// whole host and a change of a process on that host count as the same target.
func (r Run) touched(i int) bool {
	for j := range i {
		if r.changes(j) && r.attempted(j) && r.Plan.Covers(j, i) {
			return true
		}
	}
	return false
}

// holdsDown reports whether this run has stopped something and not started it again.
func (r Run) holdsDown() bool {
	for i := range r.Steps {
		if r.attempted(i) && r.Plan.TakesDown(i) && !r.Plan.Restarts(i) && !r.broughtBack(i) {
			return true
		}
	}
	return false
}

func (r Run) broughtBack(down int) bool {
	for j := down + 1; j < len(r.Steps); j++ {
		if r.changes(j) && r.completed(j) && !r.Plan.TakesDown(j) && r.Plan.Steps[j].Kind == runbooks.Exec && r.Plan.Covers(down, j) {
			return true
		}
	}
	return false
}

// attempted reports whether a step has begun, whatever its result.
func (r Run) attempted(i int) bool { return r.Steps[i].Started != nil }

// invalid reports whether step i may no longer begin because the approval has ended.
func (r Run) invalid(i int, now time.Time) bool {
	end, approved := r.ValidUntil()
	return r.NeedsValidity(i) && (!approved || !now.Before(end))
}

// WhyInvalid says that the approval ended before step i, and what follows for the run.
func (r Run) WhyInvalid(i int) string {
	end, _ := r.ValidUntil()
	return fmt.Sprintf("the approval was valid until %s. Step %d would stop something or begin a new target, so it needs a new approval", clock(&end), i+1)
}

// EndReminderDue reports whether to mention the approvers, because the approval ends soon and
// remaining steps need it.
func (r Run) EndReminderDue(now time.Time) bool {
	end, ok := r.ValidUntil()
	if !ok || r.EndReminder != nil || r.State != Running && r.State != Paused {
		return false
	}
	return !now.Before(end.Add(-validityWarning)) && now.Before(end) && r.ValidityLeft() > 0
}

// ValidityLeft is the number of remaining steps that need a valid approval.
func (r Run) ValidityLeft() int {
	n := 0
	for i, st := range r.Steps {
		if st.State == StepPending && r.NeedsValidity(i) {
			n++
		}
	}
	return n
}

// AnswerableFor lists the approvers of the run, with the accounts that they used to approve. For a
// run without approvals it lists the requester.
func (r Run) AnswerableFor() []Callee {
	var out []Callee
	for _, v := range r.Votes {
		out = append(out, Callee{Person: v.Person, Account: v.Account})
	}
	if len(out) == 0 {
		out = append(out, Callee{Person: r.Asked.Person, Account: r.Asked.Account})
	}
	return out
}

func (t *transition) endReminded(e EndReminded) error {
	r := &t.run
	switch {
	case r.State.Ended():
		return settled(*r)
	case r.EndReminder != nil:
		return refusal.New(NothingNew, "The approvers of %s were already mentioned.", r.ID)
	case !r.EndReminderDue(t.now):
		return refusal.New(NotDue, "The approval of %s does not end soon.", r.ID)
	}
	r.EndReminder = &Reminder{N: 1, At: t.now, Message: e.Message, Called: e.Called}
	end, _ := r.ValidUntil()
	t.record(audit.Reminded, func(rec *audit.Record) {
		rec.Text = fmt.Sprintf("the approval ends at %s, %d steps still need it; mentioned %s", clock(&end), r.ValidityLeft(), names(e.Called))
	})
	return nil
}
