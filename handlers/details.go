package handlers

import (
	"context"

	"dhbot/internal/card/runcard"
)

// details shows all of a run's plan: to a tap in a window of its own, else as
// an answer, with a file where it does not fit.
func (s *Service) details(ctx context.Context, c *call) error {
	r := c.about
	if c.Via == Button {
		return c.reply.Ask(ctx, runcard.DetailsPage(r, c.page))
	}
	out, file := runcard.Details(r)
	if err := s.answer(ctx, c, out); err != nil || file == nil || c.ChannelShared {
		return err
	}
	return c.reply.Attach(ctx, *file)
}
