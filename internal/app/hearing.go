package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
)

const (
	hearEvery = 5 * time.Second
	// hearsNow is how recently Slack must have sent anything for a connection to count as
	// working. Slack pings every few seconds.
	hearsNow = 15 * time.Second
	// gapWorthSaying is the shortest gap that is announced. A restart, or a change of sockets
	// by Slack, causes a shorter gap.
	gapWorthSaying = 20 * time.Second
)

// listen regularly stores the time until which the bot has received events. A gap is a time in
// which no replica received events, so the commands from that time did not arrive. listen posts
// each long gap in the channels.
func (b *bot) listen(ctx context.Context) error {
	if b.SetLastHeard == nil {
		<-ctx.Done() // this store does not support it
		return nil
	}
	var since time.Time // the time at which this replica began to receive events; zero while it receives none
	for ; ctx.Err() == nil; pause.For(ctx, hearEvery) {
		now := b.Now()
		if !b.slack.Health().Hears(now, hearsNow) {
			since = time.Time{}
			continue
		}
		if since.IsZero() {
			since = now
		}
		before, err := b.SetLastHeard(ctx, now)
		if err != nil || before.IsZero() || since.Sub(before) < gapWorthSaying {
			continue // there was no long gap; a failing store is reported elsewhere
		}
		b.sayGap(ctx, before, since)
	}
	return nil
}

// sayGap posts a gap in the channels of the bot.
func (b *bot) sayGap(ctx context.Context, from, to time.Time) {
	text := fmt.Sprintf("I received nothing from Slack from %s to %s; please repeat any command from that time.", clock(from), clock(to))
	b.tellChannels(ctx, text, card.MissedMessages(from, to, text))
}

// tellChannels records an event about the connection to Slack, and posts it in the channels of
// the bot.
func (b *bot) tellChannels(ctx context.Context, text string, c card.Card) {
	b.Log.WarnContext(ctx, "some events were missed", "what", text)
	if err := b.Store.Append(ctx, audit.Record{At: b.Now(), Kind: audit.Note, Text: text, Replica: b.Replica}, ""); err != nil {
		b.Log.ErrorContext(ctx, "a gap in the events from Slack is not recorded", "err", err)
	}
	for _, channel := range slices.Sorted(maps.Keys(b.Grammar.Channels)) {
		if _, err := b.slack.Post(ctx, engine.Place{Channel: channel}, c); err != nil && ctx.Err() == nil {
			b.Log.ErrorContext(ctx, "a gap in the events from Slack was not posted", "channel", channel, "err", err)
		}
	}
}

func clock(t time.Time) string { return t.UTC().Format("2 Jan 15:04:05 MST") }
