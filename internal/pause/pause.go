// Package pause waits for a time to pass, and no longer than a context lasts.
package pause

import (
	"context"
	"time"
)

// For waits for d; false means that ctx ended first. A d that is not above zero
// is over at once.
func For(ctx context.Context, d time.Duration) bool { return Until(ctx, d, nil) }

// Until waits as For does, or until something comes from wake.
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
