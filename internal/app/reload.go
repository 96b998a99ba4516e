package app

import (
	"context"
	"log/slog"
)

// Reloading runs a function with a config until ctx ends. When reload signals a new config,
// Reloading stops the function, waits for its end, and runs it with the new config. An invalid
// config is refused completely: every reason is logged, and the current config stays in use.
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
		log.InfoContext(ctx, "the config was reloaded; restarting with it")
		if err := <-ended; err != nil || ctx.Err() != nil {
			return err
		}
		now = next
	}
}

// await waits for a valid new config, or for the end of the function.
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
		log.Error("the new config is refused, the current one stays in use", "err", err)
	}
}
