package incidentcard

import (
	"fmt"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
)

// Escalation is an incident without an owner, or a request without an approval
// or denial.
type Escalation struct {
	Incident    string // the id of the incident; for a request, Run and Target are set instead
	Run, Target string
	What        string
	Since       time.Time
	Waited      time.Duration
	Callees     []engine.Callee
	Group       string // a user group
	Again       bool   // an earlier mention failed, or its outcome is unknown
}

// about returns the id of the incident or run.
func (e Escalation) about() string {
	if e.Incident != "" {
		return e.Incident
	}
	return e.Run
}

// lacks says what no one has done yet, and for how long.
func (e Escalation) lacks() string {
	if e.Run != "" {
		return "no approval or denial for " + card.Duration(e.Waited)
	}
	return "no owner for " + card.Duration(e.Waited)
}

// IncidentSummary describes an incident in one line.
func IncidentSummary(i incident.Incident, cluster string) string {
	o := OpenIncident{Incident: i, Cluster: cluster}
	return card.Clip(card.LevelWords(i.Worst(), worstOf(o).WorstCase)+" · "+incidentWhat(o)+" · "+cluster, card.PushMost)
}

// RunSummary describes a run that waits for approval in one line.
func RunSummary(r engine.Run) string {
	return card.Clip(
		r.Plan.Severity.String()+" · "+r.ID+" waits for approval: "+runcard.RunTitle(r)+" · asked by "+r.Asked.Person,
		card.PushMost,
	)
}

// Escalated is the message that mentions people because an incident has no owner or a request has
// no decision.
func Escalated(e Escalation) card.Card {
	head, please := card.UpperFirst(e.lacks()), ": please take this incident"
	button := aboutIncident("I'm on it", "own", e.Incident, "")
	if e.Run != "" {
		please = ": please approve or deny"
		button = card.CommandTap("Show "+e.Run, command.Fields{Verb: "show", Run: e.Run})
	}
	call := card.Line{card.T("🔔 ")}
	for i, c := range e.Callees {
		if i > 0 {
			call = append(call, card.T(" "))
		}
		call = append(call, card.P(c.Person, c.Account))
	}
	if e.Group != "" {
		call = append(call, card.G(e.Group))
	}
	var foot []card.Line
	if e.Again {
		foot = []card.Line{{card.T("Posted again, because the last mention may not have been posted.")}}
	}
	return card.Card{
		Push:      card.Clip("🚨 "+head+" · "+e.What, card.PushMost),
		Head:      card.Line{card.T("🚨 "), card.B(head), card.T(" · " + e.about())},
		Body:      []card.Element{card.Text{Lines: []card.Line{{card.T(e.What)}, append(call, card.T(please))}}},
		Buttons:   []card.Button{button},
		Foot:      foot,
		Broadcast: true,
	}
}

// Paged reports whether the pager accepted an alert.
func Paged(e Escalation, pager string, err error) card.Card {
	if err != nil {
		text := fmt.Sprintf("The alert about %s could not be sent to %s: call people yourself", e.about(), pager)
		return card.Card{
			Push: "🚨 " + text, Head: card.Line{card.T("🚨 "), card.B(text)}, Broadcast: true,
			Body: []card.Element{card.Text{Lines: []card.Line{{card.T(pager + ": " + card.Clip(err.Error(), card.PushMost))}}}},
		}
	}
	text := fmt.Sprintf("%s was alerted: %s", pager, e.What)
	return card.Card{
		Push: card.Clip("📟 "+text, card.PushMost),
		Head: card.Line{
			card.T("📟 "),
			card.B(pager + " was alerted"),
			card.T(" · " + e.about() + " · " + e.lacks()),
		},
	}
}

// PageUnsure reports that an alert may not have been sent. The alert is not
// repeated.
func PageUnsure(id, what string) card.Card {
	text := "It is unknown whether the pager was alerted about " + id
	return card.Card{
		Push: card.Clip("🚨 "+text+" · "+what, card.PushMost), Broadcast: true,
		Head: card.Line{card.T("🚨 "), card.B(text), card.T(": I was stopped while I sent the alert, and I never send one twice. Call people yourself.")},
	}
}

// PageNotResolved reports that the bot could not resolve an alert at the pager.
func PageNotResolved(id, pager string, err error) card.Card {
	text := "The alert about " + id + " may still be open in " + pager
	return card.Card{
		Push: "⚠️ " + text, Broadcast: true,
		Head: card.Line{card.T("⚠️ "), card.B(text), card.T(": I could not resolve it. Please resolve it there.")},
		Body: []card.Element{card.Text{Lines: []card.Line{{card.T(pager + ": " + card.Clip(err.Error(), card.PushMost))}}}},
	}
}
