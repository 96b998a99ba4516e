package handlers

import (
	"context"
	"slices"

	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/runbooks"
)

// looking records that an approver is looking at a run, so the next reminder mentions no
// one. Other approvers can still approve.
func (s *Service) looking(ctx context.Context, c *call.Call) error {
	if err := s.apply(ctx, c, engine.LookingBy{By: s.actor(c)}); err != nil {
		return err
	}
	if c.Via == call.Button { // tapped in the details window, which then shows who is looking
		r := c.About
		r.Looking = &engine.Look{Actor: s.actor(c), At: s.Now()}
		if c.Reply.Ask(ctx, runcard.DetailsPage(r, 0)) == nil {
			return nil
		}
	}
	return c.Reply.Ephemeral(ctx, runcard.Looking(c.About))
}

// beside returns the other hosts of the cluster that run a process of the plan. An
// approver could mistake them for the target.
func beside(cluster *fleet.Cluster, plan runbooks.Plan) []string {
	processes, touched := map[string]bool{}, map[string]bool{}
	for _, t := range plan.Targets {
		processes[t.Process], touched[t.Host] = t.Process != "", true
	}
	var out []string
	for _, h := range cluster.Hosts {
		runs := slices.ContainsFunc(h.Processes, func(p string) bool { return processes[p] })
		if runs && !touched[h.Name] {
			out = append(out, h.Name)
		}
	}
	return out
}
