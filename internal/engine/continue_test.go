package engine_test

import (
	"testing"
	"time"

	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// endedAt returns a run that ended in step n of a plan. Steps are counted from 0. Step n has the
// given state, and the steps before it are done.
func endedAt(plan runbooks.Plan, in runbooks.Inputs, n int, state engine.StepState, run engine.State) engine.Run {
	at := time.Date(2026, 11, 28, 2, 0, 0, 0, time.UTC)
	r := engine.Run{V: engine.FormVersion, ID: "R-7F3K", State: run, Inputs: in, Plan: plan, Asked: engine.Anna, EndedAt: &at, Steps: make([]engine.Step, len(plan.Steps))}
	for i := range r.Steps {
		switch {
		case i < n:
			r.Steps[i].State = engine.StepDone
		case i == n:
			r.Steps[i].State = state
		default:
			r.Steps[i].State = engine.StepSkipped
		}
	}
	return r
}

// TestContinuation: an unfinished run is continued from the first step that is
// not verified, and the planner accepts the inputs of the continuation.
func TestContinuation(t *testing.T) {
	in := runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_query_server"}
	plan := planOf(t, in)
	var changes, proofs []int
	for i, s := range plan.Steps {
		switch {
		case s.Changes():
			changes = append(changes, i)
		case s.Until == runbooks.Restarted:
			proofs = append(proofs, i)
		}
	}
	for name, c := range map[string]struct {
		run  engine.Run
		from int // the first step of the continuation, counted from 1; 0: there is none
	}{
		"the second host was not begun":     {endedAt(plan, in, changes[1], engine.StepSkipped, engine.Partly), changes[1] + 1},
		"the second host's restart failed":  {endedAt(plan, in, changes[1], engine.StepFailed, engine.Partly), changes[1] + 1},
		"the second host did not come back": {endedAt(plan, in, proofs[1], engine.StepFailed, engine.Partly), changes[1] + 1},
		"the first host did not come back":  {endedAt(plan, in, proofs[0], engine.StepFailed, engine.Failed), 0},
		"nothing was begun":                 {endedAt(plan, in, changes[0], engine.StepSkipped, engine.Failed), 0},
		"refused before the first step":     {endedAt(plan, in, 0, engine.StepSkipped, engine.Refused), 0},
		"done":                              {endedAt(plan, in, len(plan.Steps), "", engine.Done), 0},
		"still running":                     {endedAt(plan, in, changes[1], engine.StepPending, engine.Running), 0},
		"brought back by a restore":         {endedAt(plan, in, changes[1], engine.StepSkipped, engine.Closed), 0},
		"closed by a person":                {closedBy(endedAt(plan, in, changes[1], engine.StepUnknown, engine.Closed)), changes[1] + 1},
	} {
		next, ok := c.run.Continuation()
		if ok != (c.from > 0) {
			t.Errorf("%s: %v", name, ok)
		}
		if !ok || c.from == 0 {
			continue
		}
		if last := next.Continue[len(next.Continue)-1]; last.From != c.from || last.Run != c.run.ID {
			t.Errorf("%s: from step %d, want %d", name, last.From, c.from)
		}
		rest := planOf(t, next)
		if rest.Steps[0].Changes() {
			t.Errorf("%s: the first step is not a check", name)
		}
		for _, s := range rest.Steps {
			if s.Changes() && s.Host == "query-1" {
				t.Errorf("%s: the first host is restarted again", name)
			}
		}
		if _, more := endedAt(rest, next, 1, engine.StepFailed, engine.Failed).Continuation(); more {
			t.Errorf("%s: a continuation that changed nothing can be continued", name)
		}
	}
}

func closedBy(r engine.Run) engine.Run {
	r.EndedBy = &engine.Ben
	return r
}
