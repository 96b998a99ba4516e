package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dhbot/internal/card/incidentcard"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
)

// A suspended replica may, when it resumes, overwrite the final card of an incident with an old
// edit, because Slack's chat.update has no condition. So a replica that stops leading marks the
// cards that it edited, and the new leader edits the marked cards once more. For this purpose the
// leader keeps ended incidents for a while. A new leader edits the cards of all ended incidents
// that are kept, marked or not.

// lastWord is an incident whose end was posted, and the time of that post.
type lastWord struct {
	V        int               `json:"v"`
	Incident incident.Incident `json:"incident"`
	At       time.Time         `json:"at"`
	rev      int64
}

const (
	lastWordForm = 1
	endedNames   = "ended/"
	markNames    = "overtaken/"
	// keptEnded is how long ended incidents are kept, in case a replica resumes and overwrites a card.
	keptEnded = 30 * time.Minute
)

func endedName(cluster, id string) string { return endedNames + cluster + "/" + id }
func markName(cluster, id string) string  { return markNames + cluster + "/" + id }

// keepEnded stores an incident whose end was posted.
func (c *cluster) keepEnded(ctx context.Context, i *incident.Incident) error {
	if c.Every == 0 {
		return nil // no longer monitored
	}
	data, err := json.Marshal(lastWord{V: lastWordForm, Incident: *i, At: c.Now()})
	if err != nil {
		return err
	}
	_, err = c.Keeper.SetWatchState(ctx, endedName(c.state.Cluster, i.ID), data, 0, nil, "")
	if errors.Is(err, engine.ErrConflict) {
		return nil
	}
	return err
}

// markShown is for a replica that stops leading. It marks every card that the replica has
// edited, because the edit may have overwritten a newer form.
func (c *cluster) markShown(ctx context.Context) {
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	for id := range c.shown {
		_, err := c.Keeper.SetWatchState(note, markName(c.state.Cluster, id), []byte(`{"v":1}`), 0, nil, "")
		if err != nil && !errors.Is(err, engine.ErrConflict) {
			c.Logger.WarnContext(ctx, "the card of an incident may be out of date, and a new edit could not be scheduled", "incident", id, "err", err)
		}
	}
}

// lookAgain edits every card that may be outdated once more. These are the marked cards. When
// this replica begins to lead, they are also the cards of all recently ended incidents.
func (c *cluster) lookAgain(ctx context.Context) error {
	marks := map[string]int64{}
	prefix := markName(c.state.Cluster, "")
	err := c.Keeper.WatchState(ctx, prefix, func(name string, _ []byte, rev int64) error {
		marks[strings.TrimPrefix(name, prefix)] = rev
		return nil
	})
	if err != nil {
		return err
	}
	var ended []lastWord
	err = c.Keeper.WatchState(ctx, endedName(c.state.Cluster, ""), func(name string, data []byte, rev int64) error {
		w := lastWord{rev: rev}
		if data == nil || json.Unmarshal(data, &w) != nil || w.V != lastWordForm {
			return fmt.Errorf("%s cannot be read", name)
		}
		ended = append(ended, w)
		return nil
	})
	if err != nil {
		return err
	}
	for id := range marks {
		delete(c.shown, id) // an open incident is edited with the others
	}
	for _, w := range ended {
		_, marked := marks[w.Incident.ID]
		if marked || !c.led {
			last := incidentcard.Incident(w.Incident, incident.Handling{}, c.state.Cluster, nil)
			err := c.Messenger.Edit(ctx, w.Incident.Channel, w.Incident.TS, last, true)
			if err != nil && !permanent(err) {
				return err
			}
		}
		if c.Every == 0 || c.Now().Sub(w.At) > keptEnded { // or no longer monitored
			if err := c.forget(ctx, endedName(c.state.Cluster, w.Incident.ID), w.rev); err != nil {
				return err
			}
		}
	}
	c.led = true
	for id, rev := range marks {
		if err := c.forget(ctx, markName(c.state.Cluster, id), rev); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) forget(ctx context.Context, name string, rev int64) error {
	_, err := c.Keeper.SetWatchState(ctx, name, nil, rev, nil, "")
	if errors.Is(err, engine.ErrConflict) {
		return nil
	}
	return err
}
