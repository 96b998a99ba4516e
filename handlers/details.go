package handlers

import (
	"context"

	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
)

// details shows a run's complete plan: in a window after a tap, otherwise as an answer,
// with a file if the plan does not fit.
func (s *Service) details(ctx context.Context, c *call.Call) error {
	r := c.About
	if c.Via == call.Button {
		return c.Reply.Ask(ctx, runcard.DetailsPage(r, c.Page))
	}
	out, file := runcard.Details(r)
	if err := s.Answer(ctx, c, out); err != nil || file == nil || c.ChannelShared {
		return err
	}
	return c.Reply.Attach(ctx, *file)
}
