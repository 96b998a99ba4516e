package engine

import (
	"testing"
	"time"

	"dhbot/runbooks"
)

// TestClockAhead: times in a log are compared by the host's clock. If the bot's clock is ahead, a
// log line written after a restart seems older than the restart.
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
