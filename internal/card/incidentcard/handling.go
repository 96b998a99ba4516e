package incidentcard

import (
	"fmt"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/incident"
)

// OpenIncident is an open incident and its handling.
type OpenIncident struct {
	incident.Incident
	Cluster  string
	Handling incident.StoredHandling
}

// aboutIncident returns a button for a command about an incident.
func aboutIncident(label, verb, id, reason string) card.Button {
	return card.CommandTap(label, command.Fields{Verb: verb, Incident: id, Reason: reason})
}

// handlingLines shows the owner of an incident, and until when the incident is muted.
func handlingLines(h incident.Handling) []card.Line {
	owner := card.Line{card.T("👤 No owner yet")}
	if o := h.Owner; o != nil {
		owner = card.Line{card.T("👤 "), card.B(o.Person), card.T(" has been on it since "), card.At(o.Since)}
	}
	lines := []card.Line{owner}
	if m := h.Mute; m != nil {
		lines = append(lines, card.Line{card.T("🔕 Muted until "), card.At(m.Until), card.T(" by " + m.By)})
	}
	return lines
}

// handlingTap returns the one handling button on an incident's card. It makes the person the owner,
// or, if there is an owner, shows what can be changed.
func handlingTap(id string, h incident.Handling) card.Button {
	if h.Owner == nil {
		b := aboutIncident("I'm on it", "own", id, "")
		b.Style = card.Primary
		return b
	}
	return aboutIncident("Owner, mute, note…", "incidents", id, "")
}

// mostOwners limits the hand-over buttons.
const mostOwners = 5

// HandleIncident shows the caller the possible actions for an incident. The
// argument owners lists the other people who may own the incident.
func HandleIncident(o OpenIncident, owners []string, now time.Time) card.Card {
	h := o.Handling.Handling
	c := card.Card{
		Push: o.ID + " · " + incidentWhat(o), Private: true,
		Head: card.Line{
			card.T(card.LevelIcon(o.Worst(), worstOf(o).WorstCase) + " "), card.B(o.ID),
			card.T(" · " + incidentWhat(o) + " · open " + card.Duration(now.Sub(o.Opened))),
		},
		Body: []card.Element{card.Text{Lines: handlingLines(h)}},
	}
	if h.Owner == nil {
		c.Buttons = append(c.Buttons, handlingTap(o.ID, h))
	} else {
		c.Buttons = append(c.Buttons, aboutIncident("Release", "release", o.ID, ""))
	}
	if h.Mute == nil {
		c.Buttons = append(c.Buttons, aboutIncident("Mute 30m", "mute", o.ID, "30m"), aboutIncident("Mute 1h", "mute", o.ID, "1h"))
	} else {
		c.Buttons = append(c.Buttons, aboutIncident("Unmute", "mute", o.ID, "end"))
	}
	c.Buttons = append(c.Buttons, aboutIncident("Note…", "note", o.ID, ""))
	for _, name := range owners[:min(mostOwners, len(owners))] {
		c.Buttons = append(c.Buttons, aboutIncident("→ "+name, "handover", o.ID, name))
	}
	c.Foot = []card.Line{
		{
			card.T("→ hands the incident over. You can also type "),
			card.C("handover " + o.ID + " PERSON"),
			card.T(", "),
			card.C("note " + o.ID + " TEXT"),
		},
	}
	return c
}

func worstOf(o OpenIncident) incident.Item {
	open := worstFirst(o.Open())
	if len(open) == 0 {
		return incident.Item{}
	}
	return open[0]
}

// incidentWhat describes an incident in a few words.
func incidentWhat(o OpenIncident) string {
	open := o.Open()
	if len(open) > 1 {
		return fmt.Sprintf("%d problems in %s", len(open), o.Cluster)
	}
	it := worstOf(o)
	return card.Clip(itemHeadline(it)+" · "+it.Target.String(), card.PushMost)
}

// incidentLine is one open incident in a list.
func incidentLine(o OpenIncident, now time.Time) card.Line {
	line := card.Line{
		card.T(card.LevelIcon(o.Worst(), worstOf(o).WorstCase) + " "), card.B(o.ID),
		card.T(" · " + incidentWhat(o) + " · " + card.Duration(now.Sub(o.Opened)) + " · "),
	}
	if owner := o.Handling.Owner; owner != nil {
		line = append(line, card.T("👤 "+owner.Person))
	} else {
		line = append(line, card.T("no owner"))
	}
	if o.Handling.Mute != nil {
		line = append(line, card.T(" · 🔕"))
	}
	return line
}

// mostListed limits a list of incidents and its buttons.
const mostListed = 10

