package proof

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

// TestEtcdConditions evaluates every condition about etcd, with answers of a real cluster of three
// members.
func TestEtcdConditions(t *testing.T) {
	samples := answertest.Read(t, "etcd")
	const first, third = "10.77.0.11 infra-1", "10.77.0.13 query-2"
	for _, tt := range []struct {
		sample string
		until  runbooks.Condition
		member string
		state  State
		text   string
	}{
		{"status-json", runbooks.EtcdStatus, "", Met, "3 of 3 members answer, leader https://10.77.0.12:2379, term, index and revision agree"},
		{"status-cluster-json", runbooks.EtcdStatus, "", Met, "3 of 3"},
		{"one-down-status-json", runbooks.EtcdStatus, "", Noted, "2 of 3 members answer, leader https://10.77.0.12:2379: https://10.77.0.13:2379 does not answer (dial tcp 10.77.0.13:2379: connect: connection refused)"},
		{"no-quorum-status-json", runbooks.EtcdStatus, "", Never, "exit code 2: context deadline exceeded; with access control on, no login works without a quorum"},
		{"nospace-status-json", runbooks.EtcdStatus, "", Noted, "NOSPACE alarm of memberID:10225113350932192838"},
		{"sizes-differ-status-json", runbooks.EtcdStatus, "", Noted, "has 19.2 MiB in use, another member 12.0 KiB"}, // one member was defragmented
		{"on-query-node", runbooks.EtcdStatus, "", Never, "cannot read /etc/sysconfig/deephaven/etcd/client/root/endpoints"},

		{"health-json", runbooks.EtcdQuorum, "", Met, "all 3 members are healthy"},
		{"one-down-health-json", runbooks.EtcdQuorum, "", Noted, "quorum kept: 2 of 3 members are healthy; not https://10.77.0.13:2379 (context deadline exceeded"},
		{"no-quorum-health-json", runbooks.EtcdQuorum, "", NotYet, "no quorum: 0 of 3"},
		{"on-query-node", runbooks.EtcdQuorum, "", Unknown, "cannot read"},

		{"health-json", runbooks.EtcdSpare, first, Met, "2 of 3 members remain, a quorum of 2"},
		{"health-json", runbooks.EtcdSpare, "nowhere", Met, "2 of 3 members remain"},
		{"one-down-health-json", runbooks.EtcdSpare, first, Never, "refused: 2 of 3 members answer, and without this one there would be no quorum of 2; first start the others; not https://10.77.0.13:2379"},
		{"one-down-health-json", runbooks.EtcdSpare, "nowhere", Never, "refused"},
		{"one-down-health-json", runbooks.EtcdSpare, third, NotYet, "https://10.77.0.13:2379 does not serve"},
		{"no-quorum-health-json", runbooks.EtcdSpare, first, NotYet, "there is no quorum to lose"},
		{"on-query-node", runbooks.EtcdSpare, first, Unknown, "cannot read"},

		{"health-json", runbooks.EtcdServes, third, Met, "https://10.77.0.13:2379 is healthy"},
		{"one-down-health-json", runbooks.EtcdServes, third, NotYet, "is not healthy (context deadline exceeded)"},
		{"one-down-health-json", runbooks.EtcdServes, first, Met, "2 of 3"},
		{"one-down-health-json", runbooks.EtcdServes, "query-9", NotYet, "no endpoint is called query-9"},
		{"health-json", runbooks.EtcdServes, "query-9", Met, "all 3"},

		{"status-json", runbooks.EtcdCaughtUp, third, Met, "caught up: term 2, index 41"},
		{"one-down-status-json", runbooks.EtcdCaughtUp, third, NotYet, "1 of 3 members do not answer"},
		{"one-down-status-json", runbooks.EtcdCaughtUp, first, Noted, "caught up: term 2, index"},
		{"no-quorum-status-json", runbooks.EtcdCaughtUp, first, Unknown, "deadline"},

		{"alarm-list", runbooks.EtcdAlarms, "", Met, "no alarms"},
		{"nospace-alarm-list", runbooks.EtcdAlarms, "", Noted, "NOSPACE alarm of memberID:10225113350932192838"},
		{"no-quorum-role-list", runbooks.EtcdAlarms, "", Never, "deadline"},

		{"snapshot-status-one-json", runbooks.SnapshotGood, "", Met, "revision 5, 21 keys, 20.2 MiB"},
		{"snapshot-status-empty", runbooks.SnapshotGood, "", Never, "cannot be read"},
		{"snapshot-status-missing", runbooks.SnapshotGood, "", Never, "cannot be read"},
		{"snapshot-status-truncated", runbooks.SnapshotGood, "", Never, "exit code 2"},

		{"get-keys-only", runbooks.Shown, "", Met, "lines"},
		{"get-missing", runbooks.Shown, "", Met, "0 lines"},
		{"get-denied", runbooks.Shown, "", Never, "exit code 1"},
	} {
		s, ok := samples[tt.sample]
		if !ok {
			t.Fatalf("no sample %s", tt.sample)
		}
		step := runbooks.Step{Kind: runbooks.Wait, Until: tt.until, Member: tt.member, Timeout: runbooks.Duration(15 * time.Second)}
		v := Evaluate(step, nil, s.Result, time.Time{})
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s until %s of %s: %s: %q; want %s: %q", tt.sample, tt.until, tt.member, v.State, v.Text, tt.state, tt.text)
		}
	}
}

