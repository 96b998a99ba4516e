package escalation

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/pager"
)

// stage is a part of an escalation, named after its recipient.
type stage string

const (
	people stage = "people"
	page   stage = "page"
)

// formVersion is the version of the stored form of a stage.
const formVersion = 1

// stored is a stage that has begun.
type stored struct {
	V     int       `json:"v"`
	Key   string    `json:"key"`
	ID    string    `json:"id"`
	Stage stage     `json:"stage"`
	At    time.Time `json:"at"`
	By    string    `json:"by"` // the replica
	// Outcome is "" until the outcome of the stage is known.
	Outcome string       `json:"outcome,omitempty"`
	Place   engine.Place `json:"place"`
	Began   time.Time    `json:"began"`
	Summary string       `json:"summary"`
	rev     int64
}

// The outcomes of a stage.
const (
	sent   = "sent"
	failed = "failed"
	unsure = "may not have been sent"
)

const prefix = "escalation/"

func stageName(cluster, key string, s stage) string {
	return prefix + cluster + "/" + key + "/" + string(s)
}

// stages are the stages of a cluster that have begun, by name. For a value that the bot did not
// store, only the revision is set.
func stages(ctx context.Context, k incident.Keeper, cluster string) (map[string]stored, error) {
	out := map[string]stored{}
	err := k.WatchState(ctx, prefix+cluster+"/", func(name string, data []byte, rev int64) error {
		s := stored{rev: rev}
		if data == nil {
			out[name] = s
			return nil
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil || s.V != formVersion {
			return fmt.Errorf("%w: %s", incident.ErrNewerForm, name)
		}
		out[name] = s
		return nil
	})
	return out, err
}

// set replaces the stage at revision rev, and stores the record.
func (e *Escalator) set(ctx context.Context, name string, s stored, rev int64, r audit.Record) (int64, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return 0, err
	}
	return e.Keeper.SetWatchState(ctx, name, data, rev, []audit.Record{r}, "")
}

func (e *Escalator) record(cluster string, s stored, outcome, text string) audit.Record {
	return audit.Record{
		At: e.Now(), Kind: audit.Note, Replica: e.Replica, Cluster: cluster, Action: "escalation", Target: s.ID,
		Outcome: string(s.Stage) + ": " + outcome, Text: text,
	}
}

// carryOut claims a stage, so that no replica begins it again, and then runs it.
func (e *Escalator) carryOut(ctx context.Context, p Policy, s subject, name stage, rev int64) error {
	st := stored{
		V: formVersion, Key: s.key, ID: s.id, Stage: name, At: e.Now(), By: e.Replica, Place: s.place, Began: s.since, Summary: s.summary,
	}
	key := stageName(s.cluster, s.key, name)
	rev, err := e.set(ctx, key, st, rev, e.record(s.cluster, st, "begun", s.summary))
	if errors.Is(err, engine.ErrConflict) {
		return nil // another leader was first
	}
	if err != nil {
		return err
	}
	e.setSending(key, true)
	st.rev = rev
	e.work.Go(func() {
		defer e.setSending(key, false)
		e.runStage(ctx, p, s, key, st)
	})
	return nil
}

// noteBudget limits the time for storing the outcome of a stage.
const noteBudget = 10 * time.Second

// runStage mentions people or alerts the pager, and stores the outcome. It posts the outcome of a
// page.
func (e *Escalator) runStage(ctx context.Context, p Policy, s subject, name string, st stored) {
	s.call.Waited = e.Now().Sub(s.since)
	var err error
	if st.Stage == page {
		err = p.Page.Pager.Trigger(ctx, e.alert(ctx, s))
		e.postPaged(ctx, s, incidentcard.Paged(s.call, p.Page.Name, err))
	} else {
		s.call.Group = p.Group
		s.call.Callees = p.Callees
		_, err = e.Messenger.Post(ctx, s.place, card.WithAbsent(incidentcard.Escalated(s.call), e.Absent(ctx, p.Callees)))
	}
	text := ""
	st.Outcome = sent
	if err != nil {
		st.Outcome, text = failed, err.Error()
		e.Logger.ErrorContext(ctx, "could not escalate", "about", s.id, "stage", st.Stage, "err", err)
	}
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	if _, err := e.set(note, name, st, st.rev, e.record(s.cluster, st, st.Outcome, text)); err != nil {
		e.Logger.ErrorContext(ctx, "the outcome of an escalation is not recorded", "about", s.id, "err", err)
	}
}

// postPaged posts the outcome of a page.
func (e *Escalator) postPaged(ctx context.Context, s subject, c card.Card) {
	if _, err := e.Messenger.Post(ctx, s.place, c); err != nil {
		e.Logger.ErrorContext(ctx, "the outcome of an escalation is not posted", "about", s.id, "err", err)
	}
}

// removeStage deletes a stage whose subject is over, and resolves the alert unless it failed.
func (e *Escalator) removeStage(ctx context.Context, p Policy, name string, st stored) error {
	if e.isSending(name) {
		return nil
	}
	cluster := clusterOf(name)
	resolves := st.Stage == page && st.Outcome != failed && p.Page != nil
	var records []audit.Record
	if resolves {
		records = append(records, e.record(cluster, st, "resolved", ""))
	}
	if _, err := e.Keeper.SetWatchState(ctx, name, nil, st.rev, records, ""); err != nil || !resolves {
		if errors.Is(err, engine.ErrConflict) {
			return nil
		}
		return err
	}
	e.work.Go(func() {
		a := pager.Alert{Key: cluster + "/" + st.Key, Cluster: cluster, About: st.ID, Summary: st.Summary, Severity: "critical", Began: st.Began}
		if err := p.Page.Pager.Resolve(ctx, a); err != nil {
			e.Logger.ErrorContext(ctx, "a page could not be resolved", "about", st.ID, "err", err)
		}
	})
	return nil
}

// reportUnsure posts that an alert with an unknown outcome may not have been sent. It does not send
// the alert again.
func (e *Escalator) reportUnsure(ctx context.Context, name string, st stored) error {
	if e.Now().Sub(st.At) < doubtAfter {
		return nil
	}
	st.Outcome = unsure
	_, err := e.set(ctx, name, st, st.rev, e.record(clusterOf(name), st, unsure, cmp.Or(st.By, "a replica")+" stopped meanwhile"))
	if errors.Is(err, engine.ErrConflict) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = e.Messenger.Post(ctx, st.Place, incidentcard.PageUnsure(st.ID, st.Summary))
	return err
}

// doubtAfter is longer than the pager's retries.
const doubtAfter = 3 * time.Minute

func clusterOf(name string) string {
	cluster, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "/")
	return cluster
}

func (e *Escalator) setSending(name string, sending bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if sending {
		e.sending[name] = true
		return
	}
	delete(e.sending, name)
}

func (e *Escalator) isSending(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sending[name]
}
