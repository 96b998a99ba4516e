package engine

import (
	"cmp"
	"context"

	"dhbot/internal/observe/proof"
	"dhbot/runbooks"
)

// before returns evidence of the process that step i is about to stop or restart. It returns none
// if no earlier step observed that the process was running.
func (w *worker) before(ctx context.Context, r Run, i int) []string {
	ps := r.Plan.Steps[i]
	seen, _ := r.before(i)
	if pid := proof.PID(seen); w.c.Evidence != nil && ps.Kind == runbooks.Exec && ps.Process != "" && pid != 0 {
		return w.c.Evidence.Of(ctx, r.Plan.Cluster, ps, pid)
	}
	return nil
}

// after returns evidence of a process for which a step waited in vain.
func (w *worker) after(ctx context.Context, r Run, ps runbooks.Step, st Step) []string {
	failed := st.State == StepFailed || st.State == StepUnknown || st.notReady(ps)
	pid := cmp.Or(st.NewPID, st.OldPID)
	if w.c.Evidence == nil || !failed || !ps.Until.AboutProcess() || pid == 0 {
		return nil
	}
	return w.c.Evidence.Of(ctx, r.Plan.Cluster, ps, pid)
}

// NotReady reports whether step i timed out waiting for its process to become ready: its log was
// read, and nothing but the time-out indicates a problem.
func (r Run) NotReady(i int) bool { return r.Steps[i].notReady(r.Plan.Steps[i]) }

func (s Step) notReady(ps runbooks.Step) bool {
	return ps.Until == runbooks.Ready && s.State == StepNoted && s.Exit != nil && *s.Exit == 0
}
