package app

import (
	"context"

	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
)

// withdraw cancels a request on behalf of its requester. It is called if no channel accepts the
// request's message.
func (b *bot) withdraw(ctx context.Context, r engine.Run) error {
	_, err := b.engine.Apply(ctx, r.ID, engine.CancelledBy{By: r.Asked, Reason: "no channel accepts its message, so no one could approve it"}, "")
	return err
}

// runCard is the current message of a run.
func (b *bot) runCard(r engine.Run) card.Card {
	if r.State != engine.Waiting {
		return runcard.Run(r)
	}
	return card.WithAbsent(runcard.Run(r), b.presence.Known(r.Called))
}

// firstCard is the first message of a run, which mentions people and names those who are away.
func (b *bot) firstCard(ctx context.Context, r engine.Run) card.Card {
	if r.State != engine.Waiting {
		return runcard.Asked(r)
	}
	return card.WithAbsent(runcard.Asked(r), b.presence.Ask(ctx, r.Called))
}

// cardLink is the URL of a run's message, "" if there is none.
func (b *bot) cardLink(ctx context.Context, run string) (string, error) {
	post, ok, err := b.Store.Post(ctx, run)
	if err != nil || !ok || post.TS == "" {
		return "", err
	}
	return b.slack.Link(ctx, post.Channel, post.TS)
}
