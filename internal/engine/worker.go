package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"dhbot/internal/refusal"
)

// Times of the worker.
const (
	deadlineEvery = time.Second     // how often deadlines are checked
	membersAge    = 3 * time.Second // largest age of an answer of Members
)

// worker is the state of one call of Run. It has hints about runs with work, and the runs in
// progress. A hint may be outdated, so Next decides again from the stored run.
type worker struct {
	*Engine
	wake chan struct{} // holds one signal that the view has changed

	mu     sync.Mutex
	view   map[string]hint     // open runs
	active map[string]struct{} // runs that a goroutine of this worker is working on

	alive   []string // replicas, nil when not known
	aliveAt time.Time
	jobs    sync.WaitGroup
}

// hint is the last known version of a run.
type hint struct {
	Stored
	tried time.Time // when this form was last worked on
}

// Run executes runs until ctx ends. It starts approved runs in order of approval, applies
// deadlines, and takes over runs of other replicas that are gone, or of an earlier process of
// this replica. When ctx ends, Run takes no new run, waits up to Config.DrainTimeout for commands
// in progress, hands over runs that are between two steps, and returns nil. Do not call it again
// before it returns.
func (e *Engine) Run(ctx context.Context) error {
	w := &worker{Engine: e, wake: make(chan struct{}, 1), view: map[string]hint{}, active: map[string]struct{}{}}
	// Commands and commits may continue for a while after ctx ends, but waiting goroutines may
	// not.
	hard, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var watching sync.WaitGroup
	watching.Go(func() { Follow(ctx, w.c.Runs, w.c.Log, "worker", w.forgetView, w.see) })
	tick := time.NewTicker(deadlineEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		w.round(ctx, hard)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-tick.C:
		}
	}
	grace := time.AfterFunc(e.c.DrainTimeout, cut)
	defer grace.Stop()
	w.jobs.Wait()
	watching.Wait()
	return nil
}

// forgetView empties the view, because a new watch begins with every open run.
func (w *worker) forgetView() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.view)
}

// see stores a version of a run in the view, unless the view has a newer version.
func (w *worker) see(st Stored) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch old, known := w.view[st.Run.ID]; {
	case known && old.Rev >= st.Rev:
		return
	case st.Run.State.Ended():
		delete(w.view, st.Run.ID)
	default:
		w.view[st.Run.ID] = hint{Stored: st}
	}
	w.poke()
}

// poke starts another round now.
func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// round checks every open run that has no goroutine.
func (w *worker) round(ctx, hard context.Context) {
	now := w.c.Now()
	w.c.Turned()
	for _, st := range w.waiting() {
		w.c.Turned() // again for each run, because handling one may wait for the store
		r := st.Run
		switch {
		case ctx.Err() != nil:
			return
		case w.c.Ledger.Hold(r) != "":
		case st.Before != "":
			w.hand(r.ID, func() { w.bringBack(ctx, hard, st) })
		case due(r, now):
			w.apply(ctx, r, DeadlineCheck{})
		case r.State == Running && r.Worker != "" && w.gone(ctx, r.Worker):
			w.apply(ctx, r, WorkerLost{Worker: r.Worker})
		case startable(r) && !w.behindOpen(r):
			w.hand(r.ID, func() { w.carryTraced(ctx, hard, r.ID) })
		case r.State == Unknown && r.ProbedAt == nil && w.lookDue(r, now):
			w.hand(r.ID, func() { w.checkUnknown(ctx, hard, st) })
		}
	}
}

// waiting returns the open runs without a goroutine, oldest approval first. It leaves out a run
// that was worked on within deadlineEvery and has not changed, because then the store had a
// problem.
func (w *worker) waiting() []Stored {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Stored
	for id, h := range w.view {
		if _, inHand := w.active[id]; !inHand && time.Since(h.tried) >= deadlineEvery {
			out = append(out, h.Stored)
		}
	}
	slices.SortFunc(out, func(a, b Stored) int {
		return cmp.Or(order(a.Run).Compare(order(b.Run)), cmp.Compare(a.Run.ID, b.Run.ID))
	})
	return out
}

func order(r Run) time.Time {
	if r.ApprovedAt != nil {
		return *r.ApprovedAt
	}
	return r.RequestedAt
}

// due reports whether a deadline of the run has passed.
func due(r Run, now time.Time) bool {
	switch r.State {
	case Waiting:
		return !stamp(now).Before(r.VoteBy)
	case Approved, Queued:
		return r.startExpired(stamp(now))
	default:
		return false
	}
}

// startable reports whether a worker may take the run.
func startable(r Run) bool {
	return r.State == Approved || r.State == Queued || r.State == Running && r.Worker == ""
}

// behindOpen reports whether the run that r waits for is still open. If so, another try to start
// r would only meet that run's lock.
func (w *worker) behindOpen(r Run) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, open := w.view[r.Behind]
	return r.State == Queued && open
}

// gone reports whether the replica that a run names as its worker no longer executes the run.
// Another replica is gone if it has no lease, but not if the leases are unknown. This replica is
// always gone: gone is called only for a run without a goroutine, so an earlier process of this
// replica executed the run.
func (w *worker) gone(ctx context.Context, replica string) bool {
	if replica == w.c.Replica {
		return true
	}
	if w.c.Members == nil {
		return false
	}
	if now := w.c.Now(); now.Sub(w.aliveAt) >= membersAge {
		alive, err := w.c.Members.Alive(ctx)
		if err != nil {
			w.c.Log.WarnContext(ctx, "cannot tell which replicas are alive", "err", err)
			return false
		}
		w.alive, w.aliveAt = alive, now
	}
	return !slices.Contains(w.alive, replica)
}

// lookDue reports whether this replica may check the target of an unknown run. At first only the
// replica that set the run to unknown may do so.
func (w *worker) lookDue(r Run, now time.Time) bool {
	for _, st := range r.Steps {
		if st.State == StepUnknown && st.Ended != nil {
			return now.Sub(*st.Ended) >= w.c.Times.LookAfter
		}
	}
	return true
}

// apply applies an event and updates the view. It only logs an error of the store, because no
// person waits for the result.
func (w *worker) apply(ctx context.Context, r Run, ev Event) Stored {
	st, err := w.Apply(ctx, r.ID, ev, "")
	var no *refusal.Error
	switch {
	case errors.As(err, &no):
		w.see(st) // the view was out of date
	case errors.Is(err, ErrNotFound):
		w.forget(r.ID)
	case err != nil:
		w.c.Log.WarnContext(ctx, "event not stored; retrying", "run", r.ID, "err", err)
	default:
		w.see(st)
	}
	return st
}

func (w *worker) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.view, id)
}

// hand starts a goroutine for a run, unless too many are running.
func (w *worker) hand(id string, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.active) >= w.c.Workers {
		return
	}
	w.active[id] = struct{}{}
	if h, open := w.view[id]; open {
		h.tried = time.Now()
		w.view[id] = h
	}
	w.jobs.Go(func() {
		defer w.release(id)
		do()
	})
}

func (w *worker) release(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.active, id)
	w.poke() // work may wait for the free slot
}