// health returns etcdctl's answer about the health of members. In the map, true means healthy.
func health(members map[string]bool) remote.Result {
	var rows []string
	exit := 0
	for endpoint, ok := range members {
		row := `{"endpoint":"` + endpoint + `","health":true,"took":"1ms"}`
		if !ok {
			row, exit = `{"endpoint":"`+endpoint+`","health":false,"took":"","error":"context deadline exceeded"}`, 1
		}
		rows = append(rows, row)
	}
	r := answertest.Of("Welcome!\n[" + strings.Join(rows, ",") + "]\n")
	r.Exit = exit
	return r
}

// TestEtcdSpareBySize tests the quorum guard for clusters of every usual size. A serving member may
// be changed only if the others are a majority without it.
func TestEtcdSpareBySize(t *testing.T) {
	members := func(n, ill int) map[string]bool {
		out := map[string]bool{}
		for i := range n {
			out["https://m"+string(rune('1'+i))+":2379"] = i < n-ill
		}
		return out
	}
	for _, tt := range []struct {
		n, ill int
		member string
		state  State
	}{
		{1, 0, "m1", Noted}, {1, 1, "m1", NotYet},
		{2, 0, "m1", Never}, {2, 1, "m2", NotYet},
		{3, 0, "m1", Met}, {3, 1, "m1", Never}, {3, 1, "m3", NotYet}, {3, 3, "m1", NotYet},
		{4, 0, "m1", Met}, {4, 1, "m1", Never},
		{5, 0, "m1", Met}, {5, 1, "m1", Noted}, {5, 2, "m1", Never}, {5, 2, "m5", NotYet},
	} {
		step := runbooks.Step{Until: runbooks.EtcdSpare, Member: tt.member}
		if v := Evaluate(step, nil, health(members(tt.n, tt.ill)), time.Time{}); v.State != tt.state {
			t.Errorf("%s of %d with %d down: %s: %q; want %s", tt.member, tt.n, tt.ill, v.State, v.Text, tt.state)
		}
	}
}

