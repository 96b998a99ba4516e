package planner

import (
	"errors"
	"slices"
	"testing"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

func continuePlanner(t *testing.T) *Planner {
	t.Helper()
	catalogs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	query := []string{"db_query_server", "log_aggregator_service", "tailer1", "db_tdcp"}
	return &Planner{Catalogs: catalogs, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{{Name: "prod", Catalog: "current", Hosts: []fleet.Host{
		{Name: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Processes: []string{"etcd", "configuration_server", "authentication_server", "db_dis", "iris_controller"}},
		{Name: "query-1", Address: "10.0.0.6:22", Login: "dhops", Processes: query},
		{Name: "query-2", Address: "10.0.0.7:22", Login: "dhops", Processes: query},
	}}}}}
}

// TestContinue checks that a run can be continued from any step that has a change at or after it.
// The continued run has exactly the remaining changes, in order, and ends like the whole plan.
func TestContinue(t *testing.T) {
	p := continuePlanner(t)
	for _, in := range []runbooks.Inputs{
		{Cluster: "prod", Action: "restart", Process: "db_query_server"},
		{Cluster: "prod", Action: "restart", Process: "tailer1", Also: []runbooks.Part{{Process: "db_tdcp"}}},
		{Cluster: "prod", Action: "restart-all"},
		{Cluster: "prod", Action: "rolling-patch"},
	} {
		whole := mustPlan(t, p, in)
		for from := 2; from <= len(whole.Steps); from++ {
			next := in
			next.Continue = []runbooks.Continuation{{Run: "R-7F3K", From: from, Digest: whole.Digest}}
			rest, err := p.Plan(next)
			var want []runbooks.Step
			for i, s := range whole.Steps {
				if i >= from-1 && s.Kind != runbooks.Wait {
					want = append(want, s)
				}
			}
			if len(want) == 0 {
				if !errors.As(err, new(*runbooks.ContinueError)) {
					t.Errorf("%s from step %d: no step is left, and the error is %v", whole.Title, from, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s from step %d: %v", whole.Title, from, err)
			}
			changes := slices.DeleteFunc(slices.Clone(rest.Steps), func(s runbooks.Step) bool { return s.Kind == runbooks.Wait })
			if !slices.Equal(changes, want) {
				t.Errorf("%s from step %d: %d changes, want %d", whole.Title, from, len(changes), len(want))
			}
			if !slices.Equal(rest.Steps[len(rest.Steps)-(len(whole.Steps)-from+1):], whole.Steps[from-1:]) {
				t.Errorf("%s from step %d: it does not end like the whole plan", whole.Title, from)
			}
			if (rest.Digest == whole.Digest) != (len(rest.Steps) == len(whole.Steps)) || rest.Digest != rest.ComputeDigest() || !slices.Equal(rest.Locks, whole.Locks) || rest.Class != whole.Class {
				t.Errorf("%s from step %d: %s %v %s", whole.Title, from, rest.Digest, rest.Locks, rest.Class)
			}
			for _, target := range rest.Targets {
				if !slices.Contains(whole.Targets, target) {
					t.Errorf("%s from step %d: target %v", whole.Title, from, target)
				}
			}
		}
	}
}

// TestContinueLooksFirst checks that a run which continues at the restart of the second host
// begins with the check of this host. In the whole plan, the check is an earlier step.
func TestContinueLooksFirst(t *testing.T) {
	p := continuePlanner(t)
	in := runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_query_server"}
	whole := mustPlan(t, p, in)
	from := slices.IndexFunc(whole.Steps, func(s runbooks.Step) bool { return s.Host == "query-2" && s.Changes() }) + 1
	in.Continue = []runbooks.Continuation{{Run: "R-7F3K", From: from, Digest: whole.Digest}}
	rest := mustPlan(t, p, in)
	if rest.Steps[0].Kind != runbooks.Wait || rest.Steps[0].Host != "query-2" || !slices.Equal(rest.Targets, []runbooks.Target{{Process: "db_query_server", Host: "query-2"}}) {
		t.Errorf("first %+v, targets %v", rest.Steps[0], rest.Targets)
	}
	for _, s := range rest.Steps {
		if s.Host == "query-1" && s.Until == runbooks.Restarted {
			t.Errorf("it waits for a restart that it does not execute: %+v", s)
		}
	}
	// A continued run can itself be continued.
	in.Continue = append(in.Continue, runbooks.Continuation{Run: "R-2C9D", From: 2, Digest: rest.Digest})
	if again := mustPlan(t, p, in); again.Digest == whole.Digest || !slices.ContainsFunc(again.Steps, runbooks.Step.Changes) {
		t.Errorf("continued once more: %+v", again)
	}
}

// TestContinueOfAnotherPlan checks that a run is not continued if the plan has changed, because
// a step number can then mean another step.
func TestContinueOfAnotherPlan(t *testing.T) {
	p := continuePlanner(t)
	in := runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_query_server"}
	whole := mustPlan(t, p, in)
	for name, c := range map[string]runbooks.Continuation{
		"another plan": {Run: "R-7F3K", From: 3, Digest: "00"},
		"no such step": {Run: "R-7F3K", From: len(whole.Steps) + 1, Digest: whole.Digest},
		"step 0":       {Run: "R-7F3K", From: 0, Digest: whole.Digest},
	} {
		in.Continue = []runbooks.Continuation{c}
		if _, err := p.Plan(in); !errors.As(err, new(*runbooks.ContinueError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	in.Continue = []runbooks.Continuation{{Run: "R-7F3K", From: 3, Digest: whole.Digest}}
	p.Fleet.Clusters[0].Hosts[1].Address = "10.0.0.9:22"
	if _, err := p.Plan(in); !errors.As(err, new(*runbooks.ContinueError)) {
		t.Errorf("another address: %v", err)
	}
}

// TestContinueAfterRewording checks that a plan stays the same if its wording changes, or if
// other processes and hosts change.
func TestContinueAfterRewording(t *testing.T) {
	p := continuePlanner(t)
	in := runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "db_query_server"}
	whole := mustPlan(t, p, in)
	was, _ := p.Catalogs.Get("current")
	text := "catalog: current\nprocesses:\n"
	for _, pr := range was.Processes() {
		text += "  - id: " + pr.ID + "\n    title: reworded\n    impact: Said otherwise.\n"
		if pr.ID == "tailer1" {
			text += "    service: tailer-one\n    level: 2\n"
		}
	}
	reworded, err := catalogs.Load(siteFile(text))
	if err != nil {
		t.Fatal(err)
	}
	p.Catalogs = reworded
	hosts := &p.Fleet.Clusters[0].Hosts
	*hosts = append(*hosts, fleet.Host{Name: "merge-1", Address: "10.0.0.8:22", Login: "dhops", Processes: []string{"db_merge_server"}})
	in.Continue = []runbooks.Continuation{{Run: "R-7F3K", From: 3, Digest: whole.Digest}}
	if rest, err := p.Plan(in); err != nil || !slices.ContainsFunc(rest.Steps, runbooks.Step.Changes) {
		t.Errorf("%v, %+v", err, rest.Steps)
	}
}
