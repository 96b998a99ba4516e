package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"dhbot/auth"
	"dhbot/internal/logging"
	"dhbot/internal/pause"
	"dhbot/internal/refusal"
	"dhbot/internal/tracing"
	"dhbot/runbooks"
)

// Times of a run in progress.
const (
	recheckTries = 3               // if a person could not be looked up
	recheckPause = 2 * time.Second // between these tries
	beginWithin  = 30 * time.Second
	leaveWithin  = 5 * time.Second
)

// carryTraced executes a run with its id in the log and in a trace.
func (w *worker) carryTraced(ctx, hard context.Context, id string) {
	ctx, span := tracing.BeginRun(ctx, id)
	defer span.End()
	hard = trace.ContextWithSpan(logging.WithRun(hard, id), span)
	w.carry(ctx, hard, id)
}

// carry executes a run until it ends, waits for a person, becomes unknown, or this worker stops.
// The context ctx ends when the worker stops, and hard ends when the worker may wait no longer.
// carry calls the Gate before the start and before each step, except before a read that verifies
// a sent change. The result of that read must become known even if a person has lost their role,
// and the run keeps its locks until then.
func (w *worker) carry(ctx, hard context.Context, id string) {
	st, err := w.c.Runs.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		w.forget(id)
	}
	if err != nil {
		return
	}
	st, ok := w.start(ctx, hard, st)
	for checked := true; ok && w.has(st.Run); checked = false {
		kept := w.before(ctx, st.Run, st.Run.Current()) // takes seconds, so it comes before the check
		if !checked && !st.Run.verifiesChange(st.Run.Current()) {
			st, ok = w.allowed(ctx, hard, st)
		}
		switch {
		case ctx.Err() != nil:
			st, ok = w.handOver(hard, st), false
		case ok:
			st, ok = w.step(ctx, hard, st, st.Run.Current(), kept)
		}
	}
	w.see(st)
	if st.Run.State == Unknown {
		w.checkUnknown(ctx, hard, st)
	}
}

// has reports whether this worker executes the run and the run still has a step to do.
func (w *worker) has(r Run) bool {
	return r.State == Running && r.Worker == w.c.Replica && r.Current() >= 0
}

// start takes the locks of the run. If another run holds one of them, start queues the run behind
// that run.
func (w *worker) start(ctx, hard context.Context, st Stored) (Stored, bool) {
	if !startable(st.Run) {
		return st, false
	}
	st, ok := w.allowed(ctx, hard, st)
	if !ok || ctx.Err() != nil {
		return st, false
	}
	plan, differs := w.derive(st.Run)
	if differs != nil {
		return w.refuse(hard, st, differs), false
	}
	begun, err := w.try(ctx, st, &attempt{event: Begin{Worker: w.c.Replica, Digest: plan.Digest}})
	var (
		held *LockedError
		no   *refusal.Error
	)
	switch {
	case err == nil:
		return begun, true
	case errors.As(err, &held):
		return w.apply(ctx, begun.Run, Blocked{Lock: held.Lock, Run: held.Run}), false
	case !errors.As(err, &no):
		w.c.Log.WarnContext(ctx, "run not started; retrying", "run", st.Run.ID, "err", err)
	}
	return begun, false
}

// allowed asks the Gate whether the run may continue, and ends the run if the Gate refuses.
func (w *worker) allowed(ctx, hard context.Context, st Stored) (Stored, bool) {
	no := w.recheck(ctx, st.Run)
	if no == nil {
		return st, true
	}
	if ctx.Err() != nil || errors.Is(no, ErrElsewhere) {
		return st, false // the check was interrupted, or another replica makes it
	}
	return w.refuse(hard, st, no), false
}

// refuse ends a run that may not continue.
func (w *worker) refuse(hard context.Context, st Stored, why error) Stored {
	out, err := w.insist(hard, st, RecheckFailed{Why: why.Error()})
	if err != nil {
		w.c.Log.WarnContext(hard, "refusal not stored", "run", st.Run.ID, "err", err)
	}
	return out
}

func (w *worker) derive(r Run) (runbooks.Plan, error) { return Derive(w.c.Gate, r) }

