// Package monitor looks, at the lead of all replicas, at what is watched:
// clusters in the background, whose incidents it tells a channel, and what
// people follow. What it remembers is stored before it is posted, so that the
// next leader goes on with it: a message is posted at least once, and one that
// is posted twice says so.
package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/status"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Looker looks at hosts, and knows what may be looked at.
type Looker interface {
	// Look asks how a scope is; notUp is since when a target has been on the way
	// up. An error means that nothing can be said, not even that it is unknown.
	Look(ctx context.Context, scope incident.Scope, notUp func(runbooks.Target) time.Time) (status.Board, []incident.Seen, error)
	// Watchable says why a scope cannot be watched, nil where it can.
	Watchable(scope incident.Scope) error
	// MayFollow reports whether a follower still may: an
	// *auth.Refusal where not.
	MayFollow(ctx context.Context, f incident.Follow) error
	// MayOwn reports whether the owner of an incident still may: an *auth.Refusal
	// where not.
	MayOwn(ctx context.Context, cluster string, o incident.Owner) error
	// Process is a process of a cluster's catalog.
	Process(cluster, id string) (catalogs.Process, bool)
}

// Messenger is where messages are put; its errors are those of publish.Messenger.
type Messenger interface {
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

// Config is what a Monitor needs.
type Config struct {
	Keeper    incident.Keeper
	Messenger Messenger
	Looker    Looker
	Clusters  map[string]Background
	Now       func() time.Time // nil means time.Now
	Logger    *slog.Logger     // nil means silence
}

// Monitor watches. One of all replicas runs it at a time.
type Monitor struct {
	Config
	wake chan struct{}
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
	// retryPause is the time to the next try where the store does not answer.
	retryPause = 5 * time.Second
)

// New makes a Monitor; nothing is observed before Run.
func New(c Config) (*Monitor, error) {
	if c.Keeper == nil || c.Messenger == nil || c.Looker == nil {
		return nil, errors.New("the monitor needs a Keeper, a Board and a Looker")
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
	return &Monitor{Config: c, wake: make(chan struct{}, 1)}, nil
}

// Wake says that a follow was begun or ended. It never blocks.
func (l *Monitor) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run looks until ctx ends, and then returns nil.
func (l *Monitor) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for name, b := range l.Clusters {
		wg.Go(func() { l.background(ctx, name, b) })
	}
	wg.Go(func() { l.giveUp(ctx) })
	l.follows(ctx)
	wg.Wait()
	return nil
}
