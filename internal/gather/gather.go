// Package gather makes one call out of many that come close together.
package gather

import (
	"context"
	"sync"
	"time"
)

// Gather makes calls for those who Ask: the first at once, and then one for all
// who asked within a while of it, and so on. Each call begins after everybody
// whom it is for has asked, so what it reads is as new as an own call's. Its
// methods may be called at the same time.
type Gather[In, Out any] struct {
	each time.Duration
	room int
	size func(In) int
	call func(context.Context, []In) (Out, error)

	mu   sync.Mutex
	last time.Time // when the newest call began
	open *batch[In, Out]
}

// batch is one call that has not begun, or whose answer is awaited.
type batch[In, Out any] struct {
	asked []In
	size  int
	done  chan struct{} // closed when the rest is set
	out   Out
	err   error
}

// New returns a Gather whose calls begin each apart, or closer where those who
// ask would not all find room in one: by size they take up to room together. A
// nil size is none.
func New[In, Out any](each time.Duration, room int, size func(In) int, call func(context.Context, []In) (Out, error)) *Gather[In, Out] {
	if size == nil {
		size = func(In) int { return 0 }
	}
	return &Gather[In, Out]{each: each, room: room, size: size, call: call}
}

// Ask returns the answer of the call that in became a part of, which all its
// askers share, or ctx's error when that ends first: then the call is made all
// the same. The call's own context has the values of one asker's and ends with
// nobody's.
func (g *Gather[In, Out]) Ask(ctx context.Context, in In) (Out, error) {
	b := g.join(ctx, in)
	select {
	case <-b.done:
		return b.out, b.err
	case <-ctx.Done():
		var none Out
		return none, context.Cause(ctx)
	}
}

// join puts in into the next call; the first there sees to it that it is made.
func (g *Gather[In, Out]) join(ctx context.Context, in In) *batch[In, Out] {
	g.mu.Lock()
	defer g.mu.Unlock()
	size := g.size(in)
	if g.open == nil || g.open.size+size > g.room {
		b := &batch[In, Out]{done: make(chan struct{})}
		g.open = b
		time.AfterFunc(time.Until(g.last.Add(g.each)), func() { g.begin(context.WithoutCancel(ctx), b) })
	}
	g.open.asked = append(g.open.asked, in)
	g.open.size += size
	return g.open
}

// begin makes the call that a batch is.
func (g *Gather[In, Out]) begin(ctx context.Context, b *batch[In, Out]) {
	g.mu.Lock()
	if g.open == b {
		g.open = nil // who asks from now on needs another
	}
	g.last = time.Now()
	g.mu.Unlock()
	defer close(b.done)
	b.out, b.err = g.call(ctx, b.asked)
}
