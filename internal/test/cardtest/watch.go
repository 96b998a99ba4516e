package cardtest

import (
	"fmt"
	"time"

	"dhbot/internal/card/incidentcard"
	"dhbot/internal/incident"
	"dhbot/internal/observe"
	"dhbot/internal/status"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

func find(id string) (catalogs.Process, bool) {
	p, ok := processes[id]
	return p, ok
}

// changed returns a change of a target's severity. The argument ago says how long ago the change
// was.
func changed(process, host string, ago time.Duration, from, to runbooks.Severity, headline, text string) incident.Change {
	return incident.Change{
		At: now.Add(-ago + 5*time.Second), Target: runbooks.Target{Process: process, Host: host}, From: from, To: to, Since: now.Add(-ago),
		Headline: headline, Text: text, Command: "sudo -u irisadmin monit status " + process,
	}
}

func item(c incident.Change) incident.Item {
	return incident.Item{Change: c, First: c.Since, Peak: c.To}
}

func newIncident(items ...incident.Item) incident.Incident {
	return incident.Incident{ID: "prod-7", Opened: now.Add(-12 * time.Minute), Items: items}
}

func watchSamples() []Sample {
	down := changed("db_dis", "infra-1", 12*time.Minute, runbooks.None, runbooks.Critical, "Down when it should be up", `monit: "Execution failed". The process could not be started; the supervisor may try again`)
	down.Verb, down.Outage = "restart", true
	port := changed("db_ltds", "infra-1", 4*time.Minute, runbooks.None, runbooks.Low, "Port not answering", `monit: "Connection failed"`)
	silent := changed("", "query-2", 9*time.Minute, runbooks.None, runbooks.Unknown, "Could not check: all 5 processes unknown", "db_query_server, db_tdcp, tailer1, log_aggregator_service, etcd — could not connect to query-2: i/o timeout")
	silent.WorstCase = runbooks.Critical
	silent.Command = "sudo -u irisadmin monit status db_query_server"
	flapping := changed("tailer1", "query-1", 8*time.Minute, runbooks.None, runbooks.Critical, "Running", `monit: "OK"`)
	flapping.Flaps, flapping.Verb, flapping.Outage = 5, "restart", true
	worse := changed("db_ltds", "infra-1", time.Minute, runbooks.Low, runbooks.Moderate, "Down when it should be up", `monit: "Does not exist"`)
	worse.Was = port.Since
	well := changed("db_dis", "infra-1", 3*time.Minute, runbooks.Critical, runbooks.None, "Running", `monit: "OK"`)
	well.Was = down.Since

	root := item(down)
	root.Behind = []runbooks.Target{{Process: "db_merge_server", Host: "infra-1"}, {Process: "tailer1", Host: "query-1"}}
	over := incident.Item{Change: well, First: down.Since, Peak: runbooks.Critical}
	held := item(down)
	held.Hold = "open run: R-7F3K"
	var many []incident.Item
	for n := range 9 {
		c := down
		c.Target.Host = fmt.Sprintf("infra-%d", n+1)
		many = append(many, item(c))
	}
	end := now.Add(-time.Minute)
	done, left := newIncident(over), newIncident(held)
	done.Ended, left.Ended, left.Why = &end, &end, "the cluster is no longer monitored"

	f := incident.Follow{
		Scope: incident.Scope{Cluster: "prod", Process: "db_dis"}, Person: "operator", Account: account("U0OPERATOR"), Began: now.Add(-20 * time.Minute), Until: now.Add(10 * time.Minute),
		Settled: true, Worst: runbooks.None, Looked: now, Lately: []incident.Change{down, well},
	}
	over1, stopped := f, f
	stopped.Why = "stopped by approver"
	up := status.Board{Cluster: "prod", Rows: []status.Row{row("db_dis", "infra-1", observe.Up, "OK", "")}, At: now}
	out := status.Board{Cluster: "prod", Rows: []status.Row{row("db_dis", "infra-1", observe.Failed, "Execution failed", "")}, At: now}
	stored := []incident.StoredFollow{{Follow: f}, {Follow: incident.Follow{Scope: incident.Scope{Cluster: "prod"}, Person: "reader", Began: now, Until: now.Add(30 * time.Minute)}}}
	return []Sample{
		{"incident", incidentcard.Incident(newIncident(root), incident.Handling{}, "prod", find)},
		{"incident-several", incidentcard.Incident(newIncident(item(port), root, item(silent), over), incident.Handling{}, "prod", find)},
		{"incident-host", incidentcard.Incident(newIncident(item(silent)), incident.Handling{}, "prod", find)},
		{"incident-flapping", incidentcard.Incident(newIncident(item(flapping)), incident.Handling{}, "prod", find)},
		{"incident-in-work", incidentcard.Incident(newIncident(held), incident.Handling{}, "prod", find)},
		{"incident-elsewhere", incidentcard.Moved(incidentcard.Incident(newIncident(root), incident.Handling{}, "prod", find), "prod")},
		{"incident-many", incidentcard.Incident(newIncident(many...), incident.Handling{}, "prod", find)},
		{"incident-resolved", incidentcard.Incident(done, incident.Handling{}, "prod", find)},
		{"incident-given-up", incidentcard.Incident(left, incident.Handling{}, "prod", find)},
		{"change-worse", incidentcard.Changed(worse, 1, "prod")},
		{"change-resolved", incidentcard.Changed(well, 2, "prod")},
		{"change-flapping", incidentcard.Changed(flapping, 3, "prod")},
		{"watch", incidentcard.Following(f, up, 10*time.Second)},
		{"watch-down", incidentcard.Following(f, out, 10*time.Second)},
		{"watch-over", incidentcard.FollowEnded(over1)},
		{"watch-stopped", incidentcard.FollowEnded(stopped)},
		{"watches", incidentcard.Watches(stored, now)},
		{"watches-none", incidentcard.Watches(nil, now)},
		{"watched-elsewhere", incidentcard.WatchedElsewhere(f)},
		{"watched-longer", incidentcard.WatchedLonger(f)},
		{"watches-ended", incidentcard.WatchesEnded(2, incident.Scope{Cluster: "prod"})},
	}
}
