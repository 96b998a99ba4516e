package statuscard

import (
	"fmt"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/fleet"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// Until shows the end of an announcement: a time of day, with its date where
// that could be misread.
func Until(m fleet.Maintenance) card.Span {
	return card.Span{Kind: card.When, At: m.Until, Clock: m.Until.Sub(m.From) <= 12*time.Hour}
}

// AnnouncedBy is who announced it, and who approved it, and why.
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

// quiet says that a row is no incident and not simply up either.
func quiet(r status.Row) bool {
	return !r.Pending && r.Severity() == runbooks.None && (r.Maintenance != nil || r.Finding.Down || r.Observation.Out())
}

// MaintenanceLine says on a status that people work on it.
func MaintenanceLine(m fleet.Maintenance) card.Line {
	return card.Line{card.T("🛠 In maintenance until "), Until(m), card.T(AnnouncedBy(m))}
}

// QuietLines are what is not running and not an incident, which a count of
// what is as it should be would hide.
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
