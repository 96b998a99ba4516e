package proof

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

// member returns a row of `endpoint status`. more has the fields that only some versions send.
func member(endpoint string, cluster, id, leader, revision, index int, more string) string {
	return fmt.Sprintf(`{"Endpoint":"%s","Status":{"header":{"cluster_id":%d,"member_id":%d,"revision":%d,"raft_term":7},"version":"3.5.9","dbSize":24576,"leader":%d,"raftIndex":%d,"raftTerm":7%s}}`,
		endpoint, cluster, id, revision, leader, index, more)
}

func rowsOf(rows ...string) string { return "[" + strings.Join(rows, ",") + "]\n" }

// unhealthy returns a row of `endpoint health` with an error, or a healthy row if why is "".
func unhealthy(endpoint, why string) string {
	if why == "" {
		return `{"endpoint":"` + endpoint + `","health":true,"took":"6.1ms"}`
	}
	return `{"endpoint":"` + endpoint + `","health":false,"took":"5.0s","error":"` + why + `"}`
}

// dialLog returns what etcdctl logs about an endpoint that it could not reach.
func dialLog(endpoint, reason string) string {
	return `{"level":"warn","ts":"2026-11-28T16:52:11.966437Z","logger":"client","caller":"v3@v3.6.16/retry_interceptor.go:68","msg":"retrying of unary invoker failed",` +
		`"target":"etcd-endpoints://0xc000/` + endpoint + `","attempt":0,"error":"rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = \"transport: ` + reason + `\""}` + "\n"
}

