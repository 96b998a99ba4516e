package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Times of the worker.
const (
	deadlineEvery = time.Second      // how often deadlines are looked at
	membersAge    = 3 * time.Second  // how old an answer of Members may be
	lookAfter     = 20 * time.Second // when another replica's unknown run is looked at here
)

// worker is the memory of one Run: hints about which runs want something,
// and which of them it is working on. Each decision is made again by Next
// on the stored run.
type worker struct {
	*Engine
	wake chan struct{} // holds one reminder that the view has changed

	mu     sync.Mutex
	view   map[string]hint     // open runs
	active map[string]struct{} // runs that a goroutine of this worker is working on

	alive   []string // replicas, nil when not known
	aliveAt time.Time
	jobs    sync.WaitGroup
}

// hint is a run as last seen.
type hint struct {
	Stored
	tried time.Time // when this form of it was last worked on
}

// Run carries out runs until ctx ends: it starts what is approved, in the
// order of approval, lets deadlines pass, and takes over what a former life
// of this replica, or a replica that is gone, has left. When ctx ends it
// takes nothing new, gives commands under way Config.Grace to end, hands the
// runs between two steps over, and returns nil. It must not be called twice
// at a time.
func (e *Engine) Run(ctx context.Context) error {
	w := &worker{Engine: e, wake: make(chan struct{}, 1), view: map[string]hint{}, active: map[string]struct{}{}}
	// Commands and commits outlive ctx for a while; what waits does not.
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

// forgetView empties the view: a watch begins with everything that is open.
func (w *worker) forgetView() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.view)
}

// see takes note of a run's form, unless a newer one is known.
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

// poke asks for another round, now.
func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// round looks once at every open run that no goroutine here works on.
func (w *worker) round(ctx, hard context.Context) {
	now := w.c.Now()
	w.c.Turned()
	for _, st := range w.waiting() {
		w.c.Turned() // each of them may wait for the store
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
			w.hand(r.ID, func() { w.look(ctx, hard, st) })
		}
	}
}

// waiting returns the open runs that are not being worked on, oldest approval first.
// One that was worked on a moment ago and has not moved since has met trouble
// with the store, and is left alone until the next tick.
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

// due says that a deadline has passed.
func due(r Run, now time.Time) bool {
	switch r.State {
	case Waiting:
		return !stamp(now).Before(r.VoteBy)
	case Approved, Queued:
		return r.startOver(stamp(now))
	default:
		return false
	}
}

// startable says that a worker may take the run.
func startable(r Run) bool {
	return r.State == Approved || r.State == Queued || r.State == Running && r.Worker == ""
}

// behindOpen says that the run this one is queued behind is still there;
// trying again would only meet its lock.
func (w *worker) behindOpen(r Run) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, open := w.view[r.Behind]
	return r.State == Queued && open
}

// gone says that a run's worker will not come back to it: it is this replica,
// which is not working on the run and so did so before a restart, or one
// whose lease is gone. Not knowing is no.
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

// lookDue leaves the worker that found out that a run's fate is unknown the time to
// look at its target first.
func (w *worker) lookDue(r Run, now time.Time) bool {
	for _, st := range r.Steps {
		if st.State == StepUnknown && st.Ended != nil {
			return now.Sub(*st.Ended) >= lookAfter
		}
	}
	return true
}

// apply makes an event happen without a waiter.
func (w *worker) apply(ctx context.Context, r Run, ev Event) Stored {
	st, err := w.Apply(ctx, r.ID, ev, "")
	var no *RefusedError
	switch {
	case errors.As(err, &no):
		w.see(st) // the view was behind
	case errors.Is(err, ErrNotFound):
		w.forget(r.ID)
	case err != nil:
		w.c.Log.WarnContext(ctx, "event not stored, it will be tried again", "run", r.ID, "err", err)
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

// hand gives a run to a goroutine of its own if there is room for one.
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
	w.poke() // there may be work that found no room
}
