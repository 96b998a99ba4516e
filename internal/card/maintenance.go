package card

import (
	"fmt"
	"time"

	"dhbot/internal/command"
	"dhbot/internal/fleet"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// until shows the end of an announcement: a time of day, with its date where
// that could be misread.
func until(m fleet.Maintenance) Span {
	return Span{Kind: When, At: m.Until, Clock: m.Until.Sub(m.From) <= 12*time.Hour}
}

// announcedBy is who announced it and why.
func announcedBy(m fleet.Maintenance) string {
	if m.Reason == "" {
		return " by " + m.By + ", no reason given"
	}
	return fmt.Sprintf(" by %s: “%s”", m.By, m.Reason)
}

// Announced tells that people work on something from now on.
func Announced(m fleet.Maintenance, note string) Card {
	what := m.Target() + " in " + m.Cluster
	end := command.On("maintenance", m.Process, m.Host, m.Cluster)
	end.Params = map[string]string{command.ParamLength: command.LengthEnd}
	card := Card{
		Push: fmt.Sprintf("🛠 Maintenance of %s for %s%s", what, span(m.Until.Sub(m.From)), announcedBy(m)),
		Head: Line{T("🛠 "), B("Maintenance of " + what), T(" until "), until(m), T(announcedBy(m))},
		Body: []Element{Text{Lines: []Line{
			{T("No incidents are opened for it until then. Nothing was sent to any host.")},
		}}},
		Buttons: []Button{commandTap("End maintenance", end)},
		Foot:    []Line{{T("Recorded. It ends by itself, or with "), C(end.Text())}},
	}
	if note != "" {
		card.Body = append(card.Body, Text{Lines: []Line{{T(note)}}})
	}
	return card
}

// MaintenanceEnded tells that the usual expectations hold again.
func MaintenanceEnded(m fleet.Maintenance) Card {
	what := "Maintenance of " + m.Target() + " in " + m.Cluster + " ended"
	return Card{
		Push: "🛠 " + what + announcedBy(m), Head: Line{T("🛠 "), B(what), T(announcedBy(m))},
		Body: []Element{Text{Lines: []Line{{T("What its supervisor says of it counts again. Recorded.")}}}},
	}
}

// Maintenance lists what people work on.
func Maintenance(list []fleet.Maintenance, now time.Time) Card {
	if len(list) == 0 {
		return Card{Push: "Nothing is in maintenance", Head: Line{T("🛠 "), B("Nothing is in maintenance")},
			Foot: []Line{{C("maintenance db_dis 2h REASON"), T(" announces that you work on something")}}}
	}
	what := fmt.Sprintf("%d in maintenance", len(list))
	c := Card{Push: "🛠 " + what, Head: Line{T("🛠 "), B(what)}}
	var lines []Line
	for _, m := range list {
		lines = append(
			lines, Line{
				B(m.Target()),
				T(" in " + m.Cluster + " until "),
				until(m),
				T(" (" + span(m.Until.Sub(now)) + " left)" + announcedBy(m)),
			},
		)
	}
	c.Body = []Element{Text{Lines: lines}}
	return c
}

// maintenanceLine says on a status that people work on it.
func maintenanceLine(m fleet.Maintenance) Line {
	return Line{T("🛠 In maintenance until "), until(m), T(announcedBy(m))}
}

// quiet says that a row is no incident and not simply up either.
func quiet(r status.Row) bool {
	return !r.Pending && r.Severity() == runbooks.None && (r.Maintenance != nil || r.Finding.Down || r.Observation.Out())
}

// quietLines are what is not running and not an incident, which a count of
// what is as it should be would hide.
func quietLines(rows []status.Row, withHost bool) []Line {
	var lines []Line
	for _, r := range rows {
		if !quiet(r) {
			continue
		}
		l := Line{T(SeverityIcon(r.Severity()) + " "), B(r.Process.ID)}
		if withHost {
			l = append(l, T(" on "+r.Host))
		}
		l = append(l, T(" · "+r.Finding.Headline))
		if r.Maintenance != nil {
			l = append(l, T(" until "), until(*r.Maintenance), T(announcedBy(*r.Maintenance)))
		}
		lines = append(lines, l)
	}
	return lines
}
