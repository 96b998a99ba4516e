package lookout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/poster"
	"dhbot/internal/watch"
	"dhbot/runbooks"
)

// cluster is a cluster under watch.
type cluster struct {
	*Lookout
	Background
	rules watch.Rules
	state *watch.Cluster
	rev   int64
	// owed are records of changes that are not stored yet.
	owed  []audit.Record
	dirty bool
	shown map[string]*string // by incident, what its message shows
	said  string             // the last trouble that was logged
}

// background watches a cluster until ctx ends.
func (l *Lookout) background(ctx context.Context, name string, b Background) {
	c := &cluster{Lookout: l, Background: b, rules: watch.DefaultRules(), shown: map[string]*string{}}
	c.rules.Quiet = b.Quiet
	for ; ctx.Err() == nil && !c.load(ctx, name); pause(ctx, again, nil) {
	}
	for ctx.Err() == nil {
		c.trouble(ctx, c.round(ctx))
		pause(ctx, c.wait(), nil)
	}
}

// load reads what the leader before has left.
func (c *cluster) load(ctx context.Context, name string) bool {
	state, rev, err := watch.KeptCluster(ctx, c.Keeper, name)
	if err != nil {
		c.trouble(ctx, err)
		return false
	}
	c.state, c.rev, c.owed, c.dirty = state, rev, nil, false
	return true
}

// wait is the time to the next look: what is not sure yet is looked at again
// soon.
func (c *cluster) wait() time.Duration {
	if c.state.Memory.Unsure() {
		return min(c.Every, soon)
	}
	return c.Every
}

// round looks once and tells what has changed.
func (c *cluster) round(ctx context.Context) error {
	look, cancel := context.WithTimeout(ctx, lookBudget)
	_, seen, err := c.Looker.Look(look, watch.Scope{Cluster: c.state.Cluster}, c.state.Memory.NotUp)
	cancel()
	if err != nil {
		return errors.Join(fmt.Errorf("looking at %s: %w", c.state.Cluster, err), c.tellAll(ctx))
	}
	records := c.state.See(seen, c.Now(), c.rules, c.Channel)
	c.owed, c.dirty = append(c.owed, records...), c.dirty || len(records) > 0
	if c.dirty {
		if err := c.keep(ctx); err != nil {
			return err // told only what is stored
		}
	}
	return c.tellAll(ctx)
}

// keep stores the state. Where somebody else has stored another, or this one
// got there by a call that seemed to fail, that one counts.
func (c *cluster) keep(ctx context.Context) error {
	data, err := watch.Encode(c.state)
	if err != nil {
		return err
	}
	rev, err := c.Keeper.Keep(ctx, watch.ClusterName(c.state.Cluster), data, c.rev, c.owed, "")
	switch {
	case errors.Is(err, engine.ErrConflict):
		c.load(ctx, c.state.Cluster)
		return err
	case err != nil:
		c.dirty = true
		return err
	}
	c.rev, c.owed, c.dirty = rev, nil, false
	return nil
}

// tellAll brings the message of every incident up to date, and forgets those
// whose end was told.
func (c *cluster) tellAll(ctx context.Context) error {
	var errs []error
	for _, i := range append([]*watch.Incident(nil), c.state.Incidents...) {
		err := c.tellOne(ctx, i)
		if errors.Is(err, engine.ErrConflict) {
			return err // it is another state now
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("telling of %s: %w", i.ID, err))
			continue
		}
		if i.Ended != nil {
			c.state.Drop(i.ID)
			delete(c.shown, i.ID)
			if err := c.noted(ctx, c.keep); err != nil {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

func (c *cluster) tellOne(ctx context.Context, i *watch.Incident) error {
	shown := c.shown[i.ID]
	if shown == nil {
		shown = new(string)
		c.shown[i.ID] = shown
	}
	find := func(id string) (runbooks.Process, bool) { return c.Looker.Process(c.state.Cluster, id) }
	now := card.Incident(*i, c.state.Cluster, find)
	f := form{card: now, sign: card.PlainText(now), final: true}
	note := func(ch watch.Change, n int) card.Card { return card.Changed(ch, n, c.state.Cluster) }
	err := c.tell(ctx, &i.Message, f, shown, note, c.keep)
	switch {
	case errors.Is(err, poster.ErrGone) && i.Ended == nil:
		c.Logger.Warn("the message of an incident is gone; posting it anew", "incident", i.ID)
		i.TS, i.Begun = "", false
		return c.tell(ctx, &i.Message, f, shown, note, c.keep)
	case hopeless(err) && i.Ended != nil:
		c.Logger.Error("the end of an incident cannot be told", "incident", i.ID, "channel", i.Channel, "err", err)
		return nil
	default:
		return err
	}
}

// trouble says in the log what is wrong, once each time that changes.
func (c *cluster) trouble(ctx context.Context, err error) {
	now := ""
	if err != nil {
		now = err.Error()
	}
	if now != c.said && now != "" && ctx.Err() == nil {
		c.Logger.Warn("the background watch of a cluster is in trouble", "err", err)
	}
	c.said = now
}

// giveUp closes what is left of clusters that are not watched any more.
func (l *Lookout) giveUp(ctx context.Context) {
	for ; ctx.Err() == nil; pause(ctx, again, nil) {
		var left []string
		err := l.Keeper.Kept(ctx, watch.ClusterName(""), func(name string, _ []byte, _ int64) error {
			name = strings.TrimPrefix(name, watch.ClusterName(""))
			if _, watched := l.Clusters[name]; !watched {
				left = append(left, name)
			}
			return nil
		})
		if err != nil {
			continue
		}
		for _, name := range left {
			c := &cluster{Lookout: l, shown: map[string]*string{}}
			if c.load(ctx, name) {
				err = errors.Join(err, c.close(ctx))
			}
		}
		if err == nil {
			return
		}
		l.Logger.Warn("incidents of a cluster that is not watched any more are not closed; trying again", "err", err)
	}
}

// close gives up what is open, tells so, and forgets the cluster.
func (c *cluster) close(ctx context.Context) error {
	c.owed = c.state.GiveUp(c.Now(), "the cluster is not watched any more")
	if err := c.keep(ctx); err != nil {
		return err
	}
	if err := c.tellAll(ctx); err != nil {
		return err
	}
	_, err := c.Keeper.Keep(ctx, watch.ClusterName(c.state.Cluster), nil, c.rev, nil, "")
	return err
}
