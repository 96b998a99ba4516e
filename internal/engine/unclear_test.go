package engine

import (
	"testing"
	"time"

	"dhbot/internal/observe/proof"
	"dhbot/runbooks"
)

// TestUndecidedGuardAtTheStart: if a guard is undecided at the start, the run ends. The run goes
// on only if the guard was undecided at the request too, and the request was approved. Observed
// harm always ends the run.
func TestUndecidedGuardAtTheStart(t *testing.T) {
	for _, tt := range []struct {
		name    string
		until   runbooks.Condition
		unclear []Unclear
		proof   proof.State
		want    StepState
	}{
		{"not approved undecided", runbooks.EtcdSpare, nil, proof.Unknown, StepFailed},
		{"approved undecided", runbooks.EtcdSpare, []Unclear{{Step: 0, Text: "no etcdctl"}}, proof.Unknown, StepNoted},
		{"another guard was approved undecided", runbooks.EtcdSpare, []Unclear{{Step: 1, Text: "no etcdctl"}}, proof.Unknown, StepFailed},
		{"harm is observed", runbooks.EtcdSpare, []Unclear{{Step: 0, Text: "no etcdctl"}}, proof.Never, StepFailed},
		{"a condition that is not a guard", runbooks.Unchanged, []Unclear{{Step: 0, Text: "no answer"}}, proof.Unknown, StepFailed},
	} {
		r := Run{
			Unclear: tt.unclear, Steps: make([]Step, 2),
			Plan: runbooks.Plan{Steps: []runbooks.Step{{Kind: runbooks.Wait, Until: tt.until}, {Kind: runbooks.Exec}}},
		}
		if got := waitResult(r, 0, answer{verdict: proof.Verdict{State: tt.proof, Text: "it is so"}}); got.State != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got.State, tt.want)
		}
	}
}

// TestEtcdCannotBeQueried: if etcdctl cannot be used, the check of the last member is only noted,
// because the member's unit is up. If another member follows, the result of the check is unknown.
func TestEtcdCannotBeQueried(t *testing.T) {
	began := time.Unix(1_800_000_000, 0)
	member := func(host string) []runbooks.Step {
		return []runbooks.Step{
			{Kind: runbooks.Exec, Process: "etcd", Host: host},
			{Kind: runbooks.Wait, Process: "etcd", Host: host, Until: runbooks.EtcdServes},
		}
	}
	for _, tt := range []struct {
		name  string
		hosts []string
		proof proof.State
		want  StepState
	}{
		{"the only member", []string{"query-1"}, proof.Unknown, StepNoted},
		{"another member follows", []string{"query-1", "query-2"}, proof.Unknown, StepUnknown},
		{"observed not to serve", []string{"query-1"}, proof.Never, StepFailed},
	} {
		var r Run
		for _, h := range tt.hosts {
			r.Plan.Steps = append(r.Plan.Steps, member(h)...)
		}
		r.Steps = make([]Step, len(r.Plan.Steps))
		r.Steps[0].Started = &began
		if got := waitResult(r, 1, answer{verdict: proof.Verdict{State: tt.proof, Text: "etcdctl is not there"}}); got.State != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got.State, tt.want)
		}
	}
}
