package app

import (
	"context"

	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
)

// reminders configures the reminders while a run waits for votes.
func (b *bot) reminders() *publish.Reminders {
	return &publish.Reminders{
		ToCall: func(r engine.Run, n int) []engine.Callee {
			if n == publish.EndReminder {
				return r.AnswerableFor()
			}
			return b.service.ToCall(r, n)
		},
		Card: func(ctx context.Context, r engine.Run, n int, called []engine.Callee) card.Card {
			if n == publish.EndReminder {
				return runcard.ApprovalEnds(r, called)
			}
			return card.WithAbsent(runcard.Reminder(r, n, called), b.presence.Ask(ctx, called))
		},
		Over: func(r engine.Run, n int) card.Card {
			if n == publish.EndReminder {
				return runcard.ApprovalEnded(r)
			}
			return runcard.Reminded(r, n)
		},
		Note: func(ctx context.Context, run string, e engine.Event) error {
			_, err := b.engine.Apply(ctx, run, e, "")
			return err
		},
	}
}