// TestFieldEtcd evaluates answers of all versions of etcdctl that users may have.
func TestFieldEtcd(t *testing.T) {
	field := answertest.Field(t)
	const late = "context deadline exceeded"
	const nospace = "Active Alarm(s): NOSPACE "
	const help36 = "NAME:\n\tsnapshot status - [deprecated]"
	type row struct {
		name   string
		until  runbooks.Condition
		member string
		result remote.Result
		state  State
		text   []string
		lacks  []string
	}
	for _, tt := range []row{
		{"field: 3.2", runbooks.EtcdStatus, "", field["etcd-32-status"], Met, []string{"1 of 1 members answers", "leader 127.0.0.1:2379"}, []string{"behind", "in use"}},
		{"field: 3.3", runbooks.EtcdStatus, "", field["etcd-33-status"], Met, []string{"3 of 3 members answer", "leader https://10.0.0.12:2379", "agree"}, []string{"behind"}},
		{"field: 3.3 health", runbooks.EtcdQuorum, "", field["etcd-33-health-text"], Noted, []string{"2 of 3 members are healthy", "quorum kept", "https://10.0.0.13:2379 (context deadline exceeded)"}, nil},
		{"field: corrupt", runbooks.EtcdAlarms, "", field["etcd-alarm-corrupt-member0"], Noted, []string{"CORRUPT alarm, for the whole cluster (no member named)"}, nil},
		{"field: two certificates expired", runbooks.EtcdStatus, "", field["etcd-cert-expired-one"], Noted,
			[]string{"1 of 3", "10.0.0.12:2379 does not answer (certificate expired: x509: ", "10.0.0.13:2379 does not answer (certificate expired: x509: "}, nil},
		{"field: certificate expired", runbooks.EtcdStatus, "", field["etcd-cert-expired"], Never, []string{"x509: certificate has expired or is not yet valid"}, []string{"log in without a quorum"}},
		{"field: near its quota", runbooks.EtcdStatus, "", field["etcd-file-near-quota-real36"], Noted, []string{"the file of http://127.0.0.1:43010 is 15.5 MiB of a quota of 16.0 MiB"}, []string{"default"}},
		{"field: learner", runbooks.EtcdQuorum, "", field["etcd-learner-no-quorum"], Noted, []string{"quorum kept", "1 of 1 members are healthy", "a learner, which does not vote: https://10.0.0.12:2379"}, []string{"no quorum"}},
		{"field: no scheme, serves", runbooks.EtcdServes, "10.0.0.13 etcd-3", field["etcd-noscheme-serves"], Met, []string{"etcd-3:2379 is healthy, 2 of 3 members are"}, nil},
		{"field: no scheme, spare", runbooks.EtcdSpare, "10.0.0.13 etcd-3", field["etcd-noscheme-spare"], NotYet, []string{"10.0.0.13:2379 does not serve, so the others are not affected"}, []string{"refused"}},
		{"field: NOSPACE and one down", runbooks.EtcdSpare, "10.0.0.11 etcd-1", field["etcd-nospace-one-down-spare"], Never, []string{"refused: 2 of 3 members answer", "NOSPACE", "serving reads only"}, []string{"no quorum to lose"}},
		{"field: old log", runbooks.EtcdStatus, "", field["etcd-oldlog-warning"], Never, []string{"exit code 1: context deadline exceeded"}, []string{"ServerName", "ETCDCTL_API_KEY"}},
		{"field: quota known", runbooks.EtcdStatus, "", field["etcd-quota-known"], Met, []string{"4.7 GiB of a quota of 8.0 GiB"}, []string{"default"}},
		{"field: revisions differ", runbooks.EtcdStatus, "", field["etcd-revisions-differ"], Noted,
			[]string{"https://10.0.0.13:2379 is at revision 1111, the others at 1306, though the raft index is the same: the members hold different data"}, []string{"agree"}},
		{"field: snapshot of 3.6", runbooks.SnapshotGood, "", field["etcd-snapshot-36"], Noted, []string{"saved, and not checked", "etcdutl snapshot status"}, nil},
		{"field: API 2", runbooks.EtcdStatus, "", field["etcd-v2-api"], Never, []string{"etcdctl speaks API version 2 here", "ETCDCTL_API=3"}, []string{"quorum"}},

		{"API 2, health", runbooks.EtcdQuorum, "", answertest.Exited(1, "", "No help topic for 'endpoint'\n"), Unknown, []string{"API version 2"}, nil},
		{"API 2, old flags", runbooks.EtcdAlarms, "", answertest.Exited(1, "Incorrect Usage.\n\nNAME:\n   etcdctl\n", "flag provided but not defined: -write-out\n"), Never, []string{"API version 2"}, nil},

		{"another cluster", runbooks.EtcdStatus, "", answertest.Of(rowsOf(member("10.0.0.11:2379", 1, 101, 101, 50, 99, ""), member("10.0.0.12:2379", 1, 102, 101, 50, 99, ""), member("10.0.0.13:2379", 2, 103, 103, 9, 12, ""))),
			Noted, []string{"10.0.0.13:2379 belongs to another cluster"}, []string{"agree"}},
		{"two leaders", runbooks.EtcdStatus, "", answertest.Of(rowsOf(member("10.0.0.11:2379", 1, 101, 101, 50, 99, ""), member("10.0.0.12:2379", 1, 102, 102, 50, 99, ""))), Noted, []string{"follows another leader"}, nil},
		{"further and earlier", runbooks.EtcdStatus, "", answertest.Of(rowsOf(member("10.0.0.11:2379", 1, 101, 101, 900, 99, ""), member("10.0.0.12:2379", 1, 102, 101, 50, 120, ""))), Noted, []string{"hold different data"}, nil},
		{"a write between two reads", runbooks.EtcdStatus, "", answertest.Of(rowsOf(member("10.0.0.11:2379", 1, 101, 101, 51, 99, ""), member("10.0.0.12:2379", 1, 102, 101, 50, 99, ""))), Noted, []string{"check again"}, nil},
		{"one member at two endpoints", runbooks.EtcdStatus, "", answertest.Of(rowsOf(member("10.0.0.11:2379", 1, 101, 101, 50, 99, ""), member("https://etcd-1:2379", 1, 101, 101, 50, 99, ""))), Met, []string{"1 of 1 members answers"}, nil},
		{"no leader", runbooks.EtcdStatus, "", answertest.Of(rowsOf(member("10.0.0.11:2379", 1, 101, 0, 50, 99, `,"errors":["etcdserver: no leader"]`))), Noted, []string{"has no leader", "etcdserver: no leader"}, nil},
		{"alarm in the status", runbooks.EtcdStatus, "", answertest.Of(rowsOf(member("10.0.0.11:2379", 1, 101, 101, 50, 99, `,"errors":["memberID:101 alarm:CORRUPT "]`))), Noted, []string{"CORRUPT"}, nil},
		{"applied is behind", runbooks.EtcdStatus, "", answertest.Of(rowsOf(member("10.0.0.11:2379", 1, 101, 101, 50, 9000, `,"raftAppliedIndex":12`))), Noted, []string{"is behind"}, nil},
		{"learner in the status", runbooks.EtcdStatus, "", answertest.Of(rowsOf(member("10.0.0.11:2379", 1, 101, 101, 50, 99, ""), member("10.0.0.12:2379", 1, 102, 101, 50, 99, `,"isLearner":true`))), Met, nil, nil},
		{"not a certificate of ours", runbooks.EtcdStatus, "", answertest.Exited(1, "", dialLog("10.0.0.11:2379", `authentication handshake failed: x509: certificate signed by unknown authority`)+"Error: context deadline exceeded\n"), Never, []string{"certificate signed by unknown authority"}, []string{"log in without"}},
		{"the client's certificate", runbooks.EtcdStatus, "", answertest.Exited(1, "", dialLog("10.0.0.11:2379", `authentication handshake failed: remote error: tls: bad certificate`)+"Error: context deadline exceeded\n"), Never, []string{"refuses the client's certificate"}, nil},
		{"wrong password", runbooks.EtcdStatus, "", answertest.Exited(1, "", "Error: etcdserver: authentication failed, invalid user ID or password\n"), Never, []string{"authentication failed, invalid user ID"}, []string{"log in without"}},
		{"noise before the reason", runbooks.EtcdQuorum, "", answertest.Exited(1, "", answertest.Setlocale+"/home/dhops/.bashrc: line 1: x: command not found\nError: open /etc/x/ca.crt: permission denied\n"), Unknown, []string{"open /etc/x/ca.crt: permission denied"}, []string{"setlocale"}},
		{"a panic", runbooks.EtcdStatus, "", answertest.Exited(2, "", "panic: runtime error: invalid memory address\n\ngoroutine 1 [running]:\nmain.main()\n"), Never, []string{"panic: runtime error"}, []string{"goroutine"}},
		{"no output", runbooks.EtcdStatus, "", answertest.Exited(0, "", ""), Never, []string{"could not be parsed"}, nil},

		{"alarms: none, as JSON, behind noise", runbooks.EtcdAlarms, "", answertest.Of("Welcome to infra\n" + `{"header":{"cluster_id":1,"member_id":2,"raft_term":2}}` + "\n"), Met, []string{"no alarms"}, nil},
		{"alarms: none, JSON of 3.4", runbooks.EtcdAlarms, "", answertest.Of("{}\n"), Met, []string{"no alarms"}, nil},
		{"snapshot: help of 3.7", runbooks.SnapshotGood, "", answertest.Of("Manages etcd node snapshots\n\nUsage:\n  etcdctl snapshot [command]\n"), Noted, []string{"etcdutl"}, nil},
		{"alarms: JSON", runbooks.EtcdAlarms, "", answertest.Of(`{"header":{"cluster_id":1},"alarms":[{"memberID":10225113350932192838,"alarm":1},{"alarm":2}]}` + "\n"), Noted, []string{"CORRUPT alarm, for the whole cluster", "NOSPACE alarm of memberID:10225113350932192838"}, nil},
		{"alarms: unknown JSON", runbooks.EtcdAlarms, "", answertest.Of(`{"header":{"cluster_id":1},"alarms":[{"memberID":7,"alarm":9}]}` + "\n"), Noted, []string{"number 9"}, nil},
		{"alarms: half of the JSON", runbooks.EtcdAlarms, "", answertest.Of(`{"header":{"cluster_id":1},"alarms":[{"memb` + "\n"), Unknown, []string{"could not be parsed"}, []string{"no alarms"}},
		{"alarms: an unknown word", runbooks.EtcdAlarms, "", answertest.Of("memberID:7 alarm:FLOODED extra\n"), Noted, []string{"FLOODED"}, []string{"no alarms"}},
		{"alarms: something else", runbooks.EtcdAlarms, "", answertest.Of("Welcome to infra\n"), Unknown, []string{"Welcome to infra"}, []string{"no alarms"}},
		{"alarms: none behind noise", runbooks.EtcdAlarms, "", answertest.Exited(0, "", answertest.Setlocale), Met, []string{"no alarms"}, nil},

		{"3.4 health in words", runbooks.EtcdQuorum, "", answertest.Exited(1, "", "10.0.0.11:2379 is healthy: successfully committed proposal: took = 2ms\n10.0.0.12:2379 is unhealthy: failed to commit proposal: context deadline exceeded\nError: unhealthy cluster\n"),
			NotYet, []string{"no quorum: 1 of 2"}, nil},
		{"all alarmed", runbooks.EtcdQuorum, "", answertest.Exited(1, rowsOf(unhealthy("a:1", nospace), unhealthy("b:1", nospace), unhealthy("c:1", nospace)), ""), Noted, []string{"quorum kept: 3 of 3 members are healthy", "NOSPACE"}, nil},
		{"corrupt", runbooks.EtcdQuorum, "", answertest.Exited(1, rowsOf(unhealthy("a:1", "etcdserver: corrupt cluster"), unhealthy("b:1", "etcdserver: corrupt cluster"), unhealthy("c:1", "etcdserver: corrupt cluster")), ""),
			NotYet, []string{"3 of 3 members answer", "do not serve", "corrupt cluster"}, []string{"no quorum"}},
		{"certificates of all", runbooks.EtcdQuorum, "", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", late), unhealthy("10.0.0.12:2379", late), unhealthy("10.0.0.13:2379", late)),
			dialLog("10.0.0.11:2379", "authentication handshake failed: x509: certificate has expired")+dialLog("10.0.0.12:2379", "authentication handshake failed: x509: certificate has expired")+dialLog("10.0.0.13:2379", "authentication handshake failed: x509: certificate has expired")),
			Unknown, []string{"unknown whether there is a quorum", "x509"}, nil},

		{"spare: certificates of all", runbooks.EtcdSpare, "10.0.0.11", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", late), unhealthy("10.0.0.12:2379", late), unhealthy("10.0.0.13:2379", late)),
			dialLog("10.0.0.11:2379", "authentication handshake failed: x509: certificate has expired")+dialLog("10.0.0.12:2379", "authentication handshake failed: x509: certificate has expired")+dialLog("10.0.0.13:2379", "authentication handshake failed: x509: certificate has expired")),
			Unknown, []string{"unknown whether the others keep a quorum"}, []string{"no quorum to lose"}},
		{"spare: NOSPACE, all up", runbooks.EtcdSpare, "10.0.0.11", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", nospace), unhealthy("10.0.0.12:2379", nospace), unhealthy("10.0.0.13:2379", nospace)), ""), Noted, []string{"2 of 3 members remain", "NOSPACE"}, nil},
		{"spare: NOSPACE, the member that does not answer", runbooks.EtcdSpare, "10.0.0.13", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", nospace), unhealthy("10.0.0.12:2379", nospace), unhealthy("10.0.0.13:2379", late)), ""), NotYet, []string{"not affected"}, nil},
		{"spare: corrupt and one down", runbooks.EtcdSpare, "10.0.0.11", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", "etcdserver: corrupt cluster"), unhealthy("10.0.0.12:2379", "etcdserver: corrupt cluster"), unhealthy("10.0.0.13:2379", late)), ""), Never, []string{"refused", "corrupt"}, nil},
		{"spare: no leader yet", runbooks.EtcdSpare, "10.0.0.11", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", "etcdserver: no leader"), unhealthy("10.0.0.12:2379", "etcdserver: no leader"), unhealthy("10.0.0.13:2379", late)), ""), Never, []string{"refused: 2 of 3 members answer"}, nil},
		{"spare: alarm list not fetched", runbooks.EtcdSpare, "10.0.0.11", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", ""), unhealthy("10.0.0.12:2379", "Unable to fetch the alarm list"), unhealthy("10.0.0.13:2379", late)), ""), Never, []string{"refused: 2 of 3"}, nil},
		{"spare: the learner", runbooks.EtcdSpare, "10.0.0.14", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", ""), unhealthy("10.0.0.12:2379", ""), unhealthy("10.0.0.13:2379", ""), unhealthy("10.0.0.14:2379", "etcdserver: rpc not supported for learner")), ""), Met, []string{"is a learner"}, nil},
		{"spare: a learner is no vote", runbooks.EtcdSpare, "10.0.0.11", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", ""), unhealthy("10.0.0.12:2379", ""), unhealthy("10.0.0.13:2379", "etcdserver: rpc not supported for learner")), ""), Never, []string{"refused: 2 of 2"}, nil},
		{"spare: an unknown error", runbooks.EtcdSpare, "10.0.0.11", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", ""), unhealthy("10.0.0.12:2379", ""), unhealthy("10.0.0.13:2379", "flux inverted")), ""), Unknown, []string{"flux inverted"}, nil},
		{"spare: one endpoint twice", runbooks.EtcdSpare, "10.0.0.11", answertest.Of(rowsOf(unhealthy("10.0.0.11:2379", ""), unhealthy("https://10.0.0.11:2379", ""), unhealthy("10.0.0.12:2379", ""))), Never, []string{"refused: 2 of 2"}, nil},
		{"spare: short name", runbooks.EtcdSpare, "10.9.9.9 etcd-3", answertest.Exited(1, rowsOf(unhealthy("https://etcd-1.example.com:2379", ""), unhealthy("https://etcd-2.example.com:2379", ""), unhealthy("https://etcd-3.example.com:2379", late)), ""), NotYet, []string{"etcd-3.example.com:2379 does not serve"}, nil},
		{"spare: IPv6", runbooks.EtcdSpare, "fd00::3", answertest.Exited(1, rowsOf(unhealthy("https://[fd00::1]:2379", ""), unhealthy("https://[fd00::2]:2379", ""), unhealthy("https://[fd00:0::3]:2379", late)), ""), NotYet, []string{"does not serve"}, nil},
		{"serves: alarmed", runbooks.EtcdServes, "10.0.0.11", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", nospace), unhealthy("10.0.0.12:2379", nospace)), ""), Noted, []string{"10.0.0.11:2379 answers", "NOSPACE"}, nil},
		{"serves: learner", runbooks.EtcdServes, "10.0.0.12", answertest.Exited(1, rowsOf(unhealthy("10.0.0.11:2379", ""), unhealthy("10.0.0.12:2379", "etcdserver: rpc not supported for learner")), ""), Noted, []string{"10.0.0.12:2379 answers"}, nil},

		{"snapshot by etcdutl", runbooks.SnapshotGood, "", answertest.Of(`{"hash":886505214,"revision":3,"totalKey":7,"totalSize":20480,"version":"3.6.0"}` + "\n"), Met, []string{"revision 3, 7 keys"}, nil},
		{"snapshot without keys", runbooks.SnapshotGood, "", answertest.Of(`{"hash":1,"revision":0,"totalKey":0,"totalSize":20480}` + "\n"), Never, []string{"no keys"}, nil},
		{"snapshot by 3.5", runbooks.SnapshotGood, "", answertest.Exited(0, `{"hash":886505214,"revision":3,"totalKey":7,"totalSize":20480}`+"\n", "Deprecated: Use `etcdutl snapshot status` instead.\n\n"), Met, []string{"7 keys"}, nil},
		{"snapshot, some other help", runbooks.SnapshotGood, "", answertest.Of(help36), Unknown, nil, nil},
	} {
		step := runbooks.Step{Until: tt.until, Member: tt.member, Command: "etcdctl.sh snapshot status /backup/x.db --write-out json"}
		v := Evaluate(step, nil, remote.Classify(remote.Command{}, tt.result), time.Time{})
		if v.State != tt.state {
			t.Errorf("%s: %s: %s; want %s", tt.name, v.State, v.Text, tt.state)
		}
		if wrong := answertest.Holds(v.Text, tt.text, tt.lacks); wrong != "" {
			t.Errorf("%s: %s: %s", tt.name, wrong, v.Text)
		}
	}
}

// listed returns the answer to `member list --write-out json`.
func listed(members ...string) remote.Result {
	return answertest.Of(`{"header":{"cluster_id":1,"member_id":1,"raft_term":2},"members":[` + strings.Join(members, ",") + "]}\n")
}

func listedMember(id int, name, client, peer string, learner bool) string {
	return fmt.Sprintf(`{"ID":%d,"name":"%s","peerURLs":["%s"],"clientURLs":["%s"],"isLearner":%v}`, id, name, peer, client, learner)
}

// TestEtcdVotesByList checks that votes are counted by the cluster's own list of members, in
// whatever format the client writes addresses. A member counts even if the client does not know it.
// A learner does not count.
func TestEtcdVotesByList(t *testing.T) {
	three := listed(
		listedMember(1, "infra1", "https://etcd-1.dc:2379", "https://10.0.0.11:2380", false),
		listedMember(2, "infra2", "https://etcd-2.dc:2379", "https://10.0.0.12:2380", false),
		listedMember(3, "infra3", "https://etcd-3.dc:2379", "https://10.0.0.13:2380", false),
		listedMember(4, "", "https://etcd-4.dc:2379", "https://10.0.0.14:2380", true))
	const late = "context deadline exceeded"
	for _, tt := range []struct {
		name, member string
		rows         string
		state        State
		text         string
	}{
		{"by a peer's address", "10.0.0.13", rowsOf(unhealthy("https://etcd-1.dc:2379", ""), unhealthy("https://etcd-2.dc:2379", ""), unhealthy("https://etcd-3.dc:2379", late)), NotYet, "https://etcd-3.dc:2379 does not serve"},
		{"by a peer's address, refused", "10.0.0.12", rowsOf(unhealthy("https://etcd-1.dc:2379", ""), unhealthy("https://etcd-2.dc:2379", ""), unhealthy("https://etcd-3.dc:2379", late)), Never, "refused: 2 of 3"},
		{"the client knows one of three", "10.0.0.11", rowsOf(unhealthy("https://etcd-1.dc:2379", "")), Unknown, "unknown whether the others keep a quorum of 2"},
		{"the client knows one twice", "10.0.0.11", rowsOf(unhealthy("https://etcd-1.dc:2379", ""), unhealthy("https://10.0.0.11:2379", ""), unhealthy("https://etcd-2.dc:2379", ""), unhealthy("https://etcd-3.dc:2379", late)), Never, "refused: 2 of 3"},
		{"a learner does not vote", "10.0.0.11", rowsOf(unhealthy("https://etcd-1.dc:2379", ""), unhealthy("https://etcd-2.dc:2379", ""), unhealthy("https://etcd-3.dc:2379", late), unhealthy("https://etcd-4.dc:2379", "etcdserver: rpc not supported for learner")), Never, "refused: 2 of 3"},
		{"the learner", "10.0.0.14", rowsOf(unhealthy("https://etcd-1.dc:2379", ""), unhealthy("https://etcd-2.dc:2379", ""), unhealthy("https://etcd-3.dc:2379", ""), unhealthy("https://etcd-4.dc:2379", "etcdserver: rpc not supported for learner")), Met, "is a learner"},
		{"all up", "10.0.0.11", rowsOf(unhealthy("https://etcd-1.dc:2379", ""), unhealthy("https://etcd-2.dc:2379", ""), unhealthy("https://etcd-3.dc:2379", "")), Noted, "2 of 3 members remain"},
		{"endpoints that the list does not have", "x", rowsOf(unhealthy("https://vip-a:2379", ""), unhealthy("https://vip-b:2379", "")), Unknown, "unknown whether"},
	} {
		before := remember(memory{Observation: observe.Observation{State: observe.Up, PID: 7}})
		m := Evaluate(runbooks.Step{Until: runbooks.EtcdMembers}, before, three, answertest.Noon)
		if m.State != Met || m.Text != "voting members: 3, learners: 1" {
			t.Fatalf("%s: %s", m.State, m.Text)
		}
		r := answertest.Of(tt.rows)
		r.Exit = 1
		v := Evaluate(runbooks.Step{Until: runbooks.EtcdSpare, Member: tt.member}, m.Seen, r, answertest.Noon)
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %s", tt.name, v.State, v.Text)
		}
		if old, ok := recall(m.Seen); !ok || old.PID != 7 {
			t.Errorf("%s: the earlier observation is lost: %+v", tt.name, old)
		}
	}
	simple := answertest.Of("8211f1d0f64f3269, started, infra1, http://127.0.0.1:12380, http://127.0.0.1:2379, false\n91bc3c398fb3c146, started, infra2, http://127.0.0.1:22380, http://127.0.0.1:22379, true\n")
	if v := Evaluate(runbooks.Step{Until: runbooks.EtcdMembers}, nil, simple, answertest.Noon); v.Text != "voting members: 1, learners: 1" {
		t.Errorf("simple: %s: %s", v.State, v.Text)
	}
	step := runbooks.Step{Until: runbooks.EtcdMembers, Within: runbooks.Duration(time.Minute)}
	if v := TimedOut(step, nil, Evaluate(step, nil, answertest.Exited(1, "", "Error: context deadline exceeded\n"), answertest.Noon)); v.State != Noted || !strings.Contains(v.Text, "each endpoint of the client counts as one") {
		t.Errorf("not listed: %s: %s", v.State, v.Text)
	}
}

// If an earlier step saw that a member was down, it may be restarted even if etcdctl fails.
func TestEtcdSpareWithoutEtcdctl(t *testing.T) {
	lost := remote.Result{Outcome: remote.Unreachable, Detail: "no route"}
	for state, want := range map[observe.State]State{observe.Down: Met, observe.Failed: Met, observe.Recovering: Met, observe.Up: Unknown, observe.Starting: Unknown, observe.Unseen: Unknown} {
		before := remember(memory{Observation: observe.Observation{State: state}})
		if v := Evaluate(runbooks.Step{Until: runbooks.EtcdSpare, Member: "m3"}, before, lost, answertest.Noon); v.State != want {
			t.Errorf("%v: %s: %s", state, v.State, v.Text)
		}
	}
}
