package reads

import (
	"context"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/refusal"
)

// ShowRun answers with the current state of a run. The message that the run already has stays
// where it is.
func (s *Reads) ShowRun(ctx context.Context, c *call.Call) error {
	return s.Answer(ctx, c, runcard.Run(c.About))
}

func (s *Reads) ListRuns(ctx context.Context, c *call.Call) error {
	h, err := s.InHand(ctx, s.Sees(c.Who.Person, c.Channel))
	if err != nil {
		return err
	}
	return s.Answer(ctx, c, runcard.Runs(h.Open, h.Ended))
}

func (s *Reads) ListLocks(ctx context.Context, c *call.Call) error {
	h, err := s.InHand(ctx, s.Sees(c.Who.Person, c.Channel))
	if err != nil {
		return err
	}
	return s.Answer(ctx, c, runcard.Locks(h.Locks, h.Open, s.Now()))
}

// ShowHealth answers with the bot's own health.
func (s *Reads) ShowHealth(ctx context.Context, c *call.Call) error {
	if s.Health == nil {
		return refusal.New(call.NoHealth, "My health cannot be shown here. Run `bot health` on the bot's machine.")
	}
	well, lines := s.Health(ctx)
	return c.Reply.Ephemeral(ctx, card.Health(well, lines))
}
