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

// resumeEvery is how often the leader looks for deliveries of dead replicas.
const resumeEvery = 2 * time.Second

// lead is the work that the leader does for all replicas. It keeps messages in step with the store,
// resumes deliveries of dead replicas, monitors the hosts, and checks that Slack delivers events.
func (b *bot) lead(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.publisher.Run(ctx) })
	g.Go(func() error { return b.resumeOthers(ctx) })
	g.Go(func() error { return b.announceHearing(ctx) })
	g.Go(func() error { return b.monitor.Run(ctx) })
	g.Go(func() error { return b.escalator.Run(ctx) })
	return g.Wait()
}

// orphaned is a delivery that was accepted and not handled.
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

// resumeOthers passes to the handler the deliveries of replicas whose lease has ended. If such a
// replica was only suspended, both replicas may handle a delivery, but only one of them can commit
// its action, which settles the delivery.
func (b *bot) resumeOthers(ctx context.Context) error {
	var taken resuming
	defer taken.Wait()
	for ; ctx.Err() == nil; pause.For(ctx, resumeEvery) {
		list, err := b.orphans(ctx)
		if err != nil || len(list) == 0 {
			continue // there is nothing to resume, or the store is down, which is reported elsewhere
		}
		// The live replicas are read after the deliveries, so that a replica that has just accepted
		// a delivery counts as alive.
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

// left reports whether no replica handles a delivery. A replica that briefly lost its lease still
// handles the deliveries that it accepted.
func (b *bot) left(l orphaned, alive []string) bool {
	return l.replica != b.Replica && !slices.Contains(alive, l.replica)
}

// resumeOwn resumes, once, the deliveries that this replica accepted before its restart, and
// then waits for ctx to end.
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
		b.Log.WarnContext(ctx, "unhandled deliveries of the last process could not be listed; retrying", "err", err)
		pause.For(ctx, resumeEvery)
	}
}

// resuming are the deliveries that are being resumed.
type resuming struct {
	sync.WaitGroup
	mu   sync.Mutex
	keys map[string]bool
}

// enter reports whether a delivery is not yet being resumed.
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
	b.Log.InfoContext(ctx, "an unhandled delivery is resumed", logging.CommandKey, l.key, "from", l.replica, "at", l.at)
	taken.Go(func() {
		defer taken.leave(l.key)
		if err := b.slack.Resume(ctx, l.key, l.payload); err != nil && ctx.Err() == nil {
			b.Log.ErrorContext(ctx, "a delivery could not be resumed", logging.CommandKey, l.key, "err", err)
		}
	})
}
