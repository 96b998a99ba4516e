package app

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/auth"
	"dhbot/internal/test/fakeclock"
)

// A Home tab that could not be published is published again; the tabs of other people are not. The
// bot stops retrying when homeLasts has passed since the person opened the tab.
func TestHomeIsPublishedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		calls := map[string]int{}
		b := &bot{Config: Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
		h := newHomes(b, func(_ context.Context, a auth.Account) error {
			mu.Lock()
			defer mu.Unlock()
			calls[a.User]++
			if a.User == "never" || a.User == "thrice" && calls[a.User] < 3 {
				return errors.New("connection refused")
			}
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		var parts sync.WaitGroup
		parts.Go(func() { h.serve(ctx) })
		for _, q := range h.queues {
			parts.Go(func() { h.work(ctx, q) })
		}
		for _, user := range []string{"once", "thrice", "never"} {
			h.open(auth.Account{User: user})
		}
		fakeclock.Advance(2*homeLasts + time.Second)
		cancel()
		parts.Wait()
		want := map[string]int{"once": 1, "thrice": 3, "never": 1 + int(homeLasts/homeEvery)}
		if !maps.Equal(calls, want) {
			t.Errorf("published %v times, want %v", calls, want)
		}
	})
}
