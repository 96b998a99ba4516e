package card_test

import (
	"fmt"
	"slices"
	"testing"

	"dhbot/internal/card/statuscard"
	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/internal/status"
	"dhbot/internal/test/cardtest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// No card hides one of two processes on two hosts, or shows a process as better
// than it is, for any combination of findings. The test covers the cards of a
// process, a host, the cluster, Home and verify.
func TestNoCardIsGreenerThanItsBoard(t *testing.T) {
	level := []runbooks.Severity{runbooks.None, runbooks.Low, runbooks.Moderate, runbooks.Critical, runbooks.Unknown}
	cause := []status.Cause{{Process: "mariadb", Hosts: []string{"infra-1"}, State: observe.Down}}
	var kinds []func(*status.Row)
	for _, s := range level {
		found := func(r *status.Row) {
			r.Finding = observe.Finding{Severity: s, Condition: s, Code: observe.Code("code-" + fmt.Sprint(int(s))), Headline: "What was found", Text: "and why"}
			r.Observation.State = observe.Up
			if s == runbooks.Unknown {
				r.Finding.WorstCase = runbooks.Critical
			}
		}
		kinds = append(kinds, found)
		if s != runbooks.None {
			kinds = append(kinds, func(r *status.Row) { found(r); r.Causes = cause })
			kinds = append(kinds, func(r *status.Row) { found(r); r.InWork = "R-7F3K" })
		}
	}
	kinds = append(
		kinds,
		func(r *status.Row) { r.Pending = true },
		func(r *status.Row) {
			r.Observation = observe.Observation{State: observe.Unseen, Why: "no answer"}
			r.Finding = observe.Finding{Severity: runbooks.Unknown, WorstCase: runbooks.Critical, Code: observe.FoundUnseen, Headline: "Could not be observed"}
		},
		func(r *status.Row) {
			r.Finding = observe.Finding{Code: observe.FoundInMaintenance, Headline: "Down, in maintenance"}
			r.Maintenance = &fleet.Maintenance{By: "anna"}
		},
	)
	row := func(process, host string, kind func(*status.Row)) status.Row {
		r := status.Row{Process: catalogs.Process{ID: process, Title: process, Level: runbooks.Critical}, Host: host, Command: "ask"}
		kind(&r)
		return r
	}
	for i, one := range kinds {
		for j, two := range kinds {
			for k, three := range kinds {
				rows := []status.Row{row("db_dis", "infra-1", one), row("tailer1", "infra-1", two), row("tailer1", "query-1", three)}
				for name, b := range map[string]status.Board{
					"cluster": {Cluster: "prod", Rows: rows},
					"host":    {Cluster: "prod", Host: "infra-1", Rows: rows[:2]},
					"process": {Cluster: "prod", Rows: rows[1:]},
					"one":     {Cluster: "prod", Rows: rows[:1]},
				} {
					list := cardtest.Hides(statuscard.Status(b), b)
					if name == "cluster" {
						list = slices.Concat(list, cardtest.Hides(statuscard.Verified(b), b))
					}
					for _, what := range list {
						t.Errorf("%d, %d, %d: %s: %s", i, j, k, name, what)
					}
					if t.Failed() {
						t.FailNow()
					}
				}
			}
		}
	}
}
