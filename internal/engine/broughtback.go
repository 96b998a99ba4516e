package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/audit"
	"dhbot/runbooks"
)

// BroughtBack reports whether the run was closed because a restored or adopted store contained it,
// not by a person.
func (r Run) BroughtBack() bool { return r.State == Closed && r.EndedBy == nil }

// bringBack checks the targets of a run from a restored or adopted store, and then closes the
// run. The run is not continued, and keeps its locks until it is closed.
func (w *worker) bringBack(ctx, hard context.Context, st Stored) {
	found, ok := w.lookAtTargets(ctx, st.Run)
	if !ok {
		return // the targets are checked after the next start
	}
	out, err := w.insist(hard, st, BroughtBack{Why: st.Before, Found: found})
	if err != nil {
		w.c.Log.WarnContext(ctx, "a run from before the restore was not closed; retrying", "run", st.Run.ID, "err", err)
		return
	}
	w.see(out)
}

// lookAtTargets reads the state of each target of a run. For each target it repeats the plan's
// last read of that state. The result is false if ctx ended first.
func (w *worker) lookAtTargets(ctx context.Context, r Run) (string, bool) {
	plan, differs := w.derive(r)
	if differs != nil {
		return "the targets were not checked: " + differs.Error(), true
	}
	var texts, seen []string
	for i := len(plan.Steps) - 1; i >= 0; i-- {
		ps := plan.Steps[i]
		target := runbooks.Target{Process: ps.Process, Host: aboutHost(ps)}.String()
		if ps.Kind != runbooks.Wait || !ps.Until.AboutProcess() || ps.Until == runbooks.Ready || slices.Contains(seen, target) {
			continue
		}
		seen = append(seen, target)
		a, ok := w.await(ctx, r, ps, i, 0)
		if !ok {
			return "", false
		}
		texts = append(texts, target+": "+sentence(a.verdict.Text))
	}
	if len(texts) == 0 {
		return "no step of the plan shows the state of the targets", true
	}
	slices.Reverse(texts)
	return strings.Join(texts, "; "), true
}

func (t *transition) broughtBack(e BroughtBack) error {
	r := &t.run
	if r.State.Ended() {
		return settled(*r)
	}
	for i := range r.Steps {
		if st := &r.Steps[i]; st.State == StepStarted && r.changes(i) {
			st.State = StepUnknown
			st.Ended = &t.now
			st.Text = "unknown: this store does not have the outcome of the step"
		}
	}
	t.end(Closed, fmt.Sprintf("%s; this store has no record of what the run did after that. Checked at %s: %s", sentence(e.Why), clock(&t.now), e.Found), nil)
	t.record(audit.Closed, func(rec *audit.Record) { rec.Text, rec.Outcome = r.Why, string(r.State) })
	return nil
}
