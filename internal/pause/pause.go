package pause

import (
	"context"
	"time"
)

// For waits for d. It returns false if ctx ends first, and returns at once if d is not positive.
func For(ctx context.Context, d time.Duration) bool { return Until(ctx, d, nil) }

// Until waits like For, but also ends when it receives from wake.
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
