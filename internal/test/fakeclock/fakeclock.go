// Package fakeclock advances the clock of a synctest bubble.
package fakeclock

import (
	"testing/synctest"
	"time"
)

// Advance sleeps for d of fake time, and then waits until every other goroutine of the bubble is
// blocked. Without this wait, a goroutine that becomes due at the same instant could run after the
// test's next line.
func Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
