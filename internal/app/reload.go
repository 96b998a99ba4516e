package app

import (
	"context"
	"log/slog"
)

// Reloading runs something by a config until ctx ends, and by a new one
// whenever reload says that there may be one: what runs is stopped in order,
// hands over its open runs, and begins again. A config that is not valid
// is refused whole, with every reason in the log, and the present one stays.
func Reloading[C any](
	ctx context.Context, first C, load func() (C, error), reload <-chan struct{}, run func(context.Context, C) error, log *slog.Logger,
) error {
	for now := first; ; {
		life, end := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- run(life, now) }()
		next, err, changed := await(ended, load, reload, log)
		end()
		if !changed {
			return err
		}
		log.InfoContext(ctx, "the config is read anew; beginning again with it")
		if err := <-ended; err != nil || ctx.Err() != nil {
			return err
		}
		now = next
	}
}

// await waits for a good new config, or for what runs to end.
func await[C any](ended <-chan error, load func() (C, error), reload <-chan struct{}, log *slog.Logger) (next C, err error, changed bool) {
	for {
		select {
		case err := <-ended:
			return next, err, false
		case <-reload:
		}
		if next, err = load(); err == nil {
			return next, nil, true
		}
		log.Error("the new config is refused, the present one stays", "err", err)
	}
}
