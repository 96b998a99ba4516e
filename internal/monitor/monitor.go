package monitor

import (
	"cmp"
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

// Looker checks hosts, and knows which scopes are allowed.
type Looker interface {
	// Look checks a scope. The function notUp returns the time at which a target was first found
	// starting or stopping. An error means that there is no result, not even unknown.
	Look(ctx context.Context, scope incident.Scope, notUp func(runbooks.Target) time.Time) (status.Board, []incident.Seen, error)
	// Watchable returns why a scope cannot be watched, or nil if it can.
	Watchable(scope incident.Scope) error
	// MayFollow checks whether the person of a watch still has the role. It returns a
	// *refusal.Error if not.
	MayFollow(ctx context.Context, f incident.Follow) error
	// MayOwn checks whether the owner of an incident still has the role. It returns a
	// *refusal.Error if not.
	MayOwn(ctx context.Context, cluster string, o incident.Owner) error
	// Process returns a process of a cluster's catalog, and whether it exists.
	Process(cluster, id string) (catalogs.Process, bool)
}

// Messenger posts messages. It returns the same errors as publish.Messenger.
type Messenger interface {
	// Post posts a new message and returns its id.
	Post(ctx context.Context, at engine.Place, c card.Card) (ts string, err error)
	// Edit replaces a message. An edit with final set is sent before other edits.
	Edit(ctx context.Context, channel, ts string, c card.Card, final bool) error
}

// Background configures the monitoring of a cluster.
type Background struct {
	Channel      string
	Every, Quiet time.Duration
}

// Config has the dependencies of a Monitor.
type Config struct {
	Keeper    incident.Keeper
	Messenger Messenger
	Looker    Looker
	Clusters  map[string]Background
	// AuditChannel shows an incident if its channel accepts no messages.
	AuditChannel string
	Times        Times
	Now          func() time.Time // nil means time.Now
	Logger       *slog.Logger     // nil discards the log
}

// Monitor runs the background monitoring and the watches. One replica runs it at a time.
type Monitor struct {
	Config
	wake chan struct{}
}

// Times are the intervals between checks. 0 means the default.
type Times struct {
	EveryProcess time.Duration // of a watch of one process, default 10 s
	EveryMore    time.Duration // of any other watch, default 20 s
	Soon         time.Duration // longest time to the second check, which confirms a change; default 5 s
	Relist       time.Duration // of checks for new and ended watches, default 2 s
}

func (t Times) withDefaults() Times {
	return Times{
		EveryProcess: cmp.Or(t.EveryProcess, 10*time.Second), EveryMore: cmp.Or(t.EveryMore, 20*time.Second),
		Soon: cmp.Or(t.Soon, 5*time.Second), Relist: cmp.Or(t.Relist, 2*time.Second),
	}
}

const (
	// lookBudget is the time limit for one check. tellBudget is the time limit for posting its
	// result.
	lookBudget = 90 * time.Second
	tellBudget = 30 * time.Second
	// noteBudget is the time limit for storing that something was posted.
	noteBudget = 5 * time.Second
	// retryPause is the time before a new try to load the state of a cluster, or to close the
	// incidents of clusters that are no longer monitored.
	retryPause = 5 * time.Second
)

// New makes a Monitor. It checks nothing until Run is called.
func New(c Config) (*Monitor, error) {
	if c.Keeper == nil || c.Messenger == nil || c.Looker == nil || c.AuditChannel == "" {
		return nil, errors.New("the monitor needs a Keeper, a Messenger, a Looker and an audit channel")
	}
	for name, b := range c.Clusters {
		if b.Channel == "" || b.Every <= 0 {
			return nil, fmt.Errorf("the monitoring of %s needs a channel and an interval between checks", name)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Times = c.Times.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Monitor{Config: c, wake: make(chan struct{}, 1)}, nil
}

// Wake signals that a watch began or ended. It never blocks.
func (l *Monitor) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run monitors until ctx ends, and then returns nil.
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
