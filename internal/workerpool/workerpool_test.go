package workerpool_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/test/fakeclock"
	"dhbot/internal/workerpool"
)

// Every function runs at once, however many are running already. No goroutine is left after the
// pool is closed, because otherwise the bubble of synctest would not end.
func TestEverythingRunsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := workerpool.New()
		began := time.Now()
		var ended atomic.Int32
		for range 3 {
			for range 5 {
				c.Go(func() {
					time.Sleep(time.Second)
					ended.Add(1)
				})
			}
			fakeclock.Advance(time.Second)
		}
		if n, took := ended.Load(), time.Since(began); n != 15 || took != 3*time.Second {
			t.Errorf("%d of 15 functions ended after %s, want all after 3 s", n, took)
		}
		c.Go(func() { time.Sleep(time.Minute); ended.Add(1) })
		c.Close()
		fakeclock.Advance(time.Minute)
		if ended.Load() != 16 {
			t.Error("a function that ran when the pool was closed did not end")
		}
	})
}