// Incidents lists open incidents.
func Incidents(list []OpenIncident, now time.Time) card.Card {
	if len(list) == 0 {
		return card.Card{Push: "No open incident", Head: card.Line{card.T("✅ "), card.B("No open incident")}}
	}
	what := card.Count(len(list), "open incident")
	c := card.Card{Push: what, Head: card.Line{card.B(what)}}
	var lines []card.Line
	for _, o := range list[:min(mostListed, len(list))] {
		lines = append(lines, incidentLine(o, now))
		if len(c.Buttons) < card.MostTaps {
			c.Buttons = append(c.Buttons, aboutIncident(o.ID, "incidents", o.ID, ""))
		}
	}
	if n := len(list) - mostListed; n > 0 {
		lines = append(lines, card.Line{card.T(fmt.Sprintf("and %d more", n))})
	}
	c.Body = card.Paragraphs(lines)
	return c
}

// WhichIncident answers a command without an incident id, unless exactly one incident is open. The
// first incidents are buttons. Nothing was changed.
func WhichIncident(f command.Fields, list []OpenIncident) card.Card {
	if len(list) == 0 {
		return card.Card{
			Push: "No open incident. Nothing was changed.", Private: true,
			Head: card.Line{card.T("✅ "), card.B("No open incident."), card.T(" Nothing was changed.")},
		}
	}
	c := card.Card{
		Push: "Which incident? " + fmt.Sprint(len(list)) + " are open.", Private: true,
		Head: card.Line{card.T("❔ "), card.B("Which incident?"), card.T(" Nothing was changed.")},
	}
	var lines []card.Line
	for _, o := range list[:min(mostListed, len(list))] {
		lines = append(
			lines,
			card.Line{card.T(card.LevelIcon(o.Worst(), worstOf(o).WorstCase) + " "), card.B(o.ID), card.T(" · " + incidentWhat(o))},
		)
		one := f
		one.Incident = o.ID
		c.Buttons = append(c.Buttons, card.CommandTap(card.Clip(f.Verb+" "+o.ID, 70), one))
	}
	c.Body = card.Paragraphs(lines)
	return c
}

// Handled confirms a change of an incident's handling to the caller.
func Handled(o OpenIncident) card.Card {
	h := o.Handling.Handling
	c := card.Card{Private: true}
	if u := h.Updates; len(u) > 0 {
		c.Head = append(card.Line{card.B(o.ID), card.T(" · ")}, updateLine(u[len(u)-1])...)
	}
	c.Push = card.PlainLine(c.Head)
	return c
}

// HandlingUpdate reports one update in the incident's thread. The number n
// makes duplicates visible.
func HandlingUpdate(u incident.Update, id string, n int) card.Card {
	line := updateLine(u)
	return card.Card{
		Push: id + " · " + card.PlainLine(line),
		Head: line,
		Foot: []card.Line{{card.T(fmt.Sprintf("%s · update %d · ", id, n)), card.At(u.At)}},
	}
}

func updateLine(u incident.Update) card.Line {
	by := u.By
	if by == "" {
		by = "I"
	}
	said := ""
	if u.Text != "" {
		said = ": " + u.Text
	}
	switch u.Kind {
	case incident.Took:
		return card.Line{card.T("👤 "), card.B(by), card.T(" is on it" + said)}
	case incident.Handed:
		if u.By == u.Who {
			return card.Line{card.T("👤 "), card.B(by), card.T(" took the incident over" + said)}
		}
		return card.Line{card.T("👤 "), card.B(by), card.T(" handed the incident over to "), card.B(u.Who), card.T(said)}
	case incident.Released:
		if u.By == u.Who || u.By == "" && said != "" { // the bot's reason names the owner
			return card.Line{card.T("👤 No owner now. "), card.B(by), card.T(" released the incident" + said)}
		}
		return card.Line{card.T("👤 No owner now. "), card.B(by), card.T(" released the incident, which "),
			card.B(u.Who), card.T(" owned" + said)}
	case incident.Muted:
		return card.Line{
			card.T("🔕 "),
			card.B(by),
			card.T(" muted notifications until "),
			card.At(u.Until),
			card.T("; a change of severity ends the mute"),
		}
	case incident.Unmuted:
		if u.By == "" {
			return card.Line{card.T("🔔 Notifications are on again" + said)}
		}
		return card.Line{card.T("🔔 "), card.B(by), card.T(" switched notifications on again" + said)}
	default:
		return card.Line{card.T("📝 "), card.B(by), card.T(said)}
	}
}

// WhatToNote is the form for a note.
func WhatToNote(id string) card.Form {
	return card.Form{
		Action: card.TapNoted, Value: id, Title: "Note on " + card.Clip(id, 14),
		Inputs: []card.Input{
			{Name: "text", Label: "What happened, or what was done?", Hint: "Shown in the thread and in the timeline.", Multiline: true},
		},
		Submit: "Add", Typed: "note " + id + " TEXT",
	}
}
