package handlers

import (
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/remote"
)

// TestStartIsRefusedWithoutDependencies: a start is refused, before an approver is mentioned, if a
// dependency is down. It is not refused if the state is unknown, or with anyway=yes.
func TestStartIsRefusedWithoutDependencies(t *testing.T) {
	silent := func(c remote.Command) remote.Result {
		return remote.Result{Outcome: remote.Unreachable, Detail: "nobody there", Ended: time.Now()}
	}
	for _, tt := range []struct {
		name, text string
		say        func(remote.Command) remote.Result
		refused    string
	}{
		{"every process runs", "restart db_dis in prod", running, ""},
		{"a dependency is down", "restart db_dis in prod", down("configuration_server"), "configuration_server on infra-1 is down"},
		{"a dependency of a process to start is down", "start db_dis in prod", down("configuration_server"), "configuration_server on infra-1 is down"},
		{"a process that db_dis does not need is down", "restart db_dis in prod", down("iris_controller"), ""},
		{"the process itself is down", "restart db_dis in prod", down("db_dis"), ""},
		{"one instance of a dependency is down", "restart iris_controller in prod", func(c remote.Command) remote.Result {
			if c.Host == "query-1" {
				return down("db_query_server")(c)
			}
			return running(c)
		}, ""},
		{"every instance of a dependency is down", "restart iris_controller in prod", down("db_query_server"), "db_query_server on query-1, query-2 is down"},
		{"no host answers", "restart db_dis in prod", silent, ""},
		{"the requester overrides the check", "restart db_dis in prod anyway=yes the disk is back", down("configuration_server"), ""},
		{"the second of two processes", "restart db_ltds, db_dis in prod", down("configuration_server"), "configuration_server on infra-1 is down"},
		{"a dependency that the plan starts before it", "restart configuration_server, db_dis in prod", down("configuration_server"), ""},
		{"a dependency that the plan starts after it", "restart db_dis, configuration_server in prod", down("configuration_server"), "configuration_server on infra-1 is down"},
		{"a stop needs nothing", "stop db_dis in prod", down("configuration_server"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newTestService(t)
			h.Fleet.Clusters[0] = estate(fleet.ACLsInEtcd)
			h.hosts.say = tt.say
			a := h.say("UANNA", tt.text)
			if open := len(h.openRuns(t)); (open == 1) != (tt.refused == "") {
				t.Errorf("%d runs: %s", open, a.all())
			}
			if tt.refused != "" && (!strings.Contains(a.all(), tt.refused) || a.code() != call.NotUp) {
				t.Errorf("got %s", a.all())
			}
		})
	}
}

// TestDependenciesAreCheckedAgainAtTheStart: if a dependency goes down after the request, the start
// is refused before anything is sent.
func TestDependenciesAreCheckedAgainAtTheStart(t *testing.T) {
	for text, goesOn := range map[string]bool{
		"restart db_dis in prod because it hangs": false, "restart db_dis in prod anyway=yes because it hangs": true,
		"stop db_dis in prod because it hangs": true,
	} {
		h := newTestService(t)
		h.Fleet.Clusters[0] = estate(fleet.ACLsInEtcd)
		a := h.say("UANNA", text)
		open := h.openRuns(t)
		if len(open) != 1 {
			t.Fatalf("%s: %d runs: %s", text, len(open), a.all())
		}
		r := open[0].Run
		r.Votes = []engine.Vote{{Actor: engine.Actor{Person: "ben", Account: auth.Account{Team: homeTeam, User: "UBEN"}}, Digest: r.Plan.Digest}}
		if err := h.Recheck(t.Context(), r); err != nil {
			t.Errorf("%s: nothing has changed, but the start is refused: %v", text, err)
		}
		h.hosts.say = down("configuration_server")
		if err := h.Recheck(t.Context(), r); (err == nil) != goesOn || err != nil && !strings.Contains(err.Error(), "configuration_server on infra-1 is down") {
			t.Errorf("%s, without its configuration server: %v", text, err)
		}
		if !goesOn {
			started := h.Now()
			if r.StartedAt = &started; h.Recheck(t.Context(), r) != nil {
				t.Errorf("%s: the check is repeated after the start", text)
			}
		}
	}
}
