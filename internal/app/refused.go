package app

import (
	"context"
	"fmt"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
)

// refusedEvery is how often the bot checks whether a new config was refused.
const refusedEvery = 2 * time.Second

// refusedConfig returns the reason why the last config that was read is not in use, or "" if it is
// in use.
func (b *bot) refusedConfig() string {
	r := b.Reload()
	if r.OK || r.Refused.IsZero() {
		return ""
	}
	return fmt.Sprintf("The config read at %s was refused, and the config of %s stays in use: %s. `bot check` shows every problem; after correcting it, send SIGHUP again.",
		clock(r.Refused), clock(r.At), r.Why)
}

// watchReload records each refused config and posts it in the audit channel, because the sender of
// the SIGHUP sees no result otherwise.
func (b *bot) watchReload(ctx context.Context) error {
	var recorded, told time.Time
	for pause.For(ctx, refusedEvery) {
		text, at := b.refusedConfig(), b.Reload().Refused
		if text == "" || !at.After(told) {
			continue
		}
		if at.After(recorded) {
			if err := b.Store.Append(ctx, audit.Record{At: b.Now(), Kind: audit.Note, Text: text, Replica: b.Replica}, ""); err != nil {
				b.Log.ErrorContext(ctx, "a refused config is not recorded yet", "err", err)
				continue
			}
			recorded = at
		}
		if _, err := b.slack.Post(ctx, engine.Place{Channel: b.AuditChannel}, card.ConfigRefused(text)); err != nil {
			b.Log.WarnContext(ctx, "a refused config is not posted yet", "err", err)
			continue
		}
		told = at
	}
	return nil
}
