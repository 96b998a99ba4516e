package incidentcard

import (
	"fmt"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
)

// Announced reports a maintenance that begins now.
func Announced(m fleet.Maintenance, note string) card.Card {
	what := m.Target() + " in " + m.Cluster
	end := command.On("maintenance", m.Process, m.Host, m.Cluster)
	end.Params = map[string]string{command.ParamLength: command.LengthEnd}
	c := card.Card{
		Push: fmt.Sprintf("🛠 Maintenance of %s for %s%s", what, card.Duration(m.Until.Sub(m.From)), statuscard.AnnouncedBy(m)),
		Head: card.Line{
			card.T("🛠 "),
			card.B("Maintenance of " + what),
			card.T(" until "),
			statuscard.Until(m),
			card.T(statuscard.AnnouncedBy(m)),
		},
		Body: []card.Element{card.Text{Lines: []card.Line{
			{card.T("No incidents are opened for " + m.Target() + " until then. Nothing was sent to any host.")},
		}}},
		Buttons: []card.Button{card.CommandTap("End maintenance", end)},
		Foot:    []card.Line{{card.T("Recorded. To end the maintenance early: "), card.C(end.Text())}},
	}
	if note != "" {
		c.Body = append(c.Body, card.Text{Lines: []card.Line{{card.T(note)}}})
	}
	return c
}

// WindowText returns the text of the command that applies a verb to a maintenance window.
func WindowText(verb string, m fleet.Maintenance) string { return windowFields(verb, m).Text() }

func windowFields(verb string, m fleet.Maintenance) command.Fields {
	return command.Fields{Verb: verb, Cluster: m.Cluster, Params: map[string]string{command.ParamID: m.ID()}}
}

// windowSpan returns the start and the end of a window, with dates.
func windowSpan(m fleet.Maintenance) card.Line {
	return card.Line{{Kind: card.When, At: m.From}, card.T(" to "), {Kind: card.When, At: m.Until}}
}

// Window reports a maintenance window that waits for approval, is scheduled, or
// is active. It mentions the callees.
func Window(m fleet.Maintenance, callees []engine.Callee) card.Card {
	what := "maintenance window for " + m.Target() + " in " + m.Cluster
	by := " · requested" + statuscard.AnnouncedBy(m)
	cancel := windowFields("maintenance-cancel", m)
	c := card.Card{Buttons: []card.Button{card.CommandTap("Cancel", cancel)}}
	begins := "The window begins and ends at these times. "
	foot := card.Line{card.T(m.ID() + " · "), card.C(cancel.Text())}
	effect := card.T("During the window no incidents are opened for these hosts; runs on them need the usual approvals.")
	if m.Waits {
		approve := windowFields("maintenance-approve", m)
		c.Push = "⏳ Approval needed: " + what + by
		c.Head = append(card.Line{card.T("⏳ "), card.B("Approval needed: " + what), card.T(", ")}, windowSpan(m)...)
		c.Buttons = []card.Button{card.CommandTap("Approve", approve), c.Buttons[0]}
		c.Buttons[0].Style = card.Primary
		c.Buttons[0].Confirm = &card.Confirm{
			Title: "Approve this window?",
			Text:  "For " + m.Target() + " in " + m.Cluster + ": no incidents are opened during the window.",
			Yes:   "Approve",
			No:    "Back",
		}
		begins = "Without an approval, the window does not begin. "
		foot = card.Line{card.T(m.ID() + " · "), card.C(approve.Text()), card.T(" · "), card.C(cancel.Text())}
	} else {
		c.Push = "🛠 " + card.UpperFirst(what) + by
		c.Head = append(card.Line{card.T("🛠 "), card.B(card.UpperFirst(what)), card.T(", ")}, windowSpan(m)...)
	}
	c.Head = append(c.Head, card.T(by))
	lines := []card.Line{{card.T(begins), effect}}
	if len(callees) > 0 {
		lines = append(lines, runcard.CallLine(callees, "approve or cancel"))
	}
	c.Body, c.Foot = []card.Element{card.Text{Lines: lines}}, []card.Line{foot}
	return c
}

// WindowCancelled reports the cancellation of a window.
func WindowCancelled(m fleet.Maintenance, by, reason string) card.Card {
	what := "Maintenance window for " + m.Target() + " in " + m.Cluster + " cancelled"
	m.By, m.Reason, m.Approver = by, reason, ""
	return card.Card{
		Push: "🛠 " + what + statuscard.AnnouncedBy(m), Head: card.Line{card.T("🛠 "), card.B(what), card.T(statuscard.AnnouncedBy(m))},
		Body: []card.Element{card.Text{Lines: []card.Line{{card.T("Incidents are opened for these hosts as usual. Recorded.")}}}},
	}
}

// MaintenanceEnded reports that findings are assessed as usual again.
func MaintenanceEnded(m fleet.Maintenance) card.Card {
	what := "Maintenance of " + m.Target() + " in " + m.Cluster + " ended"
	return card.Card{
		Push: "🛠 " + what + statuscard.AnnouncedBy(m), Head: card.Line{card.T("🛠 "), card.B(what), card.T(statuscard.AnnouncedBy(m))},
		Body: []card.Element{card.Text{Lines: []card.Line{{card.T("Incidents are opened for " + m.Target() + " again. Recorded.")}}}},
	}
}

// Maintenance lists current maintenance and windows.
func Maintenance(list []fleet.Maintenance, now time.Time) card.Card {
	if len(list) == 0 {
		return card.Card{Push: "Nothing is in maintenance", Head: card.Line{card.T("🛠 "), card.B("Nothing is in maintenance")},
			Foot: []card.Line{{card.C("maintenance db_dis 2h REASON"), card.T(" announces maintenance")}}}
	}
	current := 0
	for _, m := range list {
		if !m.Waits && !now.Before(m.From) {
			current++
		}
	}
	what := fmt.Sprintf("%d in maintenance", current)
	if ahead := len(list) - current; ahead > 0 {
		what += fmt.Sprintf(", %d upcoming", ahead)
	}
	c := card.Card{Push: "🛠 " + what, Head: card.Line{card.T("🛠 "), card.B(what)}}
	var lines []card.Line
	for _, m := range list {
		if m.IsWindow() {
			lines = append(lines, windowLine(m, now))
			continue
		}
		lines = append(
			lines, card.Line{
				card.B(m.Target()),
				card.T(" in " + m.Cluster + " until "),
				statuscard.Until(m),
				card.T(" (" + card.Duration(m.Until.Sub(now)) + " left)" + statuscard.AnnouncedBy(m)),
			},
		)
	}
	c.Body = []card.Element{card.Text{Lines: lines}}
	return c
}

// windowLine is one window in a list.
func windowLine(m fleet.Maintenance, now time.Time) card.Line {
	l := append(card.Line{card.B(m.Target()), card.T(" in " + m.Cluster + ", ")}, windowSpan(m)...)
	how := " (begins in " + card.Duration(m.From.Sub(now)) + ")"
	switch {
	case m.Waits:
		how = " (waits for an approval)"
	case !now.Before(m.From):
		how = " (" + card.Duration(m.Until.Sub(now)) + " left)"
	}
	return append(l, card.T(how+statuscard.AnnouncedBy(m)+" · "+m.ID()))
}