// A member whose unit does not run may be restarted at once. If its unit runs but the member does
// not serve, it may be restarted only if another member serves, and if this member did not serve
// during the whole wait. If no member answers, as during an election, the state is unknown.
func TestEtcdSpareOfFailedMember(t *testing.T) {
	unit := func(active, sub, pid string) []byte {
		o := observe.Observe(runbooks.Systemd, "dh-etcd", answertest.Of("MainPID="+pid+"\nLoadState=loaded\nActiveState="+active+"\nSubState="+sub+"\n"))
		return remember(memory{Observation: o})
	}
	step := runbooks.Step{Until: runbooks.EtcdSpare, Member: "m3", Within: runbooks.Duration(30 * time.Second)}
	r := health(map[string]bool{"https://m1:2379": true, "https://m2:2379": true, "https://m3:2379": false})
	electing := health(map[string]bool{"https://m1:2379": false, "https://m2:2379": false, "https://m3:2379": false})
	for _, dead := range [][]byte{unit("inactive", "dead", "0"), unit("failed", "failed", "0")} {
		if v := Evaluate(step, dead, r, time.Time{}); v.State != Met {
			t.Errorf("not running: %+v", v)
		}
	}
	v := Evaluate(step, unit("active", "running", "7"), r, time.Time{})
	if v.State != NotYet {
		t.Errorf("after one read: %+v", v)
	}
	if end := TimedOut(step, nil, v); end.State != Noted || !strings.Contains(end.Text, "for 30s: ") {
		t.Errorf("after the whole wait: %+v", end)
	}
	// If a certificate has expired, the client's or the members', no member answers.
	v = Evaluate(step, unit("active", "running", "7"), electing, time.Time{})
	if end := TimedOut(step, nil, v); v.State != Unknown || end.State != Unknown || !strings.Contains(end.Text, "its unit runs") {
		t.Errorf("no member answers: %+v, then %+v", v, end)
	}
}

// If no check sees that a member is back, the outcome of the run is unknown. The run keeps its
// lock, so that no other run changes another member.
func TestEtcdNotBack(t *testing.T) {
	r := health(map[string]bool{"https://m1:2379": true, "https://m2:2379": true, "https://m3:2379": false})
	for _, until := range []runbooks.Condition{runbooks.EtcdServes, runbooks.EtcdCaughtUp} {
		step := runbooks.Step{Until: until, Member: "m3", Within: runbooks.Duration(time.Minute)}
		if v := TimedOut(step, nil, Evaluate(step, nil, r, answertest.Noon)); v.State != Unknown {
			t.Errorf("%s: %+v", until, v)
		}
	}
	guard := runbooks.Step{Until: runbooks.EtcdQuorum, Within: runbooks.Duration(time.Minute)}
	lost := health(map[string]bool{"https://m1:2379": true, "https://m2:2379": false, "https://m3:2379": false})
	if v := TimedOut(guard, nil, Evaluate(guard, nil, lost, time.Time{})); v.State != Never || !strings.Contains(v.Text, "no quorum") {
		t.Errorf("quorum lost: %+v", v)
	}
}

// A member has not caught up if its index is behind, or if its term differs.
func TestEtcdBehind(t *testing.T) {
	status := func(term, index, applied, leader string) remote.Result {
		row := func(host, id, term, index, applied, leader string) string {
			return `{"Endpoint":"https://` + host + `:2379","Status":{"header":{"member_id":` + id + `},"version":"3.5.9","dbSize":24576,"leader":` + leader +
				`,"raftIndex":` + index + `,"raftTerm":` + term + `,"raftAppliedIndex":` + applied + `,"dbSizeInUse":16384}}`
		}
		return answertest.Of("[" + row("m1", "10225113350932192838", "7", "50000", "50000", "10225113350932192838") + "," + row("m2", "2", term, index, applied, leader) + "]\n")
	}
	step := runbooks.Step{Until: runbooks.EtcdCaughtUp, Member: "m2"}
	for _, tt := range []struct {
		term, index, applied, leader string
		state                        State
	}{
		{"7", "50000", "50000", "10225113350932192838", Met},
		{"7", "49500", "49500", "10225113350932192838", Met},
		{"7", "40000", "40000", "10225113350932192838", NotYet},
		{"7", "50000", "40000", "10225113350932192838", NotYet},
		{"6", "50000", "50000", "10225113350932192838", NotYet},
		{"7", "50000", "50000", "0", NotYet},
	} {
		if v := Evaluate(step, nil, status(tt.term, tt.index, tt.applied, tt.leader), answertest.Noon); v.State != tt.state {
			t.Errorf("%+v: %s: %q", tt, v.State, v.Text)
		}
	}
}
