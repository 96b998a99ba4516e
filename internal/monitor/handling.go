package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/pause"
	"dhbot/internal/refusal"
)

// attend reads the owners, mutes and notes of the open incidents. It ends mutes whose time is over
// or whose incident has another level, and releases incidents whose owner has lost the role. The
// result changed is true if a message must be updated.
func (c *cluster) attend(ctx context.Context) (changed bool, err error) {
	list, err := incident.Handlings(ctx, c.Keeper, c.state.Cluster)
	if err != nil {
		return false, err
	}
	now := map[string]incident.StoredHandling{}
	for _, i := range c.state.Incidents {
		h := incident.HandlingOf(list, c.state.Cluster, *i)
		if err := c.settle(ctx, i, &h); err != nil {
			return false, err
		}
		changed = changed || h.Rev != c.handlings[i.ID].Rev
		now[i.ID] = h
	}
	c.handlings = now
	for id, h := range list {
		if _, open := now[id]; !open {
			name := (&incident.Handling{Cluster: c.state.Cluster, ID: id}).Name()
			if _, err := c.Keeper.SetWatchState(ctx, name, nil, h.Rev, nil, ""); err != nil && !errors.Is(err, engine.ErrConflict) {
				return changed, err
			}
		}
	}
	return changed, nil
}

// settle makes the due changes to one incident: it ends a mute, or releases the incident of a
// former operator. Changes by people take precedence.
func (c *cluster) settle(ctx context.Context, i *incident.Incident, h *incident.StoredHandling) error {
	if i.Ended != nil {
		return nil
	}
	var records []audit.Record
	did := func(r audit.Record, err error) {
		if err == nil {
			r.Severity = i.Worst().String()
			records = append(records, r)
		}
	}
	if why := h.MuteOver(i.Worst(), c.Now()); why != "" {
		did(h.Unmute("", c.Now(), why))
	}
	if o := h.Owner; o != nil {
		var no *refusal.Error
		if err := c.Looker.MayOwn(ctx, c.state.Cluster, *o); errors.As(err, &no) && no.Code != auth.LookupFailed {
			did(h.Release("", c.Now(), o.Person+" is no longer allowed to own it"))
		}
	}
	if len(records) == 0 {
		return nil
	}
	err := c.keepHandling(ctx, h, records)
	if errors.Is(err, engine.ErrConflict) {
		return nil // handled by the next check
	}
	return err
}

func (c *cluster) keepHandling(ctx context.Context, h *incident.StoredHandling, records []audit.Record) error {
	data, err := incident.Encode(&h.Handling)
	if err != nil {
		return err
	}
	rev, err := c.Keeper.SetWatchState(ctx, h.Name(), data, h.Rev, records, "")
	if err == nil {
		h.Rev = rev
	}
	return err
}

// pauseAttending waits until the next check is due. While it waits, it shows changes that people
// make.
func (c *cluster) pauseAttending(ctx context.Context, d time.Duration) {
	for end := time.Now().Add(d); ctx.Err() == nil && time.Until(end) > 0; {
		pause.For(ctx, min(time.Until(end), c.Times.Relist))
		if ctx.Err() != nil || len(c.state.Incidents) == 0 {
			continue
		}
		changed, err := c.attend(ctx)
		if err == nil && changed {
			err = c.tellAll(ctx)
		}
		if err != nil {
			c.trouble(ctx, fmt.Errorf("handling incidents of %s: %w", c.state.Cluster, err))
		}
	}
}

// updateTries is how often the bot tries to store that an update was posted. A try fails if a
// person changes the incident at the same moment.
const updateTries = 5

// postUpdates posts, in the incident's thread, what people have changed. Each change has a
// number and is posted at least once.
func (c *cluster) postUpdates(ctx context.Context, i *incident.Incident) error {
	h := c.handlings[i.ID]
	at := engine.Place{Channel: i.Channel, Thread: cmp.Or(i.Thread, i.TS)}
	for u, n, more := h.NextUpdate(); more; u, n, more = h.NextUpdate() {
		if _, err := c.Messenger.Post(ctx, at, incidentcard.HandlingUpdate(u, i.ID, n)); err != nil {
			return err
		}
		if err := c.noted(ctx, func(ctx context.Context) error { return c.updatePosted(ctx, i, &h, n) }); err != nil {
			return err
		}
		c.handlings[i.ID] = h
	}
	return nil
}

func (c *cluster) updatePosted(ctx context.Context, i *incident.Incident, h *incident.StoredHandling, n int) error {
	for range updateTries {
		h.Updates = slices.Clone(h.Updates)
		h.UpdatePosted(n)
		err := c.keepHandling(ctx, h, nil)
		if !errors.Is(err, engine.ErrConflict) {
			return err
		}
		list, err := incident.Handlings(ctx, c.Keeper, c.state.Cluster)
		if err != nil {
			return err
		}
		*h = incident.HandlingOf(list, c.state.Cluster, *i)
	}
	return engine.ErrConflict
}
