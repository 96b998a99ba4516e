package app

import (
	"context"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
)

// stoppedEvery is how often the bot checks whether changes were stopped.
const stoppedEvery = 2 * time.Second

// watchStopped posts in the audit channel why changes have stopped. The trail cannot report this,
// because the trail has stopped too.
func (b *bot) watchStopped(ctx context.Context) error {
	if b.Stopped == nil {
		<-ctx.Done()
		return nil
	}
	told := ""
	for pause.For(ctx, stoppedEvery) {
		why := b.Stopped()
		if why == told {
			continue
		}
		if _, err := b.slack.Post(ctx, engine.Place{Channel: b.AuditChannel}, card.ChangesStopped(b.Replica, why)); err != nil {
			b.Log.WarnContext(ctx, "the message that no changes are accepted is not posted yet", "err", err)
			continue
		}
		told = why
	}
	return nil
}
