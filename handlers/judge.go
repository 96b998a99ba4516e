package handlers

import (
	"context"

	"dhbot/internal/card"
	"dhbot/internal/fleet"
	"dhbot/internal/probe"
	"dhbot/runbooks"
)

// facts are what the store knows that decides what a status means: what open
// runs have in hand, and what people work on.
type facts struct {
	runs        map[runbooks.Target]string // run ids
	maintenance []fleet.Maintenance        // not over yet
	err         error                      // the store does not answer
}

func (s *Service) facts(ctx context.Context) facts {
	open, announced, err := s.Windows.InHand(ctx)
	out := facts{runs: map[runbooks.Target]string{}, maintenance: s.notOver(announced), err: err}
	for _, o := range open {
		for _, t := range o.Run.Plan.Targets {
			out.runs[t] = o.Run.ID
		}
	}
	return out
}

// mark notes on a board what the store knows. A store that does not answer
// will not take the read's record either.
func (f facts) mark(b *card.Board) {
	b.Unrecorded = b.Unrecorded || f.err != nil
	b.Maintenance = f.maintenance
	for i, row := range b.Rows {
		b.Rows[i].InWork = f.runs[runbooks.Target{Process: row.Process.ID, Host: row.Host}]
	}
}

// judge makes findings of what was observed, by what was expected.
func (s *Service) judge(c *call, b *card.Board) {
	for i := range b.Rows {
		s.judgeRow(c, b, &b.Rows[i])
	}
	for i := range b.Upstream {
		s.judgeRow(c, b, &b.Upstream[i])
	}
	markUpstream(c.catalog, c.cluster, b)
}

func (s *Service) judgeRow(c *call, b *card.Board, row *card.Row) {
	if row.Pending {
		return
	}
	now := s.Now()
	row.Maintenance = nil
	for _, m := range b.Maintenance {
		if m.Covers(c.cluster.Name, row.Process.ID, row.Host, now) {
			row.Maintenance = &m
		}
	}
	_, scheduled := c.cluster.Up[row.Process.ID]
	e := probe.Expect{
		Up: c.cluster.ShouldBeUp(row.Process.ID, now), Level: row.Process.Level, Maintenance: row.Maintenance != nil,
		Since: row.NotUp,
		Spare: !scheduled && c.catalog.Spare(row.Process.ID, c.cluster.ACLs),
	}
	row.Finding = probe.Assess(row.Observation, e)
	if row.Log != nil {
		row.Finding = probe.WithLog(row.Finding, row.Observation, e, row.Log.Log, row.Log.Since, row.Log.Before)
	}
}
