package slackio

import (
	"context"
	"time"

	"dhbot/internal/pause"
	"dhbot/internal/slackio/wire"
)

// proveEvery is how often the bot retries a refused bot token.
const proveEvery = 30 * time.Second

// noAnswer returns why a delivery cannot be answered with the bot token, "" if it can. Slash
// commands and taps can still be answered in their acknowledgement or at their response URL.
func (e *Edge) noAnswer() string {
	for _, r := range e.watch.Refused() {
		if r.Token == wire.BotToken {
			return "Not accepted, nothing was done: " + r.String() + "."
		}
	}
	return ""
}

// proveToken retries a refused bot token: a workspace that removed the app may install it again.
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
