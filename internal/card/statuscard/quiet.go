package statuscard

import (
	"fmt"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/fleet"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// Until returns the end of a maintenance: a time of day, with the date if the
// maintenance is longer than 12 hours.
func Until(m fleet.Maintenance) card.Span {
	return card.Span{Kind: card.When, At: m.Until, Clock: m.Until.Sub(m.From) <= 12*time.Hour}
}

// AnnouncedBy returns the announcer, the approver and the reason of a
// maintenance.
func AnnouncedBy(m fleet.Maintenance) string {
	by := " by " + m.By
	if m.Approver != "" {
		by += ", approved by " + m.Approver
	}
	if m.Reason == "" {
		return by + ", no reason given"
	}
	return fmt.Sprintf("%s: “%s”", by, m.Reason)
}

// quiet reports whether a row is in maintenance or not running, but not an incident.
func quiet(r status.Row) bool {
	return !r.Pending && r.Severity() == runbooks.None && (r.Maintenance != nil || r.Finding.Down || r.Observation.Out())
}

// MaintenanceLine shows the maintenance of a process in its status.
func MaintenanceLine(m fleet.Maintenance) card.Line {
	return card.Line{card.T("🛠 In maintenance until "), Until(m), card.T(AnnouncedBy(m))}
}

// QuietLines lists the processes that are in maintenance, or not running as scheduled.
// Otherwise the count of processes as expected would hide them.
func QuietLines(rows []status.Row, withHost bool) []card.Line {
	var lines []card.Line
	for _, r := range rows {
		if !quiet(r) {
			continue
		}
		l := card.Line{card.T(card.SeverityIcon(r.Severity()) + " "), card.B(r.Process.ID)}
		if withHost {
			l = append(l, card.T(" on "+r.Host))
		}
		l = append(l, card.T(" · "+r.Finding.Headline))
		if r.Maintenance != nil {
			l = append(l, card.T(" until "), Until(*r.Maintenance), card.T(AnnouncedBy(*r.Maintenance)))
		}
		lines = append(lines, l)
	}
	return lines
}
