package hostsim

import (
	"fmt"
	"hash/fnv"
	"slices"
)

// etcdCluster is what the members share. One member runs on every host whose
// processes name etcd.
type etcdCluster struct {
	leader string // member name; "" until somebody looks
	term   uint64
	index  uint64
}

// etcdMember is one host's part of the cluster.
type etcdMember struct {
	name string
	id   uint64
	ip   string
	unit *unit
}

// ip is the host's address inside the simulated network; nothing listens
// there, it only appears in texts.
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

// idOf makes an id above 2^53, as real ones are: readers that go through a
// float lose digits.
func idOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return h.Sum64() | 1<<60
}

func (e etcdMember) endpoint() string { return "https://" + e.ip + ":2379" }

// votes says that its process runs and takes part in elections; it need not
// serve clients yet.
func (e etcdMember) votes() bool { return e.unit.pid != 0 }

// quorum says whether more than half of the members run.
func (w *world) quorum() bool {
	all, up := w.members(), 0
	for _, e := range all {
		if e.votes() {
			up++
		}
	}
	return up*2 > len(all)
}

// elect makes sure that the leader is a running member.
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
