package handlers

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
)

// TestRepeatingASuccessNeedsAConfirmation: repeating a command that has just succeeded
// needs a confirmation, unless its target has changed or another run has acted on it
// since.
func TestRepeatingASuccessNeedsAConfirmation(t *testing.T) {
	const pid = 7
	up := statustest.World{"db_ltds": {PID: pid}}
	for _, c := range []struct {
		name   string
		verb   string
		now    statustest.World
		other  string       // the command of another run since the success, "" for none
		state  engine.State // the state in which that run ended
		silent bool
		asks   bool
	}{
		{name: "unchanged since", verb: "restart", now: up, asks: true},
		{name: "the process is down", verb: "restart", now: statustest.World{"db_ltds": {Status: "Does not exist", PID: -1}}},
		{name: "the process has another pid", verb: "restart", now: statustest.World{"db_ltds": {PID: pid + 1}}},
		{name: "another run has stopped the process", verb: "restart", now: up, other: "stop db_ltds", state: engine.Done},
		{name: "another run of the process has failed", verb: "restart", now: up, other: "start db_ltds", state: engine.Failed},
		{name: "another run acted on another process", verb: "restart", now: up, other: "stop db_merge_server", state: engine.Done, asks: true},
		{name: "the host does not answer", verb: "restart", now: up, silent: true},
		{name: "unchanged since the stop", verb: "stop", now: statustest.World{"db_ltds": {Status: "Not monitored", PID: -1}}, asks: true},
		{name: "started by hand since the stop", verb: "stop", now: up},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newTestService(t)
			h.hosts.say = saying(c.now)
			h.say("UANNA", c.verb+" db_ltds")
			first := h.openRuns(t)[0]
			for i, p := range first.Run.Plan.Steps {
				if c.verb == "restart" && p.Kind == "wait" {
					first.Run.Steps[i].NewPID = pid
				}
			}
			h.end(t, first, engine.Done, -2*time.Minute)
			if c.other != "" {
				h.say("UBEN", c.other)
				h.end(t, h.openRuns(t)[0], c.state, -time.Minute)
			}
			if c.silent {
				h.hosts.say = func(remote.Command) remote.Result {
					return remote.Result{Outcome: remote.Unreachable, Ended: time.Now()}
				}
			}
			a := h.say("UANNA", c.verb+" db_ltds")
			if asked := len(h.openRuns(t)) == 0; asked != c.asks {
				t.Errorf("asked for a confirmation: %v, want %v: %s", asked, c.asks, a.all())
			}
			if c.asks && !strings.Contains(a.all(), "Run it again?") {
				t.Errorf("the card does not ask for a confirmation: %s", a.all())
			}
		})
	}
}
