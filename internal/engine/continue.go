package engine

import (
	"slices"

	"dhbot/runbooks"
)

// Continuation is what a run that ended unfinished is continued with: inputs for a
// new run, of its own approvals, over what is not proved done. The planner makes
// the plan of them (runbooks.Inputs.Continue), with looks at what is left first;
// the number of the step is their last From. ok is false where there is nothing to
// continue: the run is open, ended well, changed nothing yet, or was brought back
// by a restore, so that what was done of it is not known.
//
// A card offers it as "Continue from step N"; a button needs the run's id alone,
// since all of it is computed of the stored run.
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

// unproved is the index of the first step that is not proved done: one that was
// not completed, or the change whose outcome it waited for in vain; -1 for none.
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
			return i // which has proved the change before it
		}
	}
	return i
}

// anyChange says that something was changed before step n.
func (r Run) anyChange(n int) bool {
	for i := range n {
		if r.changes(i) && r.completed(i) {
			return true
		}
	}
	return false
}
