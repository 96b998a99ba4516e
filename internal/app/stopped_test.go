package app

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"dhbot/internal/test/fakeclock"
)

// Stopped changes are reported in the audit channel, once for each reason.
func TestStoppedIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slack := &fakeSlack{}
		var why atomic.Value
		why.Store("")
		b := &bot{
			slack: slack, Config: Config{AuditChannel: "C0AUDIT", Log: slog.New(slog.DiscardHandler)},
			Edges: Edges{Stopped: func() string { return why.Load().(string) }},
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.watchStopped(ctx) }()
		for _, reason := range []string{"", "two histories of this store", "two histories of this store"} {
			why.Store(reason)
			fakeclock.Advance(3 * stoppedEvery)
		}
		if want := []string{"C0AUDIT: 🔴 No changes accepted: the store is not as I left it"}; !slices.Equal(slack.said(), want) {
			t.Errorf("it posted %q", slack.said())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
