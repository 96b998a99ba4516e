package handlers

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/auth"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/guard"
	"dhbot/internal/observe/proof"
	"dhbot/internal/refusal"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// guardArgs are parameters for planning every action of the catalogs.
var guardArgs = map[string]string{
	"namespace": "N", "table": "T", "partition": "p1", "date": "2018-02-09", "file": "pq-20260101-000000-aaaaaa.xml", "part": "ACLs",
	"days": "7", "parts": "routing", "snapshot": "etcd-snapshot-20260101T000000Z.db", "prefix": "/a", "user": "u",
}

// guardedPlans returns the plans of both catalogs that have guards.
func guardedPlans(t *testing.T, h *testService) map[string]runbooks.Plan {
	t.Helper()
	out := map[string]runbooks.Plan{}
	for i := range h.Fleet.Clusters {
		cl := &h.Fleet.Clusters[i]
		cat, _ := h.Catalogs.Get(cl.Catalog)
		for _, a := range cat.Actions() {
			processes := []string{""}
			if a.Scope == catalogs.AboutProcess {
				processes = nil
				for _, p := range cat.Processes() {
					if _, err := cat.Action(a.Name, p.ID); err == nil && len(cl.HostsOf(p.ID)) > 0 {
						processes = append(processes, p.ID)
					}
				}
			}
			for _, p := range processes {
				in := runbooks.Inputs{Cluster: cl.Name, Action: a.Name, Process: p, Params: map[string]string{}}
				action, err := cat.Action(a.Name, p)
				if err != nil || !action.Class.Changing() {
					continue
				}
				if action.Scope == catalogs.AboutHost || action.OneHost {
					in.Hosts = []string{cl.Hosts[0].Name}
				}
				for _, param := range action.Params {
					if v, ok := guardArgs[param.Name]; ok {
						in.Params[param.Name] = v
					}
				}
				in.Params, in.Minted = action.Settle(in.Params, h.Now()), action.Mint(h.Now())
				plan, err := listed(h, in)
				if err != nil {
					t.Errorf("%s: %s %s: %v", cat.Name, a.Name, p, err)
					continue
				}
				out[fmt.Sprintf("%s: %s %s", cat.Name, a.Name, p)] = plan
			}
		}
	}
	return out
}

// lists has a result for each discovery read, by the name of its list.
var lists = map[string]string{
	"paths":   "/db/Intraday/N/T/p1/2018-02-09",
	"sizes":   "4.0K\t/db/Intraday/N/T/p1/2018-02-09",
	"states":  "/db/TempFiles/dbmerge/db_dis/p1.2018-02-09.N.T.loaderState",
	"details": "/db/Systems/N/ImportDetails/p1/2018-02-09/T.importDetails",
	"old":     "/db/TempFiles/irisadmin/backup/routing-1.yml",
}

// listed makes a plan with the results of the discovery reads.
func listed(h *testService, in runbooks.Inputs) (runbooks.Plan, error) {
	in.Listed = map[string][]string{}
	for {
		plan, err := h.Planner.Plan(in)
		if err != nil || len(plan.Discover) == 0 {
			return plan, err
		}
		for _, st := range plan.Discover {
			name, _, _ := strings.Cut(st.List, "@")
			in.Listed[st.List] = []string{lists[name]}
		}
	}
}

// harmful returns an answer that makes a guard refuse.
func harmful(st runbooks.Step) remote.Result {
	r := remote.Result{Outcome: remote.Answered, Ended: time.Now()}
	switch st.Until {
	case runbooks.SpaceFree:
		r.Stdout = statustest.Output("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 1000 999 1 99% /\n")
	case runbooks.EtcdSpare, runbooks.EtcdQuorum:
		r.Exit = 1
		r.Stdout = statustest.Output(`[{"endpoint":"https://10.0.0.5:2379","health":true,"took":"6ms"},` +
			`{"endpoint":"https://10.0.0.6:2379","health":true,"took":"6ms"},` +
			`{"endpoint":"https://10.0.0.7:2379","health":false,"took":"5s","error":"context deadline exceeded"}]` + "\n")
	case runbooks.Nothing, runbooks.Unchanged:
		r.Stdout = statustest.Output("/something/that/is/there\n")
	case runbooks.FileThere:
		r.Exit, r.Stderr = 1, statustest.Output("stat: cannot statx: No such file or directory\n")
	case runbooks.Supervised:
		return statustest.World{st.Service: {Status: "Not monitored", PID: -1}}.Say(remote.Command{Sent: st.Sent, Host: st.Host}, time.Now())
	default:
		r = remote.Result{Outcome: remote.Unreachable, Detail: "no route to host", Ended: time.Now()}
	}
	return r
}

