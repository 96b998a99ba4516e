package batch

import (
	"context"
	"sync"
	"time"
)

// Batcher makes calls for its callers: the first at once, and then at most one per interval, for
// all callers that have arrived since. Its methods are safe for concurrent use.
type Batcher[In any] struct {
	each time.Duration
	room int
	size func(In) int
	call func(context.Context, []In) error

	mu   sync.Mutex
	last time.Time // begin of the newest call
	open *batch[In]
}

// batch is one call that has not begun, or is in progress.
type batch[In any] struct {
	asked []In
	size  int
	done  chan struct{} // closed when err is set
	err   error
}

// New returns a Batcher that begins a call when the duration each has passed since the previous
// call began. Inputs that together exceed room are split among calls that begin at the same time.
// size returns the size of an input.
func New[In any](each time.Duration, room int, size func(In) int, call func(context.Context, []In) error) *Batcher[In] {
	return &Batcher[In]{each: each, room: room, size: size, call: call}
}

// Do returns the result of the call that included in. If ctx ends first it returns ctx's cause;
// the call is made all the same. The call's own context has the values of one caller's but no
// caller's end.
func (g *Batcher[In]) Do(ctx context.Context, in In) error {
	b := g.join(ctx, in)
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// join adds in to the next call; the first caller starts it.
func (g *Batcher[In]) join(ctx context.Context, in In) *batch[In] {
	g.mu.Lock()
	defer g.mu.Unlock()
	size := g.size(in)
	if g.open == nil || g.open.size+size > g.room {
		b := &batch[In]{done: make(chan struct{})}
		g.open = b
		time.AfterFunc(time.Until(g.last.Add(g.each)), func() { g.begin(context.WithoutCancel(ctx), b) })
	}
	g.open.asked = append(g.open.asked, in)
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
