package slackio

import (
	"fmt"
	"time"
)

// ClockText describes an offset from Slack's clock, "" for none.
func ClockText(ahead time.Duration) string {
	switch {
	case ahead > 0:
		return fmt.Sprintf("my clock is %s ahead of Slack's: use a time server", offset(ahead))
	case ahead < 0:
		return fmt.Sprintf("my clock is %s behind Slack's: use a time server", offset(-ahead))
	default:
		return ""
	}
}

// offset formats a duration for people: 2m05s.
func offset(d time.Duration) string {
	d = d.Round(time.Second)
	switch h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60; {
	case h > 0:
		return fmt.Sprintf("%dh%02dm", h, m)
	case m > 0:
		return fmt.Sprintf("%dm%02ds", m, s)
	default:
		return fmt.Sprintf("%ds", s)
	}
}
