package engine

import (
	"slices"

	"dhbot/runbooks"
)

// Continuation returns the inputs of a new run that continues this unfinished run. The new run
// has its own approvals and covers the steps of this run from the first unverified step on. The
// last element of in.Continue has the number of that step. The planner begins the new plan with
// checks of the remaining targets. The result ok is false if there is nothing to continue: the
// run is open, succeeded, changed nothing yet, or was closed after a restore, so that its effects
// are unknown.
//
// A card offers this as "Continue from step N". The button needs only the run's id, because
// everything is computed from the stored run.
func (r Run) Continuation() (in runbooks.Inputs, ok bool) {
	switch {
	case r.State == Partly, r.State == Failed, r.State == Closed && r.EndedBy != nil:
	default:
		return runbooks.Inputs{}, false
	}
	from := r.unproved()
	if from < 0 || !r.anyChange(from) {
		return runbooks.Inputs{}, false
	}
	in = r.Inputs
	in.Continue = append(slices.Clone(in.Continue), runbooks.Continuation{Run: r.ID, From: from + 1, Digest: r.Plan.Digest})
	return in, true
}

// unproved is the index of the first step that is not verified: a step that did not complete, or
// a change whose check failed. The index is -1 if every step is verified.
func (r Run) unproved() int {
	i := 0
	for i < len(r.Steps) && r.completed(i) {
		i++
	}
	if i == len(r.Steps) {
		return -1
	}
	for j := i - 1; j >= 0 && r.Plan.Steps[i].Kind == runbooks.Wait && r.sameTarget(i, j); j-- {
		switch {
		case r.changes(j):
			return j
		case r.Plan.Steps[j].Kind == runbooks.Wait:
			return i // the check has verified the change before it
		}
	}
	return i
}

// anyChange reports whether a step before step n changed something.
func (r Run) anyChange(n int) bool {
	for i := range n {
		if r.changes(i) && r.completed(i) {
			return true
		}
	}
	return false
}
