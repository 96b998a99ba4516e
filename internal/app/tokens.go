package app

import (
	"context"
	"fmt"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/pause"
)

// tokensEvery is how often the bot checks whether Slack refuses a token.
const tokensEvery = 2 * time.Second

// watchTokens reports in the log that Slack refuses a token, once for each change. It also posts
// this in Slack if the other token allows it.
func (b *bot) watchTokens(ctx context.Context) error {
	reported := ""
	for ; ctx.Err() == nil; pause.For(ctx, tokensEvery) {
		refused := b.slack.Health().Refused
		now := fmt.Sprint(refused)
		if now == reported {
			continue
		}
		reported = now
		for _, r := range refused {
			text := "I am not working properly. " + r.String() + "."
			b.tellChannels(ctx, text, card.Refusal(text))
		}
	}
	return nil
}
