package engine

import (
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// first returns the change that creates a run. The run waits for votes, or is approved at once if
// it needs none. Only the request is taken from r, and first itself sets states, times and
// counts.
func first(r Run, now time.Time, p Policy) (Change, error) {
	if err := validateRun(r); err != nil {
		return Change{}, err
	}
	r = Run{
		V: FormVersion, ID: r.ID, State: Waiting, Inputs: r.Inputs, Plan: r.Plan,
		Asked: r.Asked, Reason: line(r.Reason), Place: r.Place, Need: r.Needed(),
		Called: r.Called, Last: r.Last, Beside: r.Beside, Unclear: r.Unclear, Anyway: r.Anyway,
		Steps: make([]Step, len(r.Plan.Steps)),
	}
	for i := range r.Steps {
		r.Steps[i].State = StepPending
	}
	t := transition{run: r, now: stamp(now), policy: p}
	t.run.RequestedAt, t.run.VoteBy = t.now, t.now.Add(p.VoteTTL)
	if t.run.approved() {
		t.approve()
	}
	t.record(audit.Requested, func(rec *audit.Record) { by(rec, r.Asked); rec.Text = inSilence(r.Reason, r.Asked) })
	t.change.Run = t.run
	return t.change, nil
}

// validateRun refuses a run that cannot be executed, or only against the rules.
func validateRun(r Run) error {
	bad := func(why string) error {
		return refusal.New(BadRun, "This request cannot run: %s. Nothing was run. The cause is a bug in the catalog or in the bot.", why)
	}
	switch {
	case r.ID == "":
		return bad("the run has no id")
	case r.Asked.Person == "":
		return bad("the run has no requester")
	case r.Plan.Digest == "":
		return bad("the plan has no digest")
	case len(r.Plan.Steps) == 0:
		return bad("the plan has no steps")
	}
	for _, s := range r.Plan.Steps {
		switch {
		case s.Kind != runbooks.Exec && s.Kind != runbooks.Wait && s.Kind != runbooks.Manual:
			return bad("a step is of kind " + string(s.Kind))
		case s.Kind != runbooks.Manual && strings.TrimSpace(s.Sent) == "":
			return bad("a step has no command")
		case s.Kind != runbooks.Manual && s.Timeout <= 0:
			return bad("a command has no timeout")
		case s.Changes() && !r.Plan.Class.Changing():
			return bad("an action of class " + string(r.Plan.Class) + " has a changing step")
		case s.Changes() && len(r.Plan.Locks) == 0:
			return bad("the plan changes something without a lock")
		}
	}
	return nil
}
