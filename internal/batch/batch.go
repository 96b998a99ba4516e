package batch

import (
	"context"
	"sync"
	"time"
)

// Batcher collects the inputs of several callers, and passes them to a function in one call. The
// first call starts at once. Each later call waits for the end of the interval, and gets all inputs
// that have arrived in the meantime. Its methods are safe for concurrent use.
type Batcher[In any] struct {
	interval time.Duration
	room     int
	size     func(In) int
	call     func(context.Context, []In) error

	mu   sync.Mutex
	last time.Time // the start of the newest call
	open *batch[In]
}

// batch is one call with its inputs and its result.
type batch[In any] struct {
	asked []In
	size  int
	done  chan struct{} // closed when err is set
	err   error
}

// New returns a Batcher that starts each call at least one interval after the start of the previous
// call. size returns the size of an input. If the sizes of the waiting inputs add up to more than
// room, the inputs are split among several calls that start at the same time.
func New[In any](interval time.Duration, room int, size func(In) int, call func(context.Context, []In) error) *Batcher[In] {
	return &Batcher[In]{interval: interval, room: room, size: size, call: call}
}

// Do adds an input to the next call, and returns the error of that call. If ctx ends first, Do
// returns ctx's cause, but the call is still made. The call's context has the values of one
// caller's context, and never ends.
func (g *Batcher[In]) Do(ctx context.Context, input In) error {
	b := g.join(ctx, input)
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// join adds an input to the next batch. If there is none, or if the input does not fit, join begins
// another batch.
func (g *Batcher[In]) join(ctx context.Context, input In) *batch[In] {
	g.mu.Lock()
	defer g.mu.Unlock()
	size := g.size(input)
	if g.open == nil || g.open.size+size > g.room {
		b := &batch[In]{done: make(chan struct{})}
		g.open = b
		time.AfterFunc(time.Until(g.last.Add(g.interval)), func() { g.begin(context.WithoutCancel(ctx), b) })
	}
	g.open.asked = append(g.open.asked, input)
	g.open.size += size
	return g.open
}

// begin makes the call of a batch.
func (g *Batcher[In]) begin(ctx context.Context, b *batch[In]) {
	g.mu.Lock()
	if g.open == b {
		g.open = nil // later callers need another batch
	}
	g.last = time.Now()
	g.mu.Unlock()
	defer close(b.done)
	b.err = g.call(ctx, b.asked)
}
