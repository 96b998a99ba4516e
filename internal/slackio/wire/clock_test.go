package wire

import (
	"testing"
	"time"
)

// The offset is right although the Date header has only whole seconds, and although one answer is
// wrong.
func TestClock(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 600_000_000, time.UTC)
	answer := func(offset, took time.Duration) (date, sent, got time.Time) {
		return at.Add(-offset).Truncate(time.Second), at.Add(-took / 2), at.Add(took / 2)
	}
	for _, tt := range []struct {
		name    string
		offsets []time.Duration
		want    time.Duration
	}{
		{"none", nil, 0},
		{"agree", []time.Duration{0, time.Second, -time.Second}, 0},
		{"ahead", []time.Duration{125 * time.Second}, 125 * time.Second},
		{"behind", []time.Duration{-125 * time.Second}, -125 * time.Second},
		{"one wrong answer", []time.Duration{0, 0, time.Hour}, 0},
		{"the clock was set", []time.Duration{time.Hour, time.Hour, time.Hour, 0, 0}, 0},
	} {
		var c clock
		for _, o := range tt.offsets {
			c.note(answer(o, 100*time.Millisecond))
		}
		if got := c.ahead(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	var slow clock
	if slow.note(answer(time.Hour, time.Minute)); slow.ahead() != 0 {
		t.Error("a slow answer was used")
	}
}
