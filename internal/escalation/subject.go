package escalation

import (
	"context"
	"fmt"
	"time"

	"dhbot/internal/card/incidentcard"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/runbooks"
)

// subject is an open incident or request.
type subject struct {
	key      string // identifies one incident or run, never reused
	id       string
	cluster  string
	since    time.Time // when it began to wait
	waits    bool      // whether it has no owner or no decision yet
	posted   bool      // for an incident, whether Slack shows its message, below which people are mentioned
	summary  string
	severity runbooks.Severity
	place    engine.Place
	call     incidentcard.Escalation
}

// due reports whether the subject still waits, and has waited long enough for a stage. It is false
// for a stage that the policy does not configure.
func (s subject) due(p Policy, name stage, now time.Time) bool {
	if !s.waits {
		return false
	}
	waited := now.Sub(s.since)
	if name == page {
		return p.Page != nil && waited >= p.Page.After
	}
	return s.posted && waited >= p.After && (len(p.Callees) > 0 || p.Group != "")
}

// subjects returns the open incidents of a cluster, and its requests that wait for approval. It
// leaves out requests of Sev 2 and 3.
func (e *Escalator) subjects(ctx context.Context, cluster string, p Policy, open []engine.Stored) ([]subject, error) {
	kept, _, err := incident.KeptCluster(ctx, e.Keeper, cluster)
	if err != nil {
		return nil, err
	}
	handlings, err := incident.Handlings(ctx, e.Keeper, cluster)
	if err != nil {
		return nil, err
	}
	var out []subject
	for _, i := range kept.Incidents {
		if i.Ended == nil {
			h := incident.HandlingOf(handlings, cluster, *i)
			out = append(out, e.ofIncident(cluster, p, *i, h.Handling))
		}
	}
	for _, st := range open {
		r := st.Run
		if r.Plan.Cluster != cluster || r.State != engine.Waiting || r.Plan.Severity.Minor() {
			continue
		}
		s, err := e.ofRun(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (e *Escalator) ofIncident(cluster string, p Policy, i incident.Incident, h incident.Handling) subject {
	s := subject{
		key:     fmt.Sprintf("%s@%d", i.ID, i.Opened.UnixMilli()),
		id:      i.ID,
		cluster: cluster,
		place:   engine.Place{Channel: i.Channel, Thread: i.TS},
		posted:  i.TS != "",
		summary: incidentcard.IncidentSummary(i, cluster),
	}
	s.severity = runbooks.None
	for _, it := range i.Open() {
		level := worstLevel(it)
		if level.Worse(s.severity) {
			s.severity = level
		}
		if !p.Level.Worse(level) && (s.since.IsZero() || it.Since.Before(s.since)) {
			s.since = it.Since
		}
	}
	s.waits = !s.since.IsZero() && h.Owner == nil && !h.IsMuted(i.Worst(), e.Now())
	s.call = incidentcard.Escalation{Incident: i.ID, What: s.summary, Since: s.since}
	return s
}

// worstLevel returns the level of an item. If the level is unknown, it returns the worst possible
// level.
func worstLevel(it incident.Item) runbooks.Severity {
	switch {
	case it.To != runbooks.Unknown:
		return it.To
	case it.WorstCase != runbooks.Unknown:
		return it.WorstCase
	default:
		return runbooks.Critical
	}
}

func (e *Escalator) ofRun(ctx context.Context, r engine.Run) (subject, error) {
	post, ok, err := e.Posts.Post(ctx, r.ID)
	if err != nil {
		return subject{}, err
	}
	s := subject{
		key: r.ID, id: r.ID, cluster: r.Plan.Cluster, since: r.RequestedAt, waits: len(r.Votes) == 0, severity: r.Plan.Severity,
		place:   engine.Place{Channel: e.AuditChannel},
		posted:  true,
		summary: incidentcard.RunSummary(r),
	}
	if ok && post.TS != "" {
		s.place = engine.Place{Channel: post.Channel, Thread: post.TS}
		if post.Channel == r.Place.Channel && r.Place.Thread != "" {
			s.place.Thread = r.Place.Thread
		}
	}
	s.call = incidentcard.Escalation{Run: r.ID, Target: runcard.Target(r), What: s.summary, Since: s.since}
	return s, nil
}
