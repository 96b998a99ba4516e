package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// takeUpEvery is how often the leader looks for what dead replicas have left.
const takeUpEvery = 2 * time.Second

// lead is what one replica at a time does for all: it keeps what people see
// in step with what is stored, takes up what dead replicas have left, looks at
// what is watched, and sees whether Slack is heard.
func (b *bot) lead(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.poster.Run(ctx) })
	g.Go(func() error { return b.takeUpOthers(ctx) })
	g.Go(func() error { return b.callOut(ctx) })
	g.Go(func() error { return b.lookout.Run(ctx) })
	return g.Wait()
}

// left is a delivery that was accepted and is not handled.
type left struct {
	key     string
	payload []byte
	replica string
	at      time.Time
}

func (b *bot) left(ctx context.Context) ([]left, error) {
	var list []left
	err := b.Store.Unsettled(ctx, func(key string, payload []byte, replica string, at time.Time) error {
		list = append(list, left{key, payload, replica, at})
		return nil
	})
	return list, err
}

// takeUpOthers hands over to the handler what replicas accepted whose lease
// has ended. Should one of them only have slept, the transaction of what is
// done settles the delivery for one of the two.
func (b *bot) takeUpOthers(ctx context.Context) error {
	var taken resumed
	defer taken.Wait()
	for ; ctx.Err() == nil; pause(ctx, takeUpEvery) {
		list, err := b.left(ctx)
		if err != nil || len(list) == 0 {
			continue // nothing, or the store is down, of which others speak
		}
		// In this order: who accepted something while this is read is alive.
		alive, err := b.Store.Alive(ctx)
		if err != nil {
			continue
		}
		for _, l := range list {
			if !slices.Contains(alive, l.replica) {
				b.resume(ctx, &taken, l)
			}
		}
	}
	return nil
}

// pause waits for d or for ctx's end.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// takeUpOwn does the same, once, for what this replica accepted in a former
// life, and then waits for ctx to end.
func (b *bot) takeUpOwn(ctx context.Context) error {
	var taken resumed
	defer taken.Wait()
	for {
		list, err := b.left(ctx)
		if err == nil {
			for _, l := range list {
				if l.replica == b.Replica && l.at.Before(b.started) {
					b.resume(ctx, &taken, l)
				}
			}
			<-ctx.Done()
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		b.Log.Warn("what a former life has left could not be listed; trying again", "err", err)
		pause(ctx, takeUpEvery)
	}
}

// resumed are the deliveries that are being taken up.
type resumed struct {
	sync.WaitGroup
	mu   sync.Mutex
	keys map[string]bool
}

// enter says whether a delivery is not being taken up already.
func (r *resumed) enter(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys[key] {
		return false
	}
	if r.keys == nil {
		r.keys = map[string]bool{}
	}
	r.keys[key] = true
	return true
}

func (r *resumed) leave(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, key)
}

func (b *bot) resume(ctx context.Context, taken *resumed, l left) {
	if !taken.enter(l.key) {
		return
	}
	b.Log.Info("a delivery that was left is taken up", "key", l.key, "from", l.replica, "at", l.at)
	taken.Go(func() {
		defer taken.leave(l.key)
		if err := b.slack.Resume(ctx, l.key, l.payload); err != nil && ctx.Err() == nil {
			b.Log.Error("a delivery could not be taken up", "key", l.key, "err", err)
		}
	})
}
