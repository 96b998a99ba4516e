package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"dhbot/internal/logging"
	"dhbot/internal/pause"
)

// resumeEvery is how often the leader looks for what dead replicas have left.
const resumeEvery = 2 * time.Second

// lead is what one replica at a time does for all: it keeps what people see
// in step with what is stored, takes up what dead replicas have left, looks at
// what is watched, and sees whether Slack is heard.
func (b *bot) lead(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.publisher.Run(ctx) })
	g.Go(func() error { return b.resumeOthers(ctx) })
	g.Go(func() error { return b.announceHearing(ctx) })
	g.Go(func() error { return b.monitor.Run(ctx) })
	g.Go(func() error { return b.escalator.Run(ctx) })
	return g.Wait()
}

// orphaned is a delivery that was accepted and is not handled.
type orphaned struct {
	key     string
	payload []byte
	replica string
	at      time.Time
}

func (b *bot) orphans(ctx context.Context) ([]orphaned, error) {
	var list []orphaned
	err := b.Store.Unsettled(ctx, func(key string, payload []byte, replica string, at time.Time) error {
		list = append(list, orphaned{key, payload, replica, at})
		return nil
	})
	return list, err
}

// resumeOthers hands over to the handler what replicas accepted whose lease
// has ended. Should one of them only have slept, the transaction of what is
// done settles the delivery for one of the two.
func (b *bot) resumeOthers(ctx context.Context) error {
	var taken resuming
	defer taken.Wait()
	for ; ctx.Err() == nil; pause.For(ctx, resumeEvery) {
		list, err := b.orphans(ctx)
		if err != nil || len(list) == 0 {
			continue // nothing, or the store is down, which others report
		}
		// In this order: who accepted something while this is read is alive.
		alive, err := b.Store.Alive(ctx)
		if err != nil {
			continue
		}
		for _, l := range list {
			if b.left(l, alive) {
				b.resume(ctx, &taken, l)
			}
		}
	}
	return nil
}

// left says that nobody handles a delivery any more. What this replica accepted is
// being handled, also where its own lease has ended for a moment.
func (b *bot) left(l orphaned, alive []string) bool {
	return l.replica != b.Replica && !slices.Contains(alive, l.replica)
}

// resumeOwn does the same, once, for what this replica accepted in a former
// life, and then waits for ctx to end.
func (b *bot) resumeOwn(ctx context.Context) error {
	var taken resuming
	defer taken.Wait()
	for {
		list, err := b.orphans(ctx)
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
		b.Log.WarnContext(ctx, "what a former life has left could not be listed; trying again", "err", err)
		pause.For(ctx, resumeEvery)
	}
}

// resuming are the deliveries that are being taken up.
type resuming struct {
	sync.WaitGroup
	mu   sync.Mutex
	keys map[string]bool
}

// enter says whether a delivery is not being taken up already.
func (r *resuming) enter(key string) bool {
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

func (r *resuming) leave(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, key)
}

func (b *bot) resume(ctx context.Context, taken *resuming, l orphaned) {
	if !taken.enter(l.key) {
		return
	}
	b.Log.InfoContext(ctx, "a delivery that was left is taken up", logging.CommandKey, l.key, "from", l.replica, "at", l.at)
	taken.Go(func() {
		defer taken.leave(l.key)
		if err := b.slack.Resume(ctx, l.key, l.payload); err != nil && ctx.Err() == nil {
			b.Log.ErrorContext(ctx, "a delivery could not be taken up", logging.CommandKey, l.key, "err", err)
		}
	})
}
