package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
)

const member = `{"Endpoint":"https://10.0.0.%d:2379","Status":{"header":{"member_id":%d},"version":"3.5.9","dbSize":20971520,"dbSizeInUse":3145728,"leader":1,"raftIndex":73,"raftTerm":5,"raftAppliedIndex":73%s}}`

func healthRow(n int, healthy bool) string {
	why := ""
	if !healthy {
		why = `,"error":"context deadline exceeded"`
	}
	return fmt.Sprintf(`{"endpoint":"https://10.0.0.%d:2379","health":%v,"took":"2ms"%s}`, n, healthy, why)
}

// TestReadsThatCanBeJudged: the verdict comes first, a missing etcd member is named, and an answer
// that cannot be parsed is never good.
func TestReadsThatCanBeJudged(t *testing.T) {
	status := func(more string, ns ...int) string {
		var rows []string
		for _, n := range ns {
			rows = append(rows, fmt.Sprintf(member, n, n, more))
		}
		return "[" + strings.Join(rows, ",") + "]\n"
	}
	health := func(one, two, three bool) string {
		return "[" + healthRow(1, one) + "," + healthRow(2, two) + "," + healthRow(3, three) + "]\n"
	}
	for _, tt := range []struct {
		name, ask      string
		status, health string
		alarms         string
		head           string
		has, hasNot    []string
	}{
		{name: "every member is healthy", ask: "etcd-status", status: status("", 1, 2, 3), health: health(true, true, true),
			head: "✅ etcd-status prod", has: []string{"all as expected", "🟢 10.0.0.1:2379 · leader · 3.0 MiB of 20.0 MiB in use · term 5, index 73", "🟢 10.0.0.3:2379 · member"}, hasNot: []string{"dbSize", "🔴"}},
		{name: "one member is missing", ask: "etcd-status", status: status("", 1, 2), health: health(true, true, false),
			head: "🟡 etcd-status prod", has: []string{"quorum kept: 2 of 3", "🔴 10.0.0.3:2379 · does not answer: context deadline exceeded"}},
		{name: "quorum lost", ask: "etcd-health", health: health(true, false, false),
			head: "🔴 etcd-health prod", has: []string{"no quorum: 1 of 3 members are healthy", "🔴 10.0.0.2:2379"}},
		{name: "an alarm", ask: "etcd-status", status: status(`,"errors":["memberID:1 alarm:NOSPACE "]`, 1, 2, 3), health: health(true, true, true),
			head: "🟡 etcd-status prod", has: []string{"NOSPACE alarm of memberID:"}},
		{name: "alarms", ask: "etcd-alarms", alarms: "memberID:1 alarm:NOSPACE\n", head: "🟡 etcd-alarms prod", has: []string{"NOSPACE alarm of memberID:1"}},
		{name: "no alarms", ask: "etcd-alarms", head: "✅ etcd-alarms prod", has: []string{"no alarms"}},
		{name: "output that cannot be parsed", ask: "etcd-health", health: "???\n", head: "⚪ etcd-health prod", has: []string{"could not be parsed"}, hasNot: []string{"✅"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newTestService(t)
			h.Fleet.Clusters[0] = estate(fleet.ACLsInEtcd)
			h.hosts.say = func(c remote.Command) remote.Result {
				out := ""
				switch {
				case strings.Contains(c.Sent, "endpoint status"):
					out = tt.status
				case strings.Contains(c.Sent, "endpoint health"):
					out = tt.health
				case strings.Contains(c.Sent, "alarm list"):
					out = tt.alarms
				}
				return remote.Result{Outcome: remote.Answered, Stdout: statustest.Output(out), Started: time.Now(), Ended: time.Now()}
			}
			a := h.say("URITA", tt.ask+" in prod")
			text := a.all()
			if !strings.Contains(text, tt.head) {
				t.Errorf("head %q is missing", tt.head)
			}
			for _, want := range tt.has {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing", want)
				}
			}
			for _, not := range tt.hasNot {
				if strings.Contains(text, not) {
					t.Errorf("%q is shown", not)
				}
			}
			if t.Failed() {
				t.Log(text)
			}
		})
	}
}
