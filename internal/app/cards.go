package app

import (
	"context"

	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
)

// withdraw ends, in the name of its requester, a request that no channel shows.
func (b *bot) withdraw(ctx context.Context, r engine.Run) error {
	_, err := b.engine.Apply(ctx, r.ID, engine.CancelledBy{By: r.Asked, Reason: "no channel takes its message, so nobody could approve it"}, "")
	return err
}

// runCard is the message of a run as it should be now.
func (b *bot) runCard(r engine.Run) card.Card {
	if r.State != engine.Waiting {
		return runcard.Run(r)
	}
	return card.WithAbsent(runcard.Run(r), b.presence.Known(r.Called))
}

// firstCard is the message of a run as it is first shown, which calls people and says
// who of them is away.
func (b *bot) firstCard(ctx context.Context, r engine.Run) card.Card {
	if r.State != engine.Waiting {
		return runcard.Asked(r)
	}
	return card.WithAbsent(runcard.Asked(r), b.presence.Ask(ctx, r.Called))
}

// cardLink is the address of the message that shows a run, "" while there is none.
func (b *bot) cardLink(ctx context.Context, run string) (string, error) {
	post, ok, err := b.Store.Post(ctx, run)
	if err != nil || !ok || post.TS == "" {
		return "", err
	}
	return b.slack.Link(ctx, post.Channel, post.TS)
}
