package handlers

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/remote"
)

// TestNothingStartsWithoutItsNeeds: what was seen to be out upstream refuses a
// start before anybody is asked to approve it; what could not be asked does
// not, and neither does it where people know better.
func TestNothingStartsWithoutItsNeeds(t *testing.T) {
	silent := func(c remote.Command) remote.Result {
		return remote.Result{Outcome: remote.Unreachable, Detail: "nobody there", Ended: time.Now()}
	}
	for _, tt := range []struct {
		name, text string
		say        func(remote.Command) remote.Result
		refused    string
	}{
		{"all is up", "restart db_dis in prod", running, ""},
		{"a need is down", "restart db_dis in prod", down("configuration_server"), "configuration_server on infra-1 is down"},
		{"also for a start", "start db_dis in prod", down("configuration_server"), "configuration_server on infra-1 is down"},
		{"the need of another", "restart db_dis in prod", down("iris_controller"), ""},
		{"itself", "restart db_dis in prod", down("db_dis"), ""},
		{"one of several", "restart iris_controller in prod", func(c remote.Command) remote.Result {
			if c.Host == "query-1" {
				return down("db_query_server")(c)
			}
			return running(c)
		}, ""},
		{"all of several", "restart iris_controller in prod", down("db_query_server"), "db_query_server on query-1, query-2 is down"},
		{"nobody answers", "restart db_dis in prod", silent, ""},
		{"people know better", "restart db_dis in prod anyway=yes the disk is back", down("configuration_server"), ""},
		{"a stop needs nothing", "stop db_dis in prod", down("configuration_server"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.Fleet.Clusters[0] = estate(fleet.ACLsInEtcd)
			h.hosts.say = tt.say
			a := h.say("UANNA", tt.text)
			if open := len(h.openRuns(t)); (open == 1) != (tt.refused == "") {
				t.Errorf("%d runs: %s", open, a.all())
			}
			if tt.refused != "" && (!strings.Contains(a.all(), tt.refused) || !strings.Contains(a.all(), "Nothing was run")) {
				t.Errorf("got %s", a.all())
			}
		})
	}
}
