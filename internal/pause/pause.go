package pause

import (
	"context"
	"time"
)

// For waits for d; false means that ctx ended first. It returns at once if d is not positive.
func For(ctx context.Context, d time.Duration) bool { return Until(ctx, d, nil) }

// Until waits like For, or until it receives from wake.
func Until(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-wake:
		return true
	case <-ctx.Done():
		return false
	}
}
