package handlers

import (
	"context"
	"slices"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// looking stores that somebody who may vote is looking at a run, so that not
// everybody does, and the next reminder wakes nobody. It binds nobody: whoever
// may approve still can.
func (s *Service) looking(ctx context.Context, c *call) error {
	r, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	if err := s.mayVote(c, r); err != nil {
		return err
	}
	if err := s.apply(ctx, c, engine.LookingBy{By: s.actor(c)}); err != nil {
		return err
	}
	return c.reply.Whisper(ctx, card.Looking(r))
}

// beside names where else a process runs that a run leaves alone: what an
// approver could take for its target.
func (s *Service) beside(cluster string, plan runbooks.Plan) []string {
	processes, touched := map[string]bool{}, map[string]bool{}
	for _, t := range plan.Targets {
		processes[t.Process], touched[t.Host] = t.Process != "", true
	}
	var out []string
	for i := range s.Fleet.Clusters {
		cl := &s.Fleet.Clusters[i]
		for _, h := range cl.Hosts {
			runs := slices.ContainsFunc(h.Processes, func(p string) bool { return processes[p] })
			switch {
			case !runs:
			case cl.Name != cluster:
				out = append(out, h.Name+" ("+cl.Name+")")
			case !touched[h.Name]:
				out = append(out, h.Name)
			}
		}
	}
	return out
}

// didYouMean answers what was not understood. What is suggested can be tapped
// where it names all that it needs; a tap goes the same way as a typed
// command.
func (s *Service) didYouMean(m Message, mis *Misunderstood) card.Card {
	var taps []card.Suggestion
	for _, text := range mis.Suggest {
		c, err := s.parse(Message{Text: text, Channel: m.Channel})
		if err == nil && c.run == "" && c.topic == "" && len(c.params) == 0 {
			taps = append(taps, card.Suggestion{Label: text, Command: c.canonical(), Changes: c.cmd.Class.Changing()})
		}
	}
	return card.Tappable(card.DidYouMean(mis.Text, mis.Suggest), taps)
}
