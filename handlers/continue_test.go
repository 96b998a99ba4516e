package handlers

import (
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// TestContinueAnUnfinishedRun: the rest of a run is requested as a new run with its own
// approvals. An open run, or one that is being continued, cannot be continued.
func TestContinueAnUnfinishedRun(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart etcd in prod because it lags")
	st := h.openRuns(t)[0]
	refused(t, h.say("UANNA", "continue "+st.Run.ID), call.NotNow) // an open run
	changes := 0
	for i := range st.Run.Steps {
		if st.Run.Plan.Steps[i].Kind == runbooks.Exec {
			changes++
		}
		st.Run.Steps[i].State = engine.StepDone
		if changes == 2 {
			st.Run.Steps[i].State = engine.StepFailed
			break
		}
	}
	h.end(t, st, engine.Partly, -time.Minute)
	if a := h.say("URITA", "continue "+st.Run.ID); len(h.openRuns(t)) != 0 {
		t.Errorf("a reader continues: %s", a.all())
	}
	host := &h.Fleet.Clusters[0].Hosts[0]
	address := host.Address
	host.Address = "10.9.9.9:22" // since then, the config has changed
	refused(t, h.say("UANNA", "continue "+st.Run.ID), call.NoPlan)
	host.Address = address
	a := h.say("UANNA", "continue "+st.Run.ID)
	open := h.openRuns(t)
	if len(open) != 1 {
		t.Fatalf("%d runs: %s", len(open), a.all())
	}
	r := open[0].Run
	if r.State != engine.Waiting || r.Need != 1 || len(r.Inputs.Continue) != 1 || r.Inputs.Continue[0].Run != st.Run.ID {
		t.Errorf("%s needs %d, continues %v, steps %d", r.State, r.Need, r.Inputs.Continue, len(r.Plan.Steps))
	}
	refused(t, h.say("UANNA", "continue "+st.Run.ID), call.AlreadyThere)
	if n := len(h.openRuns(t)); n != 1 {
		t.Errorf("continued twice: %d runs", n)
	}
}
