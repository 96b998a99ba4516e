package engine

import (
	"testing"
	"time"

	"dhbot/runbooks"
)

// A log is compared with the time that its host has: what the process wrote after
// the restart lies, by a clock that is ahead, before it.
func TestClockAhead(t *testing.T) {
	at := time.Date(2026, 3, 9, 14, 2, 5, 0, time.UTC)
	for _, c := range []struct {
		ahead func() time.Duration
		until runbooks.Condition
		want  time.Time
	}{
		{nil, runbooks.Ready, at},
		{func() time.Duration { return 125 * time.Second }, runbooks.Ready, at.Add(-125 * time.Second)},
		{func() time.Duration { return -125 * time.Second }, runbooks.Ready, at.Add(125 * time.Second)},
		{func() time.Duration { return 125 * time.Second }, runbooks.Restarted, at},
	} {
		w := worker{Engine: &Engine{c: Config{ClockAhead: c.ahead}}}
		if got := w.byHosts(runbooks.Step{Until: c.until}, at); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.until, got, c.want)
		}
	}
}
