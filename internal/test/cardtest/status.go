package cardtest

import (
	"time"

	"dhbot/internal/card"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/internal/status"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// processes has a few processes of the catalog, by id.
var processes = map[string]catalogs.Process{
	"db_dis": {ID: "db_dis", Title: "Data Import Server", Aliases: []string{"dis"}, Level: runbooks.Critical, Manager: runbooks.Monit, Service: "db_dis",
		Impact:  "Binary logs are not written to the database, and binary store imports fail.",
		Needs:   []catalogs.Need{{Process: "configuration_server"}, {Process: "authentication_server"}},
		Logs:    catalogs.Logs{Dir: "dis", App: []string{"DataImportServer.log.current"}},
		Actions: []string{"logs", "restart", "start", "status", "stop"}},
	"db_ltds": {ID: "db_ltds", Title: "Local Table Data Server", Level: runbooks.Moderate, Manager: runbooks.Monit, Service: "db_ltds",
		Impact: "Historical data cannot be read.", Actions: []string{"logs", "restart", "start", "status", "stop"}},
	"db_query_server": {ID: "db_query_server", Title: "Remote Query Dispatcher", Level: runbooks.Critical, Manager: runbooks.Monit, Service: "db_query_server",
		Impact: "Every running query worker ends and none can start: all persistent queries and all consoles of this server.", Actions: []string{"logs", "restart", "start", "status", "stop"}},
	"tailer1": {ID: "tailer1", Title: "Tailer 1", Level: runbooks.Critical, Manager: runbooks.Monit, Service: "tailer1",
		Impact: "Binary logs of this host do not reach the import server.", Actions: []string{"restart", "status"}},
}

// row returns the row of a process. If why is "", the row has the state that the supervisor
// reports, else why says why there is no answer.
func row(id, host string, state observe.State, said, why string) status.Row {
	p := processes[id]
	o := observe.Observation{Manager: p.Manager, Service: p.Service, State: state, Status: said, Why: why, At: now.Add(-2 * time.Second), Outcome: remote.Answered}
	if state == observe.Up || state == observe.Trouble {
		o.PID, o.Alive = 705, observe.AliveProved
	}
	return status.Row{
		Process: p, Host: host, Command: "sudo -u irisadmin monit status " + id, Observation: o,
		Finding: observe.Assess(o, observe.Expect{Up: true, Level: p.Level}),
	}
}

func board(host string, rows ...status.Row) card.Card {
	return statuscard.Status(status.Board{Cluster: "prod", Host: host, Rows: rows, At: now})
}

func statusSamples() []Sample {
	down := row("db_dis", "infra-1", observe.Failed, "Execution failed", "")
	up := func(id, host string) status.Row { return row(id, host, observe.Up, "OK", "") }
	busy := down
	busy.InWork = "R-7F3K"
	waiting := status.Row{Process: processes["db_query_server"], Host: "query-2", Pending: true}
	silent := "could not connect to query-2: i/o timeout"
	unrecorded := statuscard.Status(status.Board{Cluster: "prod", Rows: []status.Row{up("db_dis", "infra-1")}, At: now, Unrecorded: true})
	return []Sample{
		{"status-running", board("", up("db_dis", "infra-1"))},
		{"status-down", board("", down)},
		{"status-in-work", board("", busy)},
		{"status-not-monitored", board("", row("db_ltds", "infra-1", observe.NotMonitored, "Not monitored", ""))},
		{"status-unseen", board("", row("db_dis", "infra-1", observe.Unseen, "", "refused by sudo: a password is required"))},
		{"status-two-hosts", board("", up("db_query_server", "query-1"), waiting)},
		{"status-unrecorded", unrecorded},
		{"board-well", board("", up("db_dis", "infra-1"), up("db_ltds", "infra-1"), up("db_query_server", "query-1"), up("db_query_server", "query-2"))},
		{"board-trouble", board("", busy, row("db_ltds", "infra-1", observe.Trouble, "Connection failed", ""), up("db_query_server", "query-1"),
			row("db_query_server", "query-2", observe.Unseen, "", silent), row("tailer1", "query-2", observe.Unseen, "", silent), up("tailer1", "query-1"))},
		{"board-host", board("query-1", up("db_query_server", "query-1"), up("tailer1", "query-1"))},
	}
}
