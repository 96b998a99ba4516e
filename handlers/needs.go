package handlers

import (
	"context"
	"slices"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/runbooks"
)

// needsPatience is how long a request waits to hear how what it needs is. What
// did not answer by then speaks against nothing.
const needsPatience = 5 * time.Second

// starts says that an action makes a process come up, for which it must find
// what it needs.
func starts(plan runbooks.Plan) bool {
	return slices.Contains([]string{"start", "restart", "monitor"}, plan.Action)
}

// needsServe refuses to start a process without what it needs: it would not
// come up, and a restart would take down what may still serve. Only what was
// seen to be out counts; anyway=yes is for people who know better.
func (s *Service) needsServe(ctx context.Context, c *call, plan runbooks.Plan) error {
	if c.process == nil || c.anyway || !starts(plan) {
		return nil
	}
	var targets []runbooks.Target
	for _, n := range c.process.Needs {
		if !n.Holds(c.cluster.ACLs) {
			continue
		}
		for _, h := range c.cluster.HostsOf(n.Process) {
			targets = append(targets, runbooks.Target{Process: n.Process, Host: h.Name})
		}
	}
	asks, err := s.asker.about(c, targets)
	if err != nil || len(asks) == 0 {
		return err
	}
	board := card.Board{Rows: s.askAll(ctx, asks, needsPatience)}
	s.judge(c, &board)
	u := upstream{catalog: c.catalog, cluster: c.cluster, rows: map[string][]card.Row{}, known: map[runbooks.Target][]card.Cause{}}
	for _, r := range board.Rows {
		u.rows[r.Process.ID] = append(u.rows[r.Process.ID], r)
	}
	var causes []card.Cause
	for _, t := range plan.Targets {
		causes = append(causes, u.roots(t.Process, t.Host)...)
	}
	if causes = unequal(causes); len(causes) == 0 {
		return nil
	}
	return said("Nothing was run: what %[1]s needs to come up is not all there: %[2]s. Bring that back first; `deps %[1]s` shows it. If you know better, say the command with anyway=yes.",
		c.process.ID, card.Because(causes))
}

// askAll sends all asks and waits for the answers, up to a time. Rows without
// an answer stay pending.
func (s *Service) askAll(ctx context.Context, asks []ask, patience time.Duration) []card.Row {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answers := make(chan answer, len(asks))
	var wg sync.WaitGroup
	s.send(ctx, &wg, asks, answers)
	wg.Wait()
	close(answers)
	rows := rowsOf(asks)
	for a := range answers {
		fill(&rows[a.index], asks[a.index], a.result)
	}
	return rows
}
