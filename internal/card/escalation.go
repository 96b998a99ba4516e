package card

import (
	"fmt"
	"time"

	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
)

// Escalation is an incident that no one owns, or a request that no one approved or denied.
type Escalation struct {
	Incident    string // its id, or
	Run, Target string
	What        string
	Since       time.Time
	Waited      time.Duration
	Callees     []engine.Callee
	Group       string // a user group
}

// about is the id of what waits.
func (e Escalation) about() string {
	if e.Incident != "" {
		return e.Incident
	}
	return e.Run
}

// IncidentSummary is what is wrong, in one line.
func IncidentSummary(i incident.Incident, cluster string) string {
	o := OpenIncident{Incident: i, Cluster: cluster}
	return clip(levelWords(i.Worst(), worstOf(o).WorstCase)+" · "+incidentWhat(o)+" · "+cluster, pushMost)
}

// RunSummary is what a request asks for, in one line.
func RunSummary(r engine.Run) string {
	return clip(r.Plan.Severity.String()+" · "+r.ID+" waits for approval: "+runTitle(r)+" · asked by "+r.Asked.Person, pushMost)
}

// Escalated calls people for what no one has taken.
func Escalated(e Escalation) Card {
	head, please := "No owner for "+span(e.Waited), ": please take it"
	button := aboutIncident("I'm on it", "own", e.Incident, "")
	if e.Run != "" {
		head, please = "No approval or denial for "+span(e.Waited), ": please approve or deny"
		button = commandTap("Show "+e.Run, command.Fields{Verb: "show", Run: e.Run})
	}
	call := Line{T("🔔 ")}
	for i, c := range e.Callees {
		if i > 0 {
			call = append(call, T(" "))
		}
		call = append(call, P(c.Person, c.Account))
	}
	if e.Group != "" {
		call = append(call, G(e.Group))
	}
	return Card{
		Push:      clip("🚨 "+head+" · "+e.What, pushMost),
		Head:      Line{T("🚨 "), B(head), T(" · " + e.about())},
		Body:      []Element{Text{Lines: []Line{{T(e.What)}, append(call, T(please))}}},
		Buttons:   []Button{button},
		Broadcast: true,
	}
}

// Paged says whether the pager took what no one has taken.
func Paged(e Escalation, pager string, err error) Card {
	if err != nil {
		text := fmt.Sprintf("%s could not be reached about %s: call people yourself", pager, e.about())
		return Card{
			Push: "🚨 " + text, Head: Line{T("🚨 "), B(text)}, Broadcast: true,
			Body: []Element{Text{Lines: []Line{{T(clip(err.Error(), pushMost))}}}},
		}
	}
	text := fmt.Sprintf("%s was alerted: %s", pager, e.What)
	return Card{
		Push: clip("📟 "+text, pushMost),
		Head: Line{T("📟 "), B(pager + " was alerted"), T(" · " + e.about() + " · nobody took it for " + span(e.Waited))},
	}
}

// PageUnsure says that an alert may not have been sent; it is not sent again.
func PageUnsure(id, what string) Card {
	text := "The pager may not have been alerted about " + id
	return Card{
		Push: clip("🚨 "+text+" · "+what, pushMost), Broadcast: true,
		Head: Line{T("🚨 "), B(text), T(": I was stopped meanwhile, and alert once only. Call people yourself.")},
	}
}
