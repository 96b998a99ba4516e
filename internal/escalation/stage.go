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
	"dhbot/internal/publish"
)

// stage is a part of an escalation, named after its recipient.
type stage string

const (
	people stage = "people"
	page   stage = "page"
)

// formVersion is the version of the JSON form in which a stage is stored.
const formVersion = 1

// stored is a stage that has begun.
type stored struct {
	V     int       `json:"v"`
	Key   string    `json:"key"`
	ID    string    `json:"id"`
	Stage stage     `json:"stage"`
	At    time.Time `json:"at"`
	By    string    `json:"by"` // the replica
	// Outcome is "" until it is known.
	Outcome string       `json:"outcome,omitempty"`
	Place   engine.Place `json:"place"`
	Began   time.Time    `json:"began"`
	Summary string       `json:"summary"`
	// Severity is the severity of the alert, a name of PagerDuty's. "" means critical. The end of
	// an alert must have the same severity as the alert, because Alertmanager identifies alerts by
	// their labels.
	Severity string `json:"severity,omitempty"`
	rev      int64
}

// The outcomes of a stage.
const (
	sent      = "sent"
	failed    = "failed"
	unsure    = "may not have been sent"
	resolving = "resolving" // the subject is over, and the pager is being told
)

const prefix = "escalation/"

func stageName(cluster, key string, s stage) string {
	return prefix + cluster + "/" + key + "/" + string(s)
}

// stages returns the stages of a cluster that have begun, by name. If the bot did not write a
// stored value, only the revision is set.
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

// set stores a stage and the records, if the stored stage still has revision rev. It returns the
// new revision.
func (e *Escalator) set(ctx context.Context, name string, s stored, rev int64, records ...audit.Record) (int64, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return 0, err
	}
	return e.Keeper.SetWatchState(ctx, name, data, rev, records, "")
}

func (e *Escalator) record(cluster string, s stored, outcome, text string) audit.Record {
	return audit.Record{
		At: e.Now(), Kind: audit.Note, Replica: e.Replica, Cluster: cluster, Action: "escalation", Target: s.ID,
		Outcome: string(s.Stage) + ": " + outcome, Text: text,
	}
}

// repeatAfter is the shortest time after which a mention is repeated that failed or whose outcome is
// unknown. The end of an alert is repeated after this time if its outcome is unknown.
const repeatAfter = time.Minute

// repeats reports whether a mention is posted again. The time between two mentions grows with the
// time that people have waited, so that a channel that no longer exists does not fill the trail. An
// alert is never repeated: it would wake people twice.
func (e *Escalator) repeats(name string, st stored) bool {
	if st.Stage != people || st.Outcome != failed && !e.isLeft(name, st) {
		return false
	}
	return e.Now().Sub(st.At) >= max(repeatAfter, st.At.Sub(st.Began)/5)
}

// isLeft reports whether a stage has no outcome and this replica is not running it. Another replica
// began it, and has probably stopped, so callers wait for some time before they act.
func (e *Escalator) isLeft(name string, st stored) bool {
	return st.Outcome == "" && !e.isSending(name)
}

