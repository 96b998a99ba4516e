package pause_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/pause"
)

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		wake := make(chan struct{}, 1)
		took := func(want time.Duration, wait func() bool) (passed bool) {
			t.Helper()
			began := time.Now()
			passed = wait()
			if d := time.Since(began); d != want {
				t.Errorf("it took %v, want %v", d, want)
			}
			return passed
		}
		if !took(time.Minute, func() bool { return pause.For(ctx, time.Minute) }) || !took(0, func() bool { return pause.For(ctx, 0) }) {
			t.Error("nothing ended it, and it did not pass")
		}
		wake <- struct{}{}
		if !took(0, func() bool { return pause.Until(ctx, time.Minute, wake) }) {
			t.Error("woken, and it did not pass")
		}
		time.AfterFunc(time.Second, cancel)
		if took(time.Second, func() bool { return pause.For(ctx, time.Minute) }) || took(0, func() bool { return pause.For(ctx, 0) }) {
			t.Error("it passed though the context had ended")
		}
	})
}
