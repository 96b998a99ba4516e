package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// planOf returns a plan that the catalog makes for a small fleet.
func planOf(t *testing.T, in runbooks.Inputs) runbooks.Plan {
	t.Helper()
	catalogs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	query := []string{"db_query_server", "log_aggregator_service", "tailer1", "db_tdcp"}
	p := &planner.Planner{Catalogs: catalogs, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{{Name: "prod", Catalog: "current", Hosts: []fleet.Host{
		{Name: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Processes: []string{"etcd", "configuration_server", "authentication_server", "db_dis", "iris_controller"}},
		{Name: "query-1", Address: "10.0.0.6:22", Login: "dhops", Processes: query},
		{Name: "query-2", Address: "10.0.0.7:22", Login: "dhops", Processes: query},
	}}}}}
	plan, err := p.Plan(in)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// walk carries an approved run through its steps. The function takes returns the duration of step
// i. walk returns the index of the first refused step and the code of the refusal, or -1 if no
// step is refused.
func walk(t *testing.T, plan runbooks.Plan, takes func(i int) time.Duration) (refusedAt int, code refusal.Code) {
	t.Helper()
	approved := time.Date(2026, 11, 28, 2, 0, 0, 0, time.UTC)
	now := approved
	r := engine.Run{
		V: engine.FormVersion, ID: "R-7F3K", State: engine.Running, Worker: "bot", Plan: plan, Asked: engine.Anna,
		Votes:      []engine.Vote{{Actor: engine.Ben, Digest: plan.Digest}, {Actor: engine.Chris, Digest: plan.Digest}},
		ApprovedAt: &approved, StartedAt: &approved, Steps: make([]engine.Step, len(plan.Steps)),
	}
	for i := range r.Steps {
		r.Steps[i].State = engine.StepPending
	}
	do := func(e engine.Event) error {
		c, err := engine.Next(r, e, now, engine.TestPolicy)
		if err == nil {
			r = c.Run
		}
		return err
	}
	for i, s := range plan.Steps {
		if r.State == engine.Running && r.Worker == "" {
			if err := do(engine.Begin{Worker: "bot", Digest: plan.Digest}); err != nil {
				t.Fatal(err)
			}
		}
		if err := do(engine.StepBegins{Worker: "bot", Index: i, Digest: plan.Digest}); err != nil {
			no, ok := err.(*refusal.Error)
			if !ok {
				t.Fatal(err)
			}
			return i, no.Code
		}
		now = now.Add(takes(i))
		end := engine.Event(engine.StepEnds{Worker: "bot", Index: i, Step: engine.Step{State: engine.StepDone}})
		if s.Kind == runbooks.Manual {
			end = engine.StepCompleted{By: engine.Ben, Index: i}
		}
		if err := do(end); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
	}
	if r.State != engine.Done {
		t.Fatalf("the run ended as %s: %s", r.State, r.Why)
	}
	return -1, ""
}

// TestPatchCompletesAfterApprovalEnds: a rolling patch completes, although its manual steps last
// longer than any approval is valid. The patch starts again everything that it stopped.
func TestPatchCompletesAfterApprovalEnds(t *testing.T) {
	for _, action := range []string{"rolling-patch"} {
		plan := planOf(t, runbooks.Inputs{Cluster: "prod", Action: action})
		at, code := walk(t, plan, func(i int) time.Duration {
			if plan.Steps[i].Kind == runbooks.Manual {
				return 9 * time.Hour
			}
			return time.Minute
		})
		if at >= 0 {
			t.Errorf("%s: step %d (%s on %s) is refused: %s", action, at+1, plan.Steps[at].Title, plan.Steps[at].Host, code)
		}
	}
}

// TestNoNewTargetAfterApprovalEnds: however long the first change lasts, no later step stops
// something or begins a new target after the end of the approval. Steps that
// verify or complete a change still begin.
func TestNoNewTargetAfterApprovalEnds(t *testing.T) {
	for _, in := range []runbooks.Inputs{
		{Cluster: "prod", Action: "restart", Process: "db_query_server"},
		{Cluster: "prod", Action: "stop", Process: "db_query_server"},
		{Cluster: "prod", Action: "start", Process: "db_query_server"},
		{Cluster: "prod", Action: "restart-all"},
	} {
		plan := planOf(t, in)
		first := -1
		for i, s := range plan.Steps {
			if s.Changes() && first < 0 {
				first = i
			}
		}
		at, code := walk(t, plan, func(i int) time.Duration {
			if i == first {
				return 8 * time.Hour
			}
			return time.Second
		})
		if at <= first || code != engine.TooLate {
			t.Fatalf("%s: refused at step %d as %q", plan.Title, at+1, code)
		}
		if a, b := plan.Steps[first], plan.Steps[at]; !b.Changes() || a.Host == b.Host && a.Process == b.Process {
			t.Errorf("%s: the refused step is %s %s on %s, after %s %s on %s", plan.Title, b.Title, b.Process, b.Host, a.Title, a.Process, a.Host)
		}
		for i := first + 1; i < at; i++ {
			if plan.Steps[i].Changes() && plan.Steps[i].Host != plan.Steps[first].Host {
				t.Errorf("%s: step %d changed something after the end", plan.Title, i+1)
			}
		}
	}
}

func TestValidityIsBounded(t *testing.T) {
	for in, want := range map[string][2]time.Duration{
		"restart":       {30 * time.Minute, 30 * time.Minute},
		"restart-all":   {30*time.Minute + 1, 8 * time.Hour},
		"rolling-patch": {90 * time.Minute, 8 * time.Hour},
	} {
		inputs := runbooks.Inputs{Cluster: "prod", Action: in}
		if in == "restart" {
			inputs.Process = "db_dis"
		}
		if got := planOf(t, inputs).Validity(); got < want[0] || got > want[1] {
			t.Errorf("%s: %v, want %v to %v", in, got, want[0], want[1])
		}
	}
}

// TestNextHostAfterApprovalEnds tests the whole engine. The restart of the first host lasts until
// after the end of the approval, so the restart of the second host is not sent.
func TestNextHostAfterApprovalEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		h.hosts.busy = time.Hour
		stop := h.start(h.eng)
		defer stop()
		r := h.submit(restart(runbooks.Critical, "a", "b")).Run
		h.apply(r.ID, yes(engine.Ben, r))
		got := h.after(3*time.Hour, r.ID)
		for _, did := range h.hosts.did() {
			if strings.Contains(did, " b") {
				t.Errorf("sent to the second host: %s", did)
			}
		}
		h.want(got, engine.Partly, "valid until")
	})
}

// TestStepInLedgerIsNotSent: if the ledger says that a step was sent, the step is not sent again.
func TestStepInLedgerIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestEngine(t)
		r := h.submit(restart(runbooks.Low, "a")).Run
		if err := h.store.Sending(r, 1); err != nil {
			t.Fatal(err)
		}
		defer h.start(h.eng)()
		got := h.after(3*time.Minute, r.ID)
		if did := h.hosts.did(); len(did) > 0 {
			t.Errorf("sent: %v", did)
		}
		h.want(got, engine.Unknown, "the step was already sent")
	})
}
