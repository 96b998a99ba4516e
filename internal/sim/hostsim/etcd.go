package hostsim

import (
	"fmt"
	"hash/fnv"
	"slices"
)

// etcdCluster is the shared state of the members. Each host whose processes
// include etcd runs one member.
type etcdCluster struct {
	leader string // member name; "" until the first query
	term   uint64
	index  uint64
}

// etcdMember is the member that runs on one host.
type etcdMember struct {
	name string
	id   uint64
	ip   string
	unit *unit
}

// ip returns the host's address in the simulated network. It is only printed, and nothing listens
// on it.
func (m *machine) ip() string { return fmt.Sprintf("10.77.0.%d", 11+m.index) }

func (w *world) members() []etcdMember {
	var out []etcdMember
	for _, m := range w.machines {
		if u := m.unit(etcdID); u != nil {
			name := fmt.Sprintf("etcd-%d", m.index+1)
			out = append(out, etcdMember{name: name, id: idOf(name), ip: m.ip(), unit: u})
		}
	}
	return out
}

// idOf returns the etcd id of a name. Like real ids, it is greater than 2^53, so code that parses
// it as a float loses digits.
func idOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return h.Sum64() | 1<<60
}

func (e etcdMember) endpoint() string { return "https://" + e.ip + ":2379" }

// votes reports whether the member's process runs. The member then takes part in elections, but may
// not serve clients yet.
func (e etcdMember) votes() bool { return e.unit.pid != 0 }

// quorum reports whether more than half of the members run.
func (w *world) quorum() bool {
	all, up := w.members(), 0
	for _, e := range all {
		if e.votes() {
			up++
		}
	}
	return up*2 > len(all)
}

// elect chooses a running member as the leader, unless the current leader still runs.
func (w *world) elect() {
	all := w.members()
	if i := slices.IndexFunc(all, func(e etcdMember) bool { return e.name == w.etcd.leader }); i >= 0 && all[i].votes() {
		return
	}
	if w.etcd.leader != "" {
		w.etcd.term++
	}
	w.etcd.leader = ""
	for _, e := range all {
		if e.votes() {
			w.etcd.leader = e.name
			return
		}
	}
}

func (w *world) anyMember() string {
	if all := w.members(); len(all) > 0 {
		return all[0].ip + ":2379"
	}
	return "127.0.0.1:2379"
}