// Derive makes a run's plan again and compares its content with the stored plan. The engine sends
// the returned plan, never the stored plan.
func Derive(g Gate, r Run) (runbooks.Plan, error) {
	plan, err := g.Derive(r)
	switch {
	case err != nil:
		return runbooks.Plan{}, fmt.Errorf("the plan can no longer be made: %w", err)
	case plan.Digest == "" || len(plan.Steps) != len(r.Steps) || !plan.Same(r.Plan):
		return runbooks.Plan{}, &PlanDiffersError{Was: r.Plan, Is: plan}
	default:
		return plan, nil
	}
}

// PlanDiffersError means that a stored plan differs from the plan that its inputs make now.
type PlanDiffersError struct{ Was, Is runbooks.Plan }

func (e *PlanDiffersError) Error() string {
	if e.Was.Digest == e.Is.Digest {
		return "the stored plan is not the one that was approved: it was changed in the store"
	}
	return fmt.Sprintf("the catalog or the config has changed since the request: the plan would now be %s, but %s was requested", short(e.Is.Digest), short(e.Was.Digest))
}

func short(digest string) string { return digest[:min(len(digest), 6)] }

// recheck retries if the platform could not look up a person, because a short outage must not
// void an approval. Any other refusal is final.
func (w *worker) recheck(ctx context.Context, r Run) error {
	for try := 1; ; try++ {
		err := w.c.Gate.Recheck(ctx, r)
		passing := refusal.Is(err, auth.LookupFailed)
		if !passing || try == recheckTries || !pause.For(ctx, recheckPause) {
			return err
		}
	}
}

// step executes one step. It commits the begin, runs the command, and commits the result. Without
// a lease the store refuses the first commit, so nothing may happen between that commit and
// sending the command.
func (w *worker) step(ctx, hard context.Context, st Stored, i int, kept []string) (Stored, bool) {
	plan, differs := w.derive(st.Run)
	switch {
	case differs != nil && !st.Run.verifiesChange(i):
		return w.refuse(hard, st, differs), false
	case st.Run.invalid(i, stamp(w.c.Now())):
		return w.refuse(hard, st, errors.New(st.Run.WhyInvalid(i))), false
	}
	within, cancel := context.WithTimeout(hard, beginWithin)
	begun, err := w.insist(within, st, StepBegins{Worker: w.c.Replica, Index: i, Digest: st.Run.Plan.Digest, Kept: kept})
	cancel()
	if err != nil {
		w.c.Log.WarnContext(ctx, "step not started, nothing was sent", "run", st.Run.ID, "step", i+1, "err", err)
		return begun, false
	}
	if begun.Run.State == Paused {
		return begun, true // a person does it
	}
	var result Step
	switch {
	case differs != nil:
		result = Step{State: StepUnknown, Text: line("not checked: " + differs.Error())}
	case !plan.Same(begun.Run.Plan):
		result = Step{State: StepFailed, Text: "nothing was sent: the stored plan was changed in the store"}
	default:
		var done bool
		if result, done = w.runStep(ctx, hard, begun.Run, plan.Steps[i], i); !done {
			return w.handOver(hard, begun), true
		}
	}
	// The command is never repeated, only the commit of its result. The worker keeps trying to
	// commit for a while even after its grace time.
	keep, cancel := linger(hard, leaveWithin)
	defer cancel()
	ended, err := w.insist(keep, begun, StepEnds{Worker: w.c.Replica, Index: i, Step: result})
	if err != nil {
		w.c.Log.ErrorContext(ctx, "result of a step not stored",
			"run", st.Run.ID, "step", i+1, "state", result.State, "text", result.Text, "err", err)
		return ended, false
	}
	return ended, true
}

// handOver releases a run that is not making a change at the moment. Another replica, or the next
// process of this replica, continues the run.
func (w *worker) handOver(hard context.Context, st Stored) Stored {
	keep, cancel := linger(hard, leaveWithin)
	defer cancel()
	out, err := w.insist(keep, st, WorkerLost{Worker: w.c.Replica})
	if err != nil {
		w.c.Log.WarnContext(hard, "could not hand over the run; another replica, or this replica after its restart, continues it", "run", st.Run.ID, "err", err)
	}
	return out
}

// linger returns a context that ends when d has passed after the end of ctx.
func linger(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		pause.For(out, d)
		cancel()
	})
	return out, func() { stop(); cancel() }
}
