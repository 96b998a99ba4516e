package engine

import (
	"context"
	"errors"
	"time"

	"dhbot/auth"
	"dhbot/runbooks"
)

// Times of a run under way.
const (
	recheckTries = 3               // when nobody could be asked who somebody is
	recheckPause = 2 * time.Second // between those tries
	beginWithin  = 30 * time.Second
	leaveWithin  = 5 * time.Second
)

// carry takes a run as far as it goes: to its end, to a person, to unknown, or
// to the stop of this worker. ctx ends when the worker stops, hard when it may
// wait no longer. The Gate is asked before the start and before each step,
// except for reads that prove a change which was sent already: whoever may no
// longer do this, people must learn what became of it, and the locks stay
// until then.
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
		if !checked && !st.Run.proves(st.Run.Current()) {
			st, ok = w.allowed(ctx, hard, st)
		}
		switch {
		case ctx.Err() != nil:
			st, ok = w.handOver(hard, st), false
		case ok:
			st, ok = w.step(ctx, hard, st, st.Run.Current())
		}
	}
	w.see(st)
	if st.Run.State == Unknown {
		w.look(ctx, hard, st)
	}
}

// has says that the run is in this worker's hands and has a step to do.
func (w *worker) has(r Run) bool {
	return r.State == Running && r.Worker == w.c.Replica && r.Current() >= 0
}

// start takes the run's locks, or queues it behind who holds them.
func (w *worker) start(ctx, hard context.Context, st Stored) (Stored, bool) {
	if !startable(st.Run) {
		return st, false
	}
	st, ok := w.allowed(ctx, hard, st)
	if !ok || ctx.Err() != nil {
		return st, false
	}
	begun, err := w.try(ctx, st, &attempt{event: Begin{Worker: w.c.Replica}})
	var (
		held *LockedError
		no   *RefusedError
	)
	switch {
	case err == nil:
		return begun, true
	case errors.As(err, &held):
		return w.apply(ctx, begun.Run, Blocked{Lock: held.Lock, Run: held.Run}), false
	case !errors.As(err, &no):
		w.c.Log.Warn("run not started, it will be tried again", "run", st.Run.ID, "err", err)
	}
	return begun, false
}

// allowed asks the Gate, and ends the run if it says no.
func (w *worker) allowed(ctx, hard context.Context, st Stored) (Stored, bool) {
	no := w.recheck(ctx, st.Run)
	if no == nil {
		return st, true
	}
	if ctx.Err() != nil || errors.Is(no, ErrElsewhere) {
		return st, false // the question was cut short, or is another's to answer
	}
	out, err := w.insist(hard, st, RecheckFailed{Why: no.Error()})
	if err != nil {
		w.c.Log.Warn("refusal not stored", "run", st.Run.ID, "err", err)
	}
	return out, false
}

// recheck asks again when the platform could not say who somebody is: a
// hiccup there must not void an approval. Any other no is final.
func (w *worker) recheck(ctx context.Context, r Run) error {
	for try := 1; ; try++ {
		err := w.c.Gate.Recheck(ctx, r)
		var no *auth.Refusal
		passing := errors.As(err, &no) && no.Code == auth.LookupFailed
		if !passing || try == recheckTries || !sleep(ctx, recheckPause) {
			return err
		}
	}
}

// step does one step: commits that it begins, does it, commits what came of
// it. Between the first commit, which the store refuses to a replica without
// a lease, and the sending there is nothing.
func (w *worker) step(ctx, hard context.Context, st Stored, i int) (Stored, bool) {
	within, cancel := context.WithTimeout(hard, beginWithin)
	begun, err := w.insist(within, st, StepBegins{Worker: w.c.Replica, Index: i})
	cancel()
	if err != nil {
		w.c.Log.Warn("step not begun, nothing was sent", "run", st.Run.ID, "step", i+1, "err", err)
		return begun, false
	}
	var result Step
	switch begun.Run.Plan.Steps[i].Kind {
	case runbooks.Manual:
		return begun, true // paused: a person does it
	case runbooks.Exec:
		result = w.exec(hard, begun.Run, i)
	case runbooks.Wait:
		seen, ok := w.await(ctx, begun.Run, i, begun.Run.Plan.Steps[i].Within.D())
		if !ok {
			return w.handOver(hard, begun), true
		}
		result = waited(begun.Run, i, seen)
	default:
		result = Step{State: StepFailed, Text: "nothing was sent: a step of kind " + string(begun.Run.Plan.Steps[i].Kind) + " cannot be carried out"}
	}
	// From here on only the commit is repeated. Not even the end of the grace
	// drops at once what is known about a command that was sent.
	keep, cancel := linger(hard, leaveWithin)
	defer cancel()
	ended, err := w.insist(keep, begun, StepEnds{Worker: w.c.Replica, Index: i, Step: result})
	if err != nil {
		w.c.Log.Error("result of a step not stored", "run", st.Run.ID, "step", i+1, "state", result.State, "text", result.Text, "err", err)
		return ended, false
	}
	return ended, true
}

// handOver lets go of a run that has nothing under way that changes anything,
// so that the next life, or another replica, carries it on.
func (w *worker) handOver(hard context.Context, st Stored) Stored {
	keep, cancel := linger(hard, leaveWithin)
	defer cancel()
	out, err := w.insist(keep, st, WorkerLost{Worker: w.c.Replica})
	if err != nil {
		w.c.Log.Warn("run not handed over; the next start finds it", "run", st.Run.ID, "err", err)
	}
	return out
}

// linger is a context that ends d after ctx does.
func linger(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		sleep(out, d)
		cancel()
	})
	return out, func() { stop(); cancel() }
}
