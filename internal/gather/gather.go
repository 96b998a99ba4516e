// Package gather makes one call out of many that come close together.
package gather

import (
	"context"
	"sync"
	"time"
)

// Gather makes calls for those who Ask: the first at once, and then one for all
// who asked within a while of it, and so on. Its methods may be called at the
// same time.
type Gather[In any] struct {
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

// New returns a Gather whose calls begin each apart, or closer where those who
// ask would not all find room in one: by size they take up to room together.
func New[In any](each time.Duration, room int, size func(In) int, call func(context.Context, []In) error) *Gather[In] {
	return &Gather[In]{each: each, room: room, size: size, call: call}
}

// Ask returns what came of the call that in became a part of, or ctx's cause
// when that ends first: then the call is made all the same. The call's own
// context has the values of one asker's and ends with nobody's.
func (g *Gather[In]) Ask(ctx context.Context, in In) error {
	b := g.join(ctx, in)
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// join puts in into the next call; the first there sees to it that it is made.
func (g *Gather[In]) join(ctx context.Context, in In) *batch[In] {
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
func (g *Gather[In]) begin(ctx context.Context, b *batch[In]) {
	g.mu.Lock()
	if g.open == b {
		g.open = nil // who asks from now on needs another
	}
	g.last = time.Now()
	g.mu.Unlock()
	defer close(b.done)
	b.err = g.call(ctx, b.asked)
}