// TestEveryGuardRefusesTwice: each guard of both catalogs refuses at the request, before
// an approver is mentioned. A guard after the first change of its plan also refuses at the
// start. The engine itself queries the other guards at the start.
func TestEveryGuardRefusesTwice(t *testing.T) {
	h := newTestService(t)
	h.Fleet.Clusters[0] = estate(fleet.ACLsInEtcd)
	legacy := estate(fleet.ACLsInMySQL)
	legacy.Name, legacy.Catalog = "qa", "legacy-20200121"
	h.Fleet.Clusters[1] = legacy
	tried, later := map[runbooks.Condition]int{}, map[runbooks.Condition]int{}
	for name, plan := range guardedPlans(t, h) {
		for _, g := range plan.Guards() {
			st := plan.Steps[g]
			if v := proof.Evaluate(st, nil, harmful(st), time.Time{}); v.State != proof.Never {
				t.Logf("%s: %s: %s", name, st.Title, v.Text)
				continue
			}
			tried[st.Until]++
			h.hosts.say = func(c remote.Command) remote.Result {
				if c.Sent == st.Sent && c.Host == st.Host {
					return harmful(st)
				}
				return well(plan, c)
			}
			if _, err := h.guards(t.Context(), plan); !refusal.Is(err, guard.Refuses) || !strings.Contains(err.Error(), st.Title) {
				t.Errorf("%s: %s does not refuse at the request: %v", name, st.Title, err)
			}
			if g < plan.FirstChange() {
				continue
			}
			later[st.Until]++
			if err := guard.AtStart(t.Context(), h.hosts, plan); !refusal.Is(err, guard.Refuses) || !strings.Contains(err.Error(), st.Title) {
				t.Errorf("%s: %s does not refuse at the start: %v", name, st.Title, err)
			}
		}
		h.hosts.sent = nil
	}
	for _, c := range []runbooks.Condition{
		runbooks.Supervised, runbooks.FileThere, runbooks.Nothing, runbooks.Unchanged, runbooks.SpaceFree, runbooks.EtcdSpare,
	} {
		if tried[c] == 0 {
			t.Errorf("no guard of the kind %q was tried: %v", c, tried)
		}
	}
	if later[runbooks.Supervised] == 0 || later[runbooks.SpaceFree] == 0 {
		t.Errorf("no guard of a later target was tried: %v", later)
	}
	t.Log(tried, later)
}

// well answers every guard of a plan so that none refuses.
func well(plan runbooks.Plan, c remote.Command) remote.Result {
	r := remote.Result{Outcome: remote.Answered, Ended: time.Now(), Stdout: statustest.Output("12\n")}
	for _, st := range plan.Steps {
		switch {
		case st.Sent != c.Sent:
		case st.Until == runbooks.FileThere:
			return r
		case st.Until == runbooks.Unchanged:
			for _, line := range lists {
				if planner.ListHash([]string{line}) == st.Expect {
					r.Stdout = statustest.Output(line + "\n")
					return r
				}
			}
		}
	}
	return running(c)
}

// TestStartChecksLaterTargets: if a later target of a run has changed since the request,
// the run ends before anything is sent, not halfway.
func TestStartChecksLaterTargets(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis, db_ltds because both hang")
	open := h.openRuns(t)
	if len(open) != 1 {
		t.Fatalf("%d runs", len(open))
	}
	r := open[0].Run
	ben := engine.Actor{Person: "ben", Account: auth.Account{Team: homeTeam, User: "UBEN"}}
	r.Votes = []engine.Vote{{Actor: ben, Digest: r.Plan.Digest}}
	if err := h.Recheck(t.Context(), r); err != nil {
		t.Errorf("nothing has changed, but the start is refused: %v", err)
	}
	h.hosts.say = saying(statustest.World{"db_ltds": {Status: "Not monitored", PID: -1}})
	if err := h.Recheck(t.Context(), r); err == nil || !strings.Contains(err.Error(), "not monitored") {
		t.Errorf("db_ltds is no longer supervised, but the check returns %v", err)
	}
}

// TestGuardThatCannotDecide: a guard that cannot decide refuses nothing, but requires one more
// approval and appears on the card.
func TestGuardThatCannotDecide(t *testing.T) {
	for _, tt := range []struct {
		name   string
		health remote.Result
		need   int // 0: refused
	}{
		{"a quorum would remain", remote.Result{Outcome: remote.Answered, Stdout: statustest.Output(`[{"endpoint":"10.0.0.5:2379","health":true,"took":"6ms"},{"endpoint":"10.0.0.6:2379","health":true,"took":"6ms"},{"endpoint":"10.0.0.7:2379","health":true,"took":"6ms"}]`)}, 1},
		{"etcdctl is not installed", remote.Result{Outcome: remote.Answered, Exit: 127, Stderr: statustest.Output("etcdctl.sh: command not found\n")}, 2},
		{"one of three members is unhealthy", harmful(runbooks.Step{Until: runbooks.EtcdSpare}), 0},
	} {
		synctest.Test(t, func(t *testing.T) { // the guard repeats its reads, with pauses
			h := newTestService(t)
			h.hosts.say = func(c remote.Command) remote.Result {
				if strings.Contains(c.Sent, "endpoint health") {
					r := tt.health
					r.Ended = time.Now()
					return r
				}
				return running(c)
			}
			a := h.say("UANNA", "restart etcd on query-1 in prod because it lags")
			open := h.openRuns(t)
			if tt.need == 0 {
				if len(open) != 0 || !strings.Contains(a.all(), "by hand") {
					t.Errorf("%s: %d runs, %s", tt.name, len(open), a.all())
				}
				return
			}
			if len(open) != 1 {
				t.Errorf("%s: %d runs: %s", tt.name, len(open), a.all())
				return
			}
			if r := open[0].Run; r.Need != tt.need || (len(r.Unclear) > 0) != (tt.need > 1) || r.State != engine.Waiting {
				t.Errorf("%s: needs %d, unclear %v, %s", tt.name, r.Need, r.Unclear, r.State)
			}
		})
	}
}
