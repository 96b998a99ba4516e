package app

import (
	"slices"
	"testing"
	"time"

	"dhbot/internal/sshexec"
)

// A certificate that expires within a week is a line of health; one that
// expires within an hour is a problem.
func TestExpiringCertificatesInHealth(t *testing.T) {
	b := &bot{Config: Config{Now: time.Now}}
	b.SSHExpiring = func(time.Time) []sshexec.Expiry {
		return []sshexec.Expiry{{Text: "in 3 days"}, {Text: "in 50 min", Urgent: true}}
	}
	var h Health
	b.askSSH(&h)
	if !slices.Equal(h.Why, []string{"in 50 min"}) || !slices.Equal(h.SSH, []string{"in 3 days"}) {
		t.Errorf("wrong: %v; soon: %v", h.Why, h.SSH)
	}
	if lines := h.Lines(); lines[0] != "in 50 min" || !slices.Contains(lines, "in 3 days") {
		t.Errorf("lines %v, want the urgent certificate first", lines)
	}
}
