package app

import (
	"context"
	"fmt"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
)

// sharedAge is how long the bot relies on the answer whether a channel is shared.
const sharedAge = time.Minute

// unshared posts only in channels of the bot's own organisation. For a shared channel its errors
// wrap publish.ErrNoPlace. If Slack does not say whether a channel is shared, unshared posts:
// otherwise an incident could remain unknown.
type unshared struct{ Slack }

func (u unshared) Post(ctx context.Context, at engine.Place, c card.Card) (string, error) {
	if err := u.check(ctx, at.Channel); err != nil {
		return "", err
	}
	return u.Slack.Post(ctx, at, c)
}

func (u unshared) Edit(ctx context.Context, channel, ts string, c card.Card, final bool) error {
	if err := u.check(ctx, channel); err != nil {
		return err
	}
	return u.Slack.Edit(ctx, channel, ts, c, final)
}

func (u unshared) check(ctx context.Context, channel string) error {
	shared, _, err := u.Channel(ctx, channel, sharedAge)
	if err == nil && shared {
		return fmt.Errorf("channel %s: %w: it is shared with another organisation", channel, publish.ErrNoPlace)
	}
	return nil
}
