package handlers

import (
	"context"

	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
)

// showRun answers with a run as it stands; the run's own message stays where
// it was asked for.
func (s *Reads) showRun(ctx context.Context, c *call) error {
	return s.answer(ctx, c, runcard.Run(c.about))
}

func (s *Reads) listRuns(ctx context.Context, c *call) error {
	h, err := s.inHand(ctx, s.sees(c.who.Person, c.Channel))
	if err != nil {
		return err
	}
	return s.answer(ctx, c, runcard.Runs(h.open, h.ended))
}

func (s *Reads) listLocks(ctx context.Context, c *call) error {
	h, err := s.inHand(ctx, s.sees(c.who.Person, c.Channel))
	if err != nil {
		return err
	}
	return s.answer(ctx, c, runcard.Locks(h.locks, h.open, s.Now()))
}

// showHealth says how the bot itself is.
func (s *Reads) showHealth(ctx context.Context, c *call) error {
	if s.Health == nil {
		return said("I cannot tell how I am from here. On the bot's machine `bot health` can.")
	}
	well, lines := s.Health(ctx)
	return c.reply.Ephemeral(ctx, card.Health(well, lines))
}
