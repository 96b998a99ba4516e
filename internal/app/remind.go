package app

import (
	"context"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/poster"
)

// reminders are how people are called again while a run waits for votes.
func (b *bot) reminders() *poster.Reminders {
	return &poster.Reminders{
		ToCall: b.service.ToCall, Card: card.Reminder, Over: card.Reminded,
		Note: func(ctx context.Context, run string, e engine.Reminded) error {
			_, err := b.engine.Apply(ctx, run, e, "")
			return err
		},
	}
}
