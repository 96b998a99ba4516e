package audit

import (
	"context"
	"errors"
	"time"
)

// slack is the largest difference between a record's time and its place in the trail: places
// come from the store, times from the replicas' clocks.
const slack = time.Minute

// Since calls f with every sealed entry whose record is from then or later, in the order of the
// trail. It reads few older entries.
func Since(ctx context.Context, l Log, then time.Time, f func(Sealed) error) error {
	head, ok, err := l.Head(ctx)
	if err != nil || !ok {
		return err
	}
	first, err := startOf(ctx, l, head.N, then.Add(-slack))
	if err != nil {
		return err
	}
	return l.Trail(ctx, first, func(s Sealed) error {
		if s.Record.At.Before(then) {
			return nil
		}
		return f(s)
	})
}

// startOf is the number of an entry older than then, or 1. It searches backwards in growing
// steps, so that a recent time is found quickly.
func startOf(ctx context.Context, l Log, head uint64, then time.Time) (uint64, error) {
	for back := uint64(100); back < head; back *= 4 {
		n := head - back
		s, err := entry(ctx, l, n)
		if err != nil {
			return 0, err
		}
		if s.Record.At.Before(then) {
			return n, nil
		}
	}
	return 1, nil
}

// errRead ends the reading of a trail early.
var errRead = errors.New("read what was wanted")

// entry reads one entry.
func entry(ctx context.Context, l Log, n uint64) (out Sealed, err error) {
	err = l.Trail(ctx, n, func(s Sealed) error {
		out = s
		return errRead
	})
	if errors.Is(err, errRead) {
		return out, nil
	}
	return out, err
}
