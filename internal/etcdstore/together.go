package etcdstore

import (
	"context"
	"slices"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// together stores records of no run that come at the same time in one
// transaction. Who comes alone waits for nobody; who comes while a transaction
// is under way goes with the next one, as do all others who wait by then.
type together struct {
	mu      sync.Mutex
	busy    bool
	waiting []*companion
}

// companion is one record on its way into the store.
type companion struct {
	op   clientv3.Op
	size int
	turn chan turn // of one place: written once, with mu held
}

// turn is what a companion waits for: the end of its transaction, or that it is
// the one to make the next.
type turn struct {
	lead bool
	err  error
}

// put stores one record, perhaps beside others. An error says of each of them
// what it would have said of it alone.
func (g *together) put(ctx context.Context, c *companion, store func(context.Context, []clientv3.Op) error) error {
	if !g.enter(c) {
		t, err := g.await(ctx, c)
		if err != nil || !t.lead {
			return err
		}
	}
	with := g.gather(c)
	ops := make([]clientv3.Op, len(with))
	for i, w := range with {
		ops[i] = w.op
	}
	if len(with) > 1 {
		ctx = context.WithoutCancel(ctx) // the others have not given up
	}
	err := store(ctx, ops)
	g.leave(c, with, err)
	return err
}

// enter says whether a companion is the first, and so makes a transaction now.
func (g *together) enter(c *companion) (first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.busy {
		g.busy = true
		return true
	}
	g.waiting = append(g.waiting, c)
	return false
}

// await waits for a companion's turn, or until ctx ends: then it is taken out,
// and if its transaction is under way already, what becomes of it is not heard.
func (g *together) await(ctx context.Context, c *companion) (turn, error) {
	select {
	case t := <-c.turn:
		return t, t.err
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(w *companion) bool { return w == c })
	select {
	case t := <-c.turn:
		if t.lead {
			g.passOn()
			return turn{}, down("storing an audit record", ctx.Err())
		}
		return t, t.err
	default:
		return turn{}, down("storing an audit record", ctx.Err())
	}
}

// gather takes those who wait, as many as fit beside the one who leads.
func (g *together) gather(lead *companion) []*companion {
	g.mu.Lock()
	defer g.mu.Unlock()
	with, size := []*companion{lead}, lead.size
	n := 0
	for ; n < len(g.waiting) && len(with) < maxOps; n++ {
		if size += g.waiting[n].size; size > maxBytes {
			break
		}
		with = append(with, g.waiting[n])
	}
	g.waiting = slices.Delete(g.waiting, 0, n)
	return with
}

// leave tells all who went along how it ended, and lets the next one lead.
func (g *together) leave(lead *companion, with []*companion, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range with {
		if c != lead {
			c.turn <- turn{err: err}
		}
	}
	g.passOn()
}

// passOn makes the one who has waited longest lead. It is called with mu held.
func (g *together) passOn() {
	if len(g.waiting) == 0 {
		g.busy = false
		return
	}
	next := g.waiting[0]
	g.waiting = slices.Delete(g.waiting, 0, 1)
	next.turn <- turn{lead: true}
}
