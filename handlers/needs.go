package handlers

import (
	"context"
	"errors"
	"slices"
	"time"

	"dhbot/internal/status"
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
	if c.process == nil || c.anyway || !starts(plan) || len(c.process.Needs) == 0 {
		return nil
	}
	b, err := s.Status.Assess(ctx, status.Query{Scope: c.scope(), Targets: plan.Targets, Needs: c.process.ID, Within: needsPatience})
	if errors.Is(err, status.ErrNothingThere) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(b.Unmet) == 0 {
		return nil
	}
	return said("Nothing was run: what %[1]s needs to come up is not all there: %[2]s. Bring that back first; `deps %[1]s` shows it. If you know better, say the command with anyway=yes.",
		c.process.ID, status.Because(b.Unmet))
}

// neededBy are what a process needs, in the order in which it starts, and the
// process itself; absent is what no host of the config runs.
func neededBy(c *call) (targets []runbooks.Target, absent []string) {
	for _, id := range append(c.catalog.Needed(c.process.ID, c.cluster.ACLs), c.process.ID) {
		hosts := c.cluster.HostsOf(id)
		if len(hosts) == 0 {
			absent = append(absent, id)
		}
		for _, h := range hosts {
			if id != c.process.ID || c.host == nil || c.host.Name == h.Name {
				targets = append(targets, runbooks.Target{Process: id, Host: h.Name})
			}
		}
	}
	return targets, absent
}
