package card

import (
	"fmt"
	"time"

	"dhbot/internal/command"
	"dhbot/internal/incident"
)

// OpenIncident is an incident that is not over, and what people do about it.
type OpenIncident struct {
	incident.Incident
	Cluster  string
	Handling incident.StoredHandling
}

// about is a button about the incident.
func aboutIncident(label, verb, id, reason string) Button {
	return commandTap(label, command.Fields{Verb: verb, Incident: id, Reason: reason})
}

// handlingLines say who owns an incident, and whether it is muted.
func handlingLines(h incident.Handling) []Line {
	owner := Line{T("👤 No owner yet")}
	if o := h.Owner; o != nil {
		owner = Line{T("👤 "), B(o.Person), T(" is on it since "), At(o.Since)}
	}
	lines := []Line{owner}
	if m := h.Mute; m != nil {
		lines = append(lines, Line{T("🔕 Muted until "), At(m.Until), T(" by " + m.By)})
	}
	return lines
}

// handlingTap is the one button about its handling that an incident's card has.
func handlingTap(id string, h incident.Handling) Button {
	if h.Owner == nil {
		b := aboutIncident("I'm on it", "own", id, "")
		b.Style = Primary
		return b
	}
	return aboutIncident("Owner, mute, note…", "incidents", id, "")
}

// mostOwners bounds the buttons to hand an incident over.
const mostOwners = 5

// HandleIncident shows the caller what can be done about an incident. owners are who
// else may own it.
func HandleIncident(o OpenIncident, owners []string, now time.Time) Card {
	h := o.Handling.Handling
	c := Card{
		Push: o.ID + " · " + incidentWhat(o), Private: true,
		Head: Line{
			T(levelIcon(o.Worst(), worstOf(o).WorstCase) + " "), B(o.ID),
			T(" · " + incidentWhat(o) + " · open " + span(now.Sub(o.Opened))),
		},
		Body: []Element{Text{Lines: handlingLines(h)}},
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
	c.Foot = []Line{{T("→ hands it over. The same by words: "), C("handover " + o.ID + " PERSON"), T(", "), C("note " + o.ID + " TEXT")}}
	return c
}

func worstOf(o OpenIncident) incident.Item {
	open := worstFirst(o.Open())
	if len(open) == 0 {
		return incident.Item{}
	}
	return open[0]
}

// incidentWhat is what is wrong, in a few words.
func incidentWhat(o OpenIncident) string {
	open := o.Open()
	if len(open) > 1 {
		return fmt.Sprintf("%d things wrong in %s", len(open), o.Cluster)
	}
	it := worstOf(o)
	return clip(itemHeadline(it)+" · "+it.Target.String(), pushMost)
}

// incidentLine is one open incident in a list.
func incidentLine(o OpenIncident, now time.Time) Line {
	line := Line{
		T(levelIcon(o.Worst(), worstOf(o).WorstCase) + " "), B(o.ID),
		T(" · " + incidentWhat(o) + " · " + span(now.Sub(o.Opened)) + " · "),
	}
	if owner := o.Handling.Owner; owner != nil {
		line = append(line, T("👤 "+owner.Person))
	} else {
		line = append(line, T("no owner"))
	}
	if o.Handling.Mute != nil {
		line = append(line, T(" · 🔕"))
	}
	return line
}

// mostListed bounds a list of incidents and its buttons.
const mostListed = 10

// Incidents lists what is open.
func Incidents(list []OpenIncident, now time.Time) Card {
	if len(list) == 0 {
		return Card{Push: "No open incident", Head: Line{T("✅ "), B("No open incident")}}
	}
	what := count(len(list), "open incident")
	c := Card{Push: what, Head: Line{B(what)}}
	var lines []Line
	for _, o := range list[:min(mostListed, len(list))] {
		lines = append(lines, incidentLine(o, now))
		if len(c.Buttons) < mostTaps {
			c.Buttons = append(c.Buttons, aboutIncident(o.ID, "incidents", o.ID, ""))
		}
	}
	if n := len(list) - mostListed; n > 0 {
		lines = append(lines, Line{T(fmt.Sprintf("and %d more", n))})
	}
	c.Body = paragraphs(lines)
	return c
}

// WhichIncident answers a command that names no incident while several are open, or
// none is: each as a button. Nothing was changed.
func WhichIncident(f command.Fields, list []OpenIncident) Card {
	if len(list) == 0 {
		return Card{
			Push: "No open incident. Nothing was changed.", Private: true,
			Head: Line{T("✅ "), B("No open incident."), T(" Nothing was changed.")},
		}
	}
	c := Card{
		Push: "Which incident? " + fmt.Sprint(len(list)) + " are open.", Private: true,
		Head: Line{T("❔ "), B("Which incident?"), T(" Nothing was changed.")},
	}
	var lines []Line
	for _, o := range list[:min(mostListed, len(list))] {
		lines = append(lines, Line{T(levelIcon(o.Worst(), worstOf(o).WorstCase) + " "), B(o.ID), T(" · " + incidentWhat(o))})
		one := f
		one.Incident = o.ID
		c.Buttons = append(c.Buttons, commandTap(clip(f.Verb+" "+o.ID, 70), one))
	}
	c.Body = paragraphs(lines)
	return c
}

// Handled confirms to the caller what was done about an incident.
func Handled(o OpenIncident) Card {
	h := o.Handling.Handling
	c := Card{Private: true}
	if u := h.Updates; len(u) > 0 {
		c.Head = append(Line{B(o.ID), T(" · ")}, updateLine(u[len(u)-1])...)
	}
	c.Push = PlainLine(c.Head)
	return c
}

// HandlingUpdate is one deed, for the incident's thread. n numbers it, so that one that is
// posted twice is recognised.
func HandlingUpdate(u incident.Update, id string, n int) Card {
	line := updateLine(u)
	return Card{Push: id + " · " + PlainLine(line), Head: line, Foot: []Line{{T(fmt.Sprintf("%s · update %d · ", id, n)), At(u.At)}}}
}

func updateLine(u incident.Update) Line {
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
		return Line{T("👤 "), B(by), T(" is on it" + said)}
	case incident.Handed:
		if u.By == u.Who {
			return Line{T("👤 "), B(by), T(" took it over" + said)}
		}
		return Line{T("👤 "), B(by), T(" handed it over to "), B(u.Who), T(said)}
	case incident.Released:
		if u.By == u.Who {
			return Line{T("👤 "), B(by), T(" released it: no owner now" + said)}
		}
		return Line{T("👤 "), B(by), T(" released it, "), B(u.Who), T(" owned it: no owner now" + said)}
	case incident.Muted:
		return Line{T("🔕 "), B(by), T(" muted notifications until "), At(u.Until), T("; a change of the level ends that")}
	case incident.Unmuted:
		if u.By == "" {
			return Line{T("🔔 Notifications are on again" + said)}
		}
		return Line{T("🔔 "), B(by), T(" switched notifications on again" + said)}
	default:
		return Line{T("📝 "), B(by), T(said)}
	}
}

// WhatToNote is the form for a note.
func WhatToNote(id string) Form {
	return Form{
		Action: TapNoted, Value: id, Title: "Note on " + clip(id, 14),
		Inputs: []Input{{Name: "text", Label: "What happened, or was done?", Hint: "Shown in the thread and in the timeline.", Multiline: true}},
		Submit: "Add", Typed: "note " + id + " TEXT",
	}
}
