package cardtest

import (
	"errors"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/runbooks"
)

// handlingSamples are the cards about how people handle an incident.
func handlingSamples() []Sample {
	down := changed("db_dis", "infra-1", 12*time.Minute, runbooks.None, runbooks.Critical, "Down when it should be up", `monit: "Execution failed"`)
	down.Verb, down.Outage = "restart", true
	open := func(id string, h incident.Handling) incidentcard.OpenIncident {
		i := newIncident(item(down))
		i.ID = id
		return incidentcard.OpenIncident{Incident: i, Cluster: "prod", Handling: incident.StoredHandling{Handling: h}}
	}
	owned := incident.Handling{
		Owner: &incident.Owner{Person: "anna", Account: account("U0ANNA"), Since: now.Add(-10 * time.Minute)},
		Mute:  &incident.Mute{By: "anna", Until: now.Add(20 * time.Minute), Worst: runbooks.Critical},
	}
	several := []incidentcard.OpenIncident{open("prod-7", owned), open("prod-8", incident.Handling{})}
	update := func(u incident.Update) card.Card {
		u.At = now
		return incidentcard.HandlingUpdate(u, "prod-7", 2)
	}
	waits := incidentcard.Escalation{
		Incident: "prod-8", What: incidentcard.IncidentSummary(several[1].Incident, "prod"), Since: now.Add(-5 * time.Minute), Waited: 5 * time.Minute,
		Callees: []engine.Callee{{Person: "chris", Account: account("U0CHRIS")}, {Person: "dana", Account: account("U0DANA")}},
	}
	request := incidentcard.Escalation{Run: "R-7F3K", Target: "db_dis", What: "Sev 1 · Critical · R-7F3K waits for approval: restart db_dis · asked by anna", Waited: 5 * time.Minute, Group: "S0ONCALL"}
	again := waits
	again.Again = true
	return []Sample{
		{"escalated-incident", incidentcard.Escalated(waits)},
		{"escalated-again", incidentcard.Escalated(again)},
		{"escalated-away", card.WithAbsent(incidentcard.Escalated(waits), []card.Absent{{Person: "chris"}, {Person: "dana", DND: now.Add(5 * time.Hour)}})},
		{"escalated-request", incidentcard.Escalated(request)},
		{"paged", incidentcard.Paged(waits, "PagerDuty", nil)},
		{"paged-not", incidentcard.Paged(waits, "PagerDuty", errors.New("it answered 400 Bad Request: no reason given"))},
		{"page-unsure", incidentcard.PageUnsure("prod-8", waits.What)},
		{"page-not-resolved", incidentcard.PageNotResolved("prod-8", "PagerDuty", errors.New("it answered 400 Bad Request: no reason given"))},
		{"incident-owned", incidentcard.Incident(several[0].Incident, owned, "prod", find)},
		{"incident-handle", incidentcard.HandleIncident(several[0], []string{"ben", "chris"}, now)},
		{"incident-handle-free", incidentcard.HandleIncident(several[1], []string{"anna", "ben", "chris"}, now)},
		{"incident-list", incidentcard.Incidents(several, now)},
		{"incident-list-empty", incidentcard.Incidents(nil, now)},
		{"incident-which", incidentcard.WhichIncident(command.Fields{Verb: "own"}, several)},
		{"incident-took", update(incident.Update{Kind: incident.Took, By: "anna"})},
		{"incident-handed-over", update(incident.Update{Kind: incident.Handed, By: "anna", Who: "ben", Text: "end of shift"})},
		{"incident-released", update(incident.Update{Kind: incident.Released, Who: "ben", Text: "ben is no longer allowed to own it"})},
		{"incident-muted", update(incident.Update{Kind: incident.Muted, By: "anna", Until: now.Add(30 * time.Minute)})},
		{"incident-unmuted", update(incident.Update{Kind: incident.Unmuted, Text: "the severity changed to Sev 1 · Critical"})},
		{"incident-note", update(incident.Update{Kind: incident.Noted, By: "anna", Text: "disk replaced, rebuilding"})},
	}
}
