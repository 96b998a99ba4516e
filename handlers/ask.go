package handlers

import (
	"context"

	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
)

// openRuns answers a command that needs a run but names none, such as `approve` or `cancel`. The
// answer is the run of the thread, or the open runs that the requester may see. No run is changed.
func (s *Service) openRuns(ctx context.Context, c *call.Call) error {
	h, err := s.InHand(ctx, s.Sees(c.Who.Person, c.Channel))
	if err != nil {
		return err
	}
	list := make([]engine.Run, len(h.Open))
	for i, st := range h.Open {
		list[i] = st.Run
	}
	if here, ok := s.runOfThread(ctx, c, list); ok {
		return c.Reply.Ephemeral(ctx, runcard.Run(here))
	}
	return c.Reply.Ephemeral(ctx, runcard.WhichRun(c.Cmd.Verb, list))
}

// runOfThread returns the run of the thread in which a message was typed.
func (s *Service) runOfThread(ctx context.Context, c *call.Call, list []engine.Run) (engine.Run, bool) {
	if c.Thread == "" {
		return engine.Run{}, false
	}
	for _, r := range list {
		post, ok, err := s.Posts.Post(ctx, r.ID)
		if err != nil {
			s.Logger.WarnContext(ctx, "the message of a run could not be looked up", "run", r.ID, "err", err)
			continue
		}
		if ok && post.Channel == c.Channel && post.TS == c.Thread {
			return r, true
		}
		trail, ok, err := s.Posts.Thread(ctx, r.ID)
		if err == nil && ok && trail.Channel == c.Channel && trail.TS == c.Thread {
			return r, true
		}
	}
	return engine.Run{}, false
}
