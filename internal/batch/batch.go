// Package batch makes one call out of many that come close together.
package batch

import (
	"context"
	"sync"
	"time"
)

// Batcher makes calls for its callers: the first at once, and then one for all
// callers within a while of it, and so on. Its methods may be called at the
// same time.
type Batcher[In any] struct {
	each time.Duration
	room int
	size func(In) int
	call func(context.Context, []In) error

	mu   sync.Mutex
	last time.Time // when the newest call began
	open *batch[In]
}

// batch is one call that has not begun, or whose end is awaited.
type batch[In any] struct {
	asked []In
	size  int
	done  chan struct{} // closed when err is set
	err   error
}

// New returns a Batcher whose calls begin each apart, or closer where callers
// ask would not all find room in one: by size they take up to room together.
func New[In any](each time.Duration, room int, size func(In) int, call func(context.Context, []In) error) *Batcher[In] {
	return &Batcher[In]{each: each, room: room, size: size, call: call}
}

// Do returns what came of the call that in became a part of, or ctx's cause
// when that ends first: then the call is made all the same. The call's own
// context has the values of one caller's and ends with no caller's.
func (g *Batcher[In]) Do(ctx context.Context, in In) error {
	b := g.join(ctx, in)
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// join puts in into the next call; the first there sees to it that it is made.
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

// begin makes the call that a batch is.
func (g *Batcher[In]) begin(ctx context.Context, b *batch[In]) {
	g.mu.Lock()
	if g.open == b {
		g.open = nil // callers from now on need another
	}
	g.last = time.Now()
	g.mu.Unlock()
	defer close(b.done)
	b.err = g.call(ctx, b.asked)
}
