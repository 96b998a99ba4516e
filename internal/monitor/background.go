package monitor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/pause"
	"dhbot/internal/publish"
	"dhbot/runbooks/catalogs"
)

// cluster is a monitored cluster.
type cluster struct {
	*Monitor
	Background
	rules incident.Rules
	state *incident.Cluster
	rev   int64
	// pending has the audit records that are not stored yet.
	pending []audit.Record
	dirty   bool
	shown   map[string]*string // by incident, what its message shows
	// handlings has the owner, mute and notes of each incident, by the incident's id.
	handlings map[string]incident.StoredHandling
	led       bool   // recently ended incidents were checked again
	said      string // the last logged problem
}

// background monitors a cluster until ctx ends.
func (l *Monitor) background(ctx context.Context, name string, b Background) {
	c := &cluster{Monitor: l, Background: b, rules: incident.DefaultRules(b.Quiet), shown: map[string]*string{}}
	for ; ctx.Err() == nil && !c.load(ctx, name); pause.For(ctx, retryPause) {
	}
	for ctx.Err() == nil {
		c.trouble(ctx, c.round(ctx))
		c.pauseAttending(ctx, c.wait())
	}
	if c.state != nil {
		c.markShown(ctx)
	}
}

// load reads the state that the previous leader stored. It returns false on an error.
func (c *cluster) load(ctx context.Context, name string) bool {
	state, rev, err := incident.KeptCluster(ctx, c.Keeper, name)
	if err != nil {
		c.trouble(ctx, err)
		return false
	}
	c.state = state
	c.rev = rev
	c.pending = nil
	c.dirty = false
	return true
}

// wait returns the time until the next check. The time is short if the last check found a problem
// that is not yet confirmed.
func (c *cluster) wait() time.Duration {
	if c.state.Memory.Unknown() {
		return min(c.Every, c.Times.Soon)
	}
	return c.Every
}

// round checks the cluster once and posts the changes.
func (c *cluster) round(ctx context.Context) error {
	look, cancel := context.WithTimeout(ctx, lookBudget)
	_, seen, err := c.Looker.Look(look, incident.Scope{Cluster: c.state.Cluster}, c.state.Memory.NotUp)
	cancel()
	if err != nil {
		return errors.Join(fmt.Errorf("checking %s: %w", c.state.Cluster, err), c.tellAll(ctx))
	}
	records := c.state.See(seen, c.Now(), c.rules, c.Channel)
	c.pending, c.dirty = append(c.pending, records...), c.dirty || len(records) > 0
	if c.dirty {
		if err := c.keep(ctx); err != nil {
			return err // only stored changes are posted
		}
	}
	if err := c.lookAgain(ctx); err != nil {
		c.trouble(ctx, fmt.Errorf("editing cards of %s again: %w", c.state.Cluster, err))
	}
	if _, err := c.attend(ctx); err != nil {
		c.trouble(ctx, fmt.Errorf("handling incidents of %s: %w", c.state.Cluster, err))
	}
	return c.tellAll(ctx)
}

// keep stores the state. If the store already has a newer state, keep loads it and returns an
// error. Another replica may have stored that state, or an earlier call of keep that returned an
// error although it succeeded.
func (c *cluster) keep(ctx context.Context) error {
	data, err := incident.Encode(c.state)
	if err != nil {
		return err
	}
	rev, err := c.Keeper.SetWatchState(ctx, incident.ClusterName(c.state.Cluster), data, c.rev, c.pending, "")
	switch {
	case errors.Is(err, engine.ErrConflict):
		c.load(ctx, c.state.Cluster)
		return err
	case err != nil:
		c.dirty = true
		return err
	}
	c.rev = rev
	c.pending = nil
	c.dirty = false
	return nil
}

