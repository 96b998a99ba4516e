package cardtest

import (
	"time"

	"dhbot/internal/card/incidentcard"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
)

func windowSamples() []Sample {
	from := time.Date(2026, 3, 14, 20, 0, 0, 0, time.UTC)
	asked := fleet.Maintenance{
		Cluster: "prod", Host: "infra-1,query-1", From: from, Until: from.Add(36 * time.Hour), By: "anna", Reason: "rack move", Waits: true,
	}
	approved := asked
	approved.Waits, approved.Approver = false, "ben"
	whole := approved
	whole.Host, whole.From = "", from.Add(7*24*time.Hour)
	whole.Until = whole.From.Add(36 * time.Hour)
	called := []engine.Callee{{Person: "ben", Account: account("U0BEN")}, {Person: "chris", Account: account("U0CHRIS")}}
	return []Sample{
		{"window-waiting", incidentcard.Window(asked, called)}, {"window-approved", incidentcard.Window(approved, nil)},
		{"window-cancelled", incidentcard.WindowCancelled(approved, "ben", "parts are late")},
		{"window-list", incidentcard.Maintenance([]fleet.Maintenance{approved, whole}, from.Add(time.Hour))},
	}
}
