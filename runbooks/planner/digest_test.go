package planner

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"dhbot/runbooks"
)

// prose has the fields that the digest does not cover, because a new wording must not invalidate
// an approval. The digest covers every other field of Plan and Step, so a new field must be
// added to one of the two groups.
var prose = map[string]bool{
	"Plan.Title": true, "Plan.Impact": true, "Plan.Discover": true, "Plan.Found": true, "Plan.Digest": true,
	"Step.Title": true, "Step.Source": true, "Step.Corrected": true, "Step.List": true,
}

// TestDigestCoversWhatRunsAndNoProse changes every field of real plans, one at a time.
func TestDigestCoversWhatRunsAndNoProse(t *testing.T) {
	p := testPlanner(t)
	var plans []runbooks.Plan
	for _, in := range []runbooks.Inputs{
		{Cluster: "prod", Action: "restart", Process: "tailer1"},
		{Cluster: "old", Action: "restart", Process: "etcd"},
		{Cluster: "site", Action: "save", Process: "alpha", Minted: map[string]string{"file": "20260209-140607-k3x7qa"}},
	} {
		plans = append(plans, mustPlan(t, p, in))
	}
	rapid.Check(t, func(rt *rapid.T) {
		plan := copyPlan(rt, plans[rapid.IntRange(0, len(plans)-1).Draw(rt, "plan")])
		was := plan.ComputeDigest()
		target, of := reflect.ValueOf(&plan).Elem(), "Plan."
		if rapid.Bool().Draw(rt, "in a step") {
			target, of = reflect.ValueOf(&plan.Steps[rapid.IntRange(0, len(plan.Steps)-1).Draw(rt, "step")]).Elem(), "Step."
		}
		i := rapid.IntRange(0, target.NumField()-1).Draw(rt, "field")
		name := of + target.Type().Field(i).Name
		change(rt, target.Field(i))
		if same := plan.ComputeDigest() == was; same != prose[name] {
			rt.Fatalf("%s changed to %v: same digest: %v", name, target.Field(i), same)
		}
	})
}

func TestDigestCoversTheOrder(t *testing.T) {
	plan := mustPlan(t, testPlanner(t), runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "tailer1"})
	was := plan.ComputeDigest()
	plan.Steps[1], plan.Steps[2] = plan.Steps[2], plan.Steps[1]
	if plan.ComputeDigest() == was {
		t.Error("another order of the steps has the same digest")
	}
	plan.Steps = plan.Steps[:3]
	if plan.ComputeDigest() == was {
		t.Error("a plan without one of its steps has the same digest")
	}
}

// TestDigestIsStable checks that the digest of a plan is the same in every build, because
// replicas of other builds must compute it too. Change digestForm together with this value.
func TestDigestIsStable(t *testing.T) {
	plan := runbooks.Plan{
		Catalog: "current", Cluster: "prod", Action: "restart", Class: runbooks.Disruptive, Severity: runbooks.Critical,
		Targets: []runbooks.Target{{Process: "db_dis", Host: "infra-1"}}, Locks: []string{"prod/infra-1/monit"},
		Steps: []runbooks.Step{{Kind: runbooks.Exec, Process: "db_dis", Manager: runbooks.Monit, Service: "db_dis", Host: "infra-1", Address: "10.0.0.5:22", Login: "dhops",
			Command: "monit restart db_dis", Sent: "env LC_ALL=C timeout -k 5 60 monit restart db_dis", Check: runbooks.Silent, Timeout: runbooks.Duration(60e9)}},
	}
	const want = "cf5b12600f2ab40f8a557a22930248a17845b61da4686036d09865facef81b90"
	if got := plan.ComputeDigest(); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

// TestPlanSurvivesStorage: a plan is unchanged after storing and loading it.
func TestPlanSurvivesStorage(t *testing.T) {
	plan := mustPlan(t, testPlanner(t), runbooks.Inputs{Cluster: "prod", Action: "restart", Process: "etcd"})
	back := copyPlan(t, plan)
	if !reflect.DeepEqual(plan, back) || back.ComputeDigest() != plan.Digest {
		t.Errorf("stored %+v, read %+v", plan, back)
	}
}

func copyPlan(t interface{ Fatal(...any) }, p runbooks.Plan) (out runbooks.Plan) {
	b, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// change sets a field to another value.
func change(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + rapid.StringMatching(`[a-z /"<|]{1,3}`).Draw(t, "more"))
	case reflect.Int64:
		v.SetInt(v.Int() + rapid.Int64Range(1, 600).Draw(t, "seconds")*1e9)
	case reflect.Uint8:
		v.SetUint((v.Uint() + 1) % 5)
	case reflect.Slice:
		if v.Len() > 0 && rapid.Bool().Draw(t, "shorter") {
			v.Set(v.Slice(0, v.Len()-1))
			return
		}
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	default:
		t.Fatalf("cannot change a %s", v.Kind())
	}
}

// TestDigestCoversTheJumpHosts: the digest covers the jump hosts. A plan without jump hosts keeps
// the digest from before they were supported.
func TestDigestCoversTheJumpHosts(t *testing.T) {
	digests := map[string]string{}
	for _, via := range []string{"", "a@b:22", "a@b:2222", "c@b:22", "a@b:22,a@d:22"} {
		plan := runbooks.Plan{Steps: []runbooks.Step{{Kind: runbooks.Exec, Host: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Via: via, Sent: "true"}}}
		if other, taken := digests[plan.ComputeDigest()]; taken {
			t.Errorf("the digest is the same through %q and %q", via, other)
		}
		digests[plan.ComputeDigest()] = via
		if via == "" && bytes.Contains(plan.Canonical(), []byte("via")) {
			t.Errorf("the canonical form of a direct connection has changed: %s", plan.Canonical())
		}
	}
}