// tellAll updates the message of every incident, and drops incidents whose end was posted.
func (c *cluster) tellAll(ctx context.Context) error {
	var errs []error
	for _, i := range append([]*incident.Incident(nil), c.state.Incidents...) {
		err := c.tellOne(ctx, i)
		if errors.Is(err, engine.ErrConflict) {
			return err // another replica has stored another state
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("posting %s: %w", i.ID, err))
			continue
		}
		if i.Ended != nil {
			if err := c.keepEnded(ctx, i); err != nil {
				return err
			}
			c.state.Drop(i.ID)
			delete(c.shown, i.ID)
			if err := c.noted(ctx, c.keep); err != nil {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

func (c *cluster) tellOne(ctx context.Context, i *incident.Incident) error {
	shown := c.shown[i.ID]
	if shown == nil {
		shown = new(string)
		c.shown[i.ID] = shown
	}
	find := func(id string) (catalogs.Process, bool) { return c.Looker.Process(c.state.Cluster, id) }
	h := c.handlings[i.ID]
	now := func() form {
		shows := incidentcard.Incident(*i, h.Handling, c.state.Cluster, find)
		if c.Channel != "" && c.Channel != i.Channel && i.Channel == c.AuditChannel {
			shows = incidentcard.Moved(shows, c.state.Cluster)
		}
		return form{card: shows, sign: card.PlainText(shows), final: true, muted: h.IsMuted(i.Worst(), c.Now())}
	}
	note := func(ch incident.Change, n int) card.Card { return incidentcard.Changed(ch, n, c.state.Cluster) }
	err := c.updatePost(ctx, &i.Message, now(), shown, note, c.keep)
	if err == nil {
		err = c.postUpdates(ctx, i)
	}
	switch {
	case errors.Is(err, publish.ErrGone) && i.Ended == nil:
		c.Logger.WarnContext(ctx, "the message of an incident is gone; posting it again", "incident", i.ID)
		i.TS, i.Begun = "", false
		return c.updatePost(ctx, &i.Message, now(), shown, note, c.keep)
	case errors.Is(err, publish.ErrNoPlace) && i.Channel != c.AuditChannel:
		c.Logger.WarnContext(ctx, "the channel of an incident accepts no messages; posting in the audit channel", "incident", i.ID, "channel", i.Channel, "err", err)
		i.Channel, i.Thread, i.TS, i.Begun = c.AuditChannel, "", "", false
		return c.updatePost(ctx, &i.Message, now(), shown, note, c.keep)
	case permanent(err) && i.Ended != nil:
		c.Logger.ErrorContext(ctx, "the end of an incident cannot be posted", "incident", i.ID, "channel", i.Channel, "err", err)
		return nil
	default:
		return err
	}
}

// trouble logs a problem, but only once while it stays the same.
func (c *cluster) trouble(ctx context.Context, err error) {
	now := ""
	if err != nil {
		now = err.Error()
	}
	if now != c.said && now != "" && ctx.Err() == nil {
		c.Logger.WarnContext(ctx, "the background monitoring of a cluster has a problem", "err", err)
	}
	c.said = now
}

// giveUp ends the incidents of clusters that are no longer monitored.
func (l *Monitor) giveUp(ctx context.Context) {
	for ; ctx.Err() == nil; pause.For(ctx, retryPause) {
		var left []string
		err := l.Keeper.WatchState(ctx, incident.ClusterName(""), func(name string, _ []byte, _ int64) error {
			name = strings.TrimPrefix(name, incident.ClusterName(""))
			if _, watched := l.Clusters[name]; !watched {
				left = append(left, name)
			}
			return nil
		})
		if err != nil {
			continue
		}
		for _, name := range left {
			c := &cluster{Monitor: l, shown: map[string]*string{}}
			if c.load(ctx, name) {
				err = errors.Join(err, c.close(ctx))
			}
		}
		if err == nil {
			return
		}
		l.Logger.WarnContext(ctx, "incidents of a cluster that is no longer monitored could not be closed; retrying", "err", err)
	}
}

// close ends the open incidents, posts their end, and deletes the cluster's state.
func (c *cluster) close(ctx context.Context) error {
	c.pending = c.state.GiveUp(c.Now(), "the cluster is no longer monitored")
	if err := c.keep(ctx); err != nil {
		return err
	}
	if err := c.tellAll(ctx); err != nil {
		return err
	}
	if _, err := c.attend(ctx); err != nil { // the next leader deletes the rest
		return err
	}
	if err := c.lookAgain(ctx); err != nil {
		return err
	}
	_, err := c.Keeper.SetWatchState(ctx, incident.ClusterName(c.state.Cluster), nil, c.rev, nil, "")
	return err
}
