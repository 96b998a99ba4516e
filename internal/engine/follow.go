package engine

import (
	"context"
	"log/slog"
	"time"

	"dhbot/internal/pause"
)

// Pauses of Follow before it restarts a watch. The first pause is a second, and the pauses get
// longer if the watch ends repeatedly.
const (
	rewatchFirst  = time.Second
	rewatchAtMost = time.Minute
)

// Follow watches the runs until ctx ends. It restarts a watch that ended, and calls begin before
// each start. After each start it calls see with every open run, then with later versions of runs
// (see Runs.Watch). The argument follower names the caller in the log.
func Follow(ctx context.Context, runs Runs, log *slog.Logger, follower string, begin func(), see func(Stored)) {
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
		log.WarnContext(ctx, "the watch of the runs ended; restarting it", "follower", follower, "in", wait, "err", err)
		pause.For(ctx, wait)
		wait = min(2*wait, rewatchAtMost)
	}
}
