package handlers

import (
	"context"

	"dhbot/internal/card"
)

// recentRuns is how many ended runs a list shows.
const recentRuns = 5

func (s *Service) answer(ctx context.Context, c *call, out card.Card) error {
	if c.ChannelShared {
		return c.reply.Whisper(ctx, out)
	}
	return c.reply.Show(ctx, out)
}

// showRun answers with a run as it stands; the run's own message stays where
// it was asked for.
func (s *Service) showRun(ctx context.Context, c *call) error {
	r, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	return s.answer(ctx, c, card.Run(r))
}

func (s *Service) runs(ctx context.Context, c *call) error {
	open, err := s.Runs.Open(ctx)
	if err != nil {
		return err
	}
	ended, err := s.Runs.Recent(ctx, recentRuns)
	if err != nil {
		return err
	}
	return s.answer(ctx, c, card.Runs(open, ended))
}

func (s *Service) locks(ctx context.Context, c *call) error {
	held, err := s.Runs.Locks(ctx)
	if err != nil {
		return err
	}
	open, err := s.Runs.Open(ctx)
	if err != nil {
		return err
	}
	return s.answer(ctx, c, card.Locks(held, open, s.Now()))
}

// health says how the bot itself is.
func (s *Service) health(ctx context.Context, c *call) error {
	if s.Health == nil {
		return said("I cannot tell how I am from here. On the bot's machine `bot health` can.")
	}
	well, lines := s.Health(ctx)
	return c.reply.Whisper(ctx, card.Health(well, lines))
}
