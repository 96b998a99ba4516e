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

// looking stores that an approver is looking at a run, so that not
// all of them do, and the next reminder mentions no one. It is not binding: whoever
// may approve still can.
func (s *Service) looking(ctx context.Context, c *call.Call) error {
	if err := s.apply(ctx, c, engine.LookingBy{By: s.actor(c)}); err != nil {
		return err
	}
	if c.Via == call.Button { // in the window of the details, which then says so
		r := c.About
		r.Looking = &engine.Look{Actor: s.actor(c), At: s.Now()}
		if c.Reply.Ask(ctx, runcard.DetailsPage(r, 0)) == nil {
			return nil
		}
	}
	return c.Reply.Ephemeral(ctx, runcard.Looking(c.About))
}

// beside names the other hosts of the cluster on which a process runs that a run
// leaves alone: what an approver could take for its target.
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
