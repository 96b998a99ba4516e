package slackio

import (
	"context"
	"time"

	"dhbot/internal/pause"
	"dhbot/internal/slackio/wire"
)

// proveEvery is how often a bot token that Slack refused is tried again.
const proveEvery = 30 * time.Second

// noAnswer is why a delivery cannot be answered with the bot token, "" where it
// can. What was typed at a slash command or tapped can still be answered over
// its acknowledgement or its own address.
func (e *Edge) noAnswer() string {
	for _, r := range e.watch.Refused() {
		if r.Token == wire.BotToken {
			return "Not accepted, nothing was done: " + r.String() + "."
		}
	}
	return ""
}

// proveToken tries a bot token that was refused again and again: a workspace
// that let the app go may take it back.
func (e *Edge) proveToken(ctx context.Context) {
	for pause.For(ctx, proveEvery) {
		if e.noAnswer() == "" {
			continue
		}
		if _, err := e.Whoami(ctx); err != nil && ctx.Err() == nil {
			e.log.ErrorContext(ctx, "the bot token is refused", "err", err)
		}
	}
}

// heard reports whether any connection was ever up.
func (e *Edge) heard() bool {
	for _, s := range e.sockets {
		if s.health().Opened > 0 {
			return true
		}
	}
	return false
}
