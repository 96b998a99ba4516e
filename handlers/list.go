package handlers

import (
	"context"

	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
)

// recentRuns is how many ended runs a list shows.
const recentRuns = 5

func (s *Service) answer(ctx context.Context, c *call, out card.Card) error {
	if c.ChannelShared {
		return c.reply.Ephemeral(ctx, out)
	}
	return c.reply.Show(ctx, c.signed(out))
}

// signed is an answer to a call that others see, which says whose it was.
func (c *call) signed(out card.Card) card.Card {
	if c.Alone || c.Via != Slash && c.Via != Button {
		return out
	}
	return card.AskedBy(out, c.who.Name)
}

// showRun answers with a run as it stands; the run's own message stays where
// it was asked for.
func (s *Service) showRun(ctx context.Context, c *call) error {
	return s.answer(ctx, c, runcard.Run(c.about))
}

func (s *Service) runs(ctx context.Context, c *call) error {
	h, err := s.inHand(ctx, s.sees(c.who.Person, c.Channel))
	if err != nil {
		return err
	}
	return s.answer(ctx, c, runcard.Runs(h.open, h.ended))
}

func (s *Service) locks(ctx context.Context, c *call) error {
	h, err := s.inHand(ctx, s.sees(c.who.Person, c.Channel))
	if err != nil {
		return err
	}
	return s.answer(ctx, c, runcard.Locks(h.locks, h.open, s.Now()))
}

// health says how the bot itself is.
func (s *Service) health(ctx context.Context, c *call) error {
	if s.Health == nil {
		return said("I cannot tell how I am from here. On the bot's machine `bot health` can.")
	}
	well, lines := s.Health(ctx)
	return c.reply.Ephemeral(ctx, card.Health(well, lines))
}
