package card

import (
	"fmt"
	"time"

	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// until shows the end of an announcement: a time of day, with its date where
// that could be misread.
func until(m fleet.Maintenance) Span {
	return Span{Kind: When, At: m.Until, Clock: m.Until.Sub(m.From) <= 12*time.Hour}
}

// announcedBy is who announced it, and who approved it, and why.
func announcedBy(m fleet.Maintenance) string {
	by := " by " + m.By
	if m.Approver != "" {
		by += ", approved by " + m.Approver
	}
	if m.Reason == "" {
		return by + ", no reason given"
	}
	return fmt.Sprintf("%s: “%s”", by, m.Reason)
}

// Announced tells that people work on something from now on.
func Announced(m fleet.Maintenance, note string) Card {
	what := m.Target() + " in " + m.Cluster
	end := command.On("maintenance", m.Process, m.Host, m.Cluster)
	end.Params = map[string]string{command.ParamLength: command.LengthEnd}
	c := Card{
		Push: fmt.Sprintf("🛠 Maintenance of %s for %s%s", what, span(m.Until.Sub(m.From)), announcedBy(m)),
		Head: Line{T("🛠 "), B("Maintenance of " + what), T(" until "), until(m), T(announcedBy(m))},
		Body: []Element{Text{Lines: []Line{
			{T("No incidents are opened for it until then. Nothing was sent to any host.")},
		}}},
		Buttons: []Button{commandTap("End maintenance", end)},
		Foot:    []Line{{T("Recorded. It ends by itself, or with "), C(end.Text())}},
	}
	if note != "" {
		c.Body = append(c.Body, Text{Lines: []Line{{T(note)}}})
	}
	return c
}

// WindowText is what is typed to decide about a window.
func WindowText(verb string, m fleet.Maintenance) string { return windowFields(verb, m).Text() }

func windowFields(verb string, m fleet.Maintenance) command.Fields {
	return command.Fields{Verb: verb, Cluster: m.Cluster, Params: map[string]string{command.ParamID: m.ID()}}
}

// windowSpan is from when until when, with their days.
func windowSpan(m fleet.Maintenance) Line {
	return Line{{Kind: When, At: m.From}, T(" to "), {Kind: When, At: m.Until}}
}

// Window tells of a maintenance window that waits for an approval, is to come, or
// is under way. Those who are called are mentioned.
func Window(m fleet.Maintenance, called []engine.Callee) Card {
	what := "maintenance window over " + m.Target() + " in " + m.Cluster
	cancel := windowFields("maintenance-cancel", m)
	c := Card{Buttons: []Button{commandTap("Cancel", cancel)}}
	begins := "It begins and ends by itself. "
	foot := Line{T(m.ID() + " · "), C(cancel.Text())}
	effect := T("No incidents are opened for these hosts meanwhile; what is done to them takes the usual approvals.")
	if m.Waits {
		approve := windowFields("maintenance-approve", m)
		c.Push = "⏳ Approval needed: " + what + announcedBy(m)
		c.Head = append(Line{T("⏳ "), B("Approval needed: " + what), T(", ")}, windowSpan(m)...)
		c.Buttons = []Button{commandTap("Approve", approve), c.Buttons[0]}
		c.Buttons[0].Style = Primary
		c.Buttons[0].Confirm = &Confirm{Title: "Approve this window?", Text: "Over " + m.Target() + " in " + m.Cluster + ": no incidents from its begin to its end.", Yes: "Approve", No: "Back"}
		begins = "It needs an approval before it begins, and ends by itself. "
		foot = Line{T(m.ID() + " · "), C(approve.Text()), T(" · "), C(cancel.Text())}
	} else {
		c.Push = "🛠 " + upperFirst(what) + announcedBy(m)
		c.Head = append(Line{T("🛠 "), B(upperFirst(what)), T(", ")}, windowSpan(m)...)
	}
	c.Head = append(c.Head, T(announcedBy(m)))
	lines := []Line{{T(begins), effect}}
	if len(called) > 0 {
		lines = append(lines, callLine(called))
	}
	c.Body, c.Foot = []Element{Text{Lines: lines}}, []Line{foot}
	return c
}

// WindowCancelled tells that a window is none any more.
func WindowCancelled(m fleet.Maintenance, by, reason string) Card {
	what := "Maintenance window over " + m.Target() + " in " + m.Cluster + " cancelled"
	m.By, m.Reason, m.Approver = by, reason, ""
	return Card{
		Push: "🛠 " + what + announcedBy(m), Head: Line{T("🛠 "), B(what), T(announcedBy(m))},
		Body: []Element{Text{Lines: []Line{{T("What happens to these hosts counts as usual. Recorded.")}}}},
	}
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
	current := 0
	for _, m := range list {
		if !m.Waits && !now.Before(m.From) {
			current++
		}
	}
	what := fmt.Sprintf("%d in maintenance", current)
	if ahead := len(list) - current; ahead > 0 {
		what += fmt.Sprintf(", %d to come", ahead)
	}
	c := Card{Push: "🛠 " + what, Head: Line{T("🛠 "), B(what)}}
	var lines []Line
	for _, m := range list {
		if m.IsWindow() {
			lines = append(lines, windowLine(m, now))
			continue
		}
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

// windowLine lists a window.
func windowLine(m fleet.Maintenance, now time.Time) Line {
	l := append(Line{B(m.Target()), T(" in " + m.Cluster + ", ")}, windowSpan(m)...)
	how := " (begins in " + span(m.From.Sub(now)) + ")"
	switch {
	case m.Waits:
		how = " (waits for an approval)"
	case !now.Before(m.From):
		how = " (" + span(m.Until.Sub(now)) + " left)"
	}
	return append(l, T(how+announcedBy(m)+" · "+m.ID()))
}

// quiet says that a row is no incident and not simply up either.
func quiet(r status.Row) bool {
	return !r.Pending && r.Severity() == runbooks.None && (r.Maintenance != nil || r.Finding.Down || r.Observation.Out())
}
