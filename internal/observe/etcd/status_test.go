package etcd

import (
	"testing"

	"dhbot/internal/remote"
)

func said(exit int, stdout, stderr string) remote.Result {
	out := func(s string) remote.Output { return remote.Output{Head: []byte(s), Total: int64(len(s))} }
	return remote.Result{Outcome: remote.Answered, Exit: exit, Stdout: out(stdout), Stderr: out(stderr)}
}

// Ids are larger than a float can hold, and a field that a version does not
// send is absent.
func TestReadStatus(t *testing.T) {
	s, err := ReadStatus(said(0, "Welcome\n"+`[{"Endpoint":"127.0.0.1:2379","Status":{"header":{"cluster_id":8925027824743593106,"member_id":13803658152347727308,"revision":9,"raft_term":2},"version":"3.2.24","dbSize":16842752,"leader":13803658152347727308,"raftIndex":1870,"raftTerm":2}}]`+"\n", ""))
	if err != nil || len(s.Members) != 1 {
		t.Fatalf("status %+v, %v, want one member", s, err)
	}
	m := s.Members[0]
	if m.ID != 13803658152347727308 || !m.Leads() || m.Applied != nil || m.InUse != nil || m.Quota != nil || *m.Revision != 9 {
		t.Errorf("member %+v", m)
	}
	if row := m.row(); row.Size != "16.1 MiB" || row.Role != "leader" {
		t.Errorf("row %+v, want the size 16.1 MiB and the role leader", row)
	}
}
