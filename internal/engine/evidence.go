package engine

import (
	"cmp"
	"context"

	"dhbot/internal/observe"
	"dhbot/runbooks"
)

// before is what is kept of a process that step i is about to stop or restart:
// one that an earlier step has seen to run.
func (w *worker) before(ctx context.Context, r Run, i int) []string {
	ps := r.Plan.Steps[i]
	seen, _ := r.before(i)
	if pid := observe.PID(seen); w.c.Evidence != nil && ps.Kind == runbooks.Exec && ps.Process != "" && pid != 0 {
		return w.c.Evidence.Of(ctx, r.Plan.Cluster, ps, pid)
	}
	return nil
}

// after is what is kept of a process that did not come to what a step waited for.
func (w *worker) after(ctx context.Context, r Run, ps runbooks.Step, st Step) []string {
	failed := st.State == StepFailed || st.State == StepUnknown || st.notReady(ps)
	pid := cmp.Or(st.NewPID, st.OldPID)
	if w.c.Evidence == nil || !failed || !ps.Until.AboutProcess() || pid == 0 {
		return nil
	}
	return w.c.Evidence.Of(ctx, r.Plan.Cluster, ps, pid)
}

// NotReady says that step i waited in vain for its process to say that it is
// ready: its log was read, and nothing speaks against it but the time.
func (r Run) NotReady(i int) bool { return r.Steps[i].notReady(r.Plan.Steps[i]) }

func (s Step) notReady(ps runbooks.Step) bool {
	return ps.Until == runbooks.Ready && s.State == StepNoted && s.Exit != nil && *s.Exit == 0
}