// carryOut claims a stage, so that no other replica begins it, and then runs it. last is the
// earlier attempt, which failed or has an unknown outcome; last.V is 0 if there is none.
func (e *Escalator) carryOut(ctx context.Context, p Policy, s subject, name stage, last stored) error {
	st := stored{
		V: formVersion, Key: s.key, ID: s.id, Stage: name, At: e.Now(), By: e.Replica, Place: s.place, Began: s.since, Summary: s.summary,
	}
	if level := pagerLevel(s.severity); name == page && level != critical {
		st.Severity = level
	}
	begun := "begun"
	if s.call.Again = last.V != 0; s.call.Again {
		begun = "begun again"
	}
	key := stageName(s.cluster, s.key, name)
	rev, err := e.set(ctx, key, st, last.rev, e.record(s.cluster, st, begun, s.summary))
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

// runStage mentions people or alerts the pager, and stores the outcome. It also posts the outcome
// of an alert. If ctx ends first, the outcome remains unknown. The next leader then repeats a
// mention, but does not repeat an alert, and only reports that it may be missing.
func (e *Escalator) runStage(ctx context.Context, p Policy, s subject, name string, st stored) {
	s.call.Waited = e.Now().Sub(s.since)
	var err error
	if st.Stage == page {
		a := alertOf(s.cluster, st)
		a.Link = e.link(ctx, s)
		err = p.Page.Pager.Trigger(ctx, a)
	} else {
		s.call.Group = p.Group
		s.call.Callees = p.Callees
		err = e.post(ctx, s.place, card.WithAbsent(incidentcard.Escalated(s.call), e.Absent(ctx, p.Callees)))
	}
	text := ""
	st.Outcome = sent
	if err != nil {
		e.Logger.ErrorContext(ctx, "could not escalate", "about", s.id, "stage", st.Stage, "err", err)
		if ctx.Err() != nil {
			return
		}
		st.Outcome, text = failed, err.Error()
	}
	if st.Stage == page {
		e.report(ctx, st, incidentcard.Paged(s.call, p.Page.Name, err))
	}
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	if _, err := e.set(note, name, st, st.rev, e.record(s.cluster, st, st.Outcome, text)); err != nil {
		e.Logger.ErrorContext(ctx, "the outcome of an escalation is not recorded", "about", s.id, "err", err)
	}
}

// report posts what happened to an alert.
func (e *Escalator) report(ctx context.Context, st stored, c card.Card) {
	if err := e.post(ctx, st.Place, c); err != nil {
		e.Logger.ErrorContext(ctx, "the outcome of a page is not posted", "about", st.ID, "err", err)
	}
}

// post posts a message, or posts it in the audit channel if its channel accepts no messages, for
// example because the channel is archived.
func (e *Escalator) post(ctx context.Context, at engine.Place, c card.Card) error {
	_, err := e.Messenger.Post(ctx, at, c)
	if errors.Is(err, publish.ErrNoPlace) && at.Channel != e.AuditChannel {
		e.Logger.WarnContext(ctx, "a channel accepts no messages; posting in the audit channel", "channel", at.Channel, "err", err)
		_, err = e.Messenger.Post(ctx, engine.Place{Channel: e.AuditChannel}, c)
	}
	return err
}

// removeStage deletes a stage whose incident or request is over. If the stage may have sent an
// alert, removeStage resolves it first.
func (e *Escalator) removeStage(ctx context.Context, p Policy, name string, st stored) error {
	if e.isSending(name) {
		return nil
	}
	if st.Stage != page || st.Outcome == failed || p.Page == nil {
		return e.forget(ctx, name, st, nil)
	}
	if st.Outcome == resolving && e.Now().Sub(st.At) < repeatAfter {
		return nil // another leader began it
	}
	st.Outcome, st.At, st.By = resolving, e.Now(), e.Replica
	rev, err := e.set(ctx, name, st, st.rev)
	if errors.Is(err, engine.ErrConflict) {
		return nil
	}
	if err != nil {
		return err
	}
	e.setSending(name, true)
	st.rev = rev
	e.work.Go(func() {
		defer e.setSending(name, false)
		e.resolve(ctx, p, name, st)
	})
	return nil
}

// resolve resolves an alert and deletes its stage. If ctx ends first, the next leader resolves the
// alert again. The pager ignores the end of an alert that is already resolved.
func (e *Escalator) resolve(ctx context.Context, p Policy, name string, st stored) {
	cluster := clusterOf(name)
	r := e.record(cluster, st, "resolved", "")
	if err := p.Page.Pager.Resolve(ctx, alertOf(cluster, st)); err != nil {
		e.Logger.ErrorContext(ctx, "a page could not be resolved", "about", st.ID, "err", err)
		if ctx.Err() != nil {
			return
		}
		r = e.record(cluster, st, "not resolved", err.Error())
		e.report(ctx, st, incidentcard.PageNotResolved(st.ID, p.Page.Name, err))
	}
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteBudget)
	defer cancel()
	if err := e.forget(note, name, st, []audit.Record{r}); err != nil {
		e.Logger.ErrorContext(ctx, "the end of a page is not recorded", "about", st.ID, "err", err)
	}
}

// forget deletes a stage from the store and adds the records to the trail. If another replica
// changed the stage, it does nothing.
func (e *Escalator) forget(ctx context.Context, name string, st stored, records []audit.Record) error {
	_, err := e.Keeper.SetWatchState(ctx, name, nil, st.rev, records, "")
	if errors.Is(err, engine.ErrConflict) {
		return nil
	}
	return err
}

// reportUnsure posts that an alert may not have been sent, because its outcome is unknown. It does
// not send the alert again.
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
	return e.post(ctx, st.Place, incidentcard.PageUnsure(st.ID, st.Summary))
}

// doubtAfter is the time after which an alert without an outcome is reported. It is longer than the
// pager retries.
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
