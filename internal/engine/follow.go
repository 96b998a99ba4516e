package engine

import (
	"context"
	"log/slog"
	"time"

	"dhbot/internal/pause"
)

// Pauses of Follow: a watch that ended is begun again after a second, and after
// longer where it keeps ending.
const (
	rewatchFirst  = time.Second
	rewatchAtMost = time.Minute
)

// Follow watches the runs until ctx ends. A watch that ended is begun again, with
// begin before each; who names the follower in the log.
func Follow(ctx context.Context, runs Runs, log *slog.Logger, who string, begin func(), see func(Stored)) {
	for wait := rewatchFirst; ctx.Err() == nil; {
		began := time.Now()
		begin()
		err := runs.Watch(ctx, see)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > rewatchAtMost {
			wait = rewatchFirst
		}
		log.WarnContext(ctx, "the watch of the runs ended; it is begun again", "follower", who, "in", wait, "err", err)
		pause.For(ctx, wait)
		wait = min(2*wait, rewatchAtMost)
	}
}
