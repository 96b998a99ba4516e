// Package lookout looks, at the lead of all replicas, at what is watched:
// clusters in the background, whose incidents it tells a channel, and what
// people follow. What it remembers is stored before it is told, so that the
// next leader goes on with it: a message is posted at least once, and one that
// is posted twice says so.
package lookout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/watch"
	"dhbot/runbooks"
)

// Looker looks at hosts, and knows what may be looked at.
type Looker interface {
	// Look asks how a scope is; notUp is since when a target has been on its way
	// up. An error means that nothing can be said, not even that it is unknown.
	Look(ctx context.Context, scope watch.Scope, notUp func(runbooks.Target) time.Time) (card.Board, []watch.Seen, error)
	// Watchable says why a scope cannot be watched, nil where it can.
	Watchable(scope watch.Scope) error
	// MayFollow says whether whoever follows something still may: an
	// *auth.Refusal where not.
	MayFollow(ctx context.Context, f watch.Follow) error
	// Process is a process of a cluster's catalog.
	Process(cluster, id string) (runbooks.Process, bool)
}

// Board is where messages are put; its errors are those of poster.Board.
type Board interface {
	// Post puts a new message and returns its id.
	Post(ctx context.Context, at engine.Place, c card.Card) (ts string, err error)
	// Edit replaces a message; final edits go before others.
	Edit(ctx context.Context, channel, ts string, c card.Card, final bool) error
}

// Background is how a cluster is watched.
type Background struct {
	Channel      string
	Every, Quiet time.Duration
}

// Config is what a Lookout needs.
type Config struct {
	Keeper   watch.Keeper
	Board    Board
	Looker   Looker
	Clusters map[string]Background
	Now      func() time.Time // nil means time.Now
	Logger   *slog.Logger     // nil means silence
}

// Lookout watches. One of all replicas runs it at a time.
type Lookout struct {
	Config
	nudged chan struct{}
}

const (
	// everyProcess and everyMore are the times between two looks of a follow.
	everyProcess = 10 * time.Second
	everyMore    = 20 * time.Second
	// soon is the time to the second look that confirms a change, at most.
	soon = 5 * time.Second
	// relist is the time between two looks for follows that others have begun
	// or ended.
	relist = 2 * time.Second
	// refresh is how old a message may say that it is.
	refresh = 5 * time.Minute
	// lookBudget bounds one look, and tellBudget the telling of it.
	lookBudget = 90 * time.Second
	tellBudget = 30 * time.Second
	// noteBudget bounds the noting of something that has been posted.
	noteBudget = 5 * time.Second
	// again is the time to the next try where the store does not answer.
	again = 5 * time.Second
)

// New makes a Lookout; nobody looks before Run.
func New(c Config) (*Lookout, error) {
	if c.Keeper == nil || c.Board == nil || c.Looker == nil {
		return nil, errors.New("the lookout needs a Keeper, a Board and a Looker")
	}
	for name, b := range c.Clusters {
		if b.Channel == "" || b.Every <= 0 {
			return nil, fmt.Errorf("the watch of %s needs a channel and a time between looks", name)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Lookout{Config: c, nudged: make(chan struct{}, 1)}, nil
}

// Nudge says that somebody has begun or ended a follow. It never blocks.
func (l *Lookout) Nudge() {
	select {
	case l.nudged <- struct{}{}:
	default:
	}
}

// Run looks until ctx ends, and then returns nil.
func (l *Lookout) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for name, b := range l.Clusters {
		wg.Go(func() { l.background(ctx, name, b) })
	}
	wg.Go(func() { l.giveUp(ctx) })
	l.follows(ctx)
	wg.Wait()
	return nil
}

// pause waits for d, for ctx's end, or to be woken.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
	}
}
