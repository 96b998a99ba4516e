package status

import (
	"slices"

	"dhbot/internal/observe"
	"dhbot/runbooks"
)

// upstream finds the root causes of rows that are affected by a dependency. So a board shows one
// root cause instead of a red line for each dependent process. A row that could not be observed is
// never a cause.
type upstream struct {
	*scope
	index
	isOut func(Row) bool // whether a row can be a cause
	known map[runbooks.Target][]Cause
}

// index finds the rows of a check by process or by target. The rows are copies, which markUpstream
// does not change.
type index struct {
	byProcess map[string][]*Row
	byTarget  map[runbooks.Target]*Row
}

func indexOf(rows []Row) index {
	in := index{map[string][]*Row{}, map[runbooks.Target]*Row{}}
	for i := range rows {
		r := &rows[i]
		in.byProcess[r.Process.ID] = append(in.byProcess[r.Process.ID], r)
		in.byTarget[r.Target()] = r
	}
	return in
}

// own returns the instance of a dependency on a host. Other processes on this host depend only on
// this instance. own returns nil if the host has no instance, or if the dependency is etcd. Then
// they depend on the instances on all hosts.
func (in index) own(process, host string) *Row {
	if process == etcdID {
		return nil
	}
	return in.byTarget[runbooks.Target{Process: process, Host: host}]
}

func newUpstream(s *scope, in index, isOut func(Row) bool) *upstream {
	return &upstream{scope: s, index: in, isOut: isOut, known: map[runbooks.Target][]Cause{}}
}

// markUpstream sets the causes of each row. If the row is down, they are the dependencies that are
// not up. If the row is running, they are the dead dependencies without which it cannot work. If
// the board has Needs, markUpstream also sets Unmet.
//
// A dependency that is starting can be the cause of a row that is down. A running row cannot work
// only if a dependency is dead.
func (l *look) markUpstream() {
	rows := indexOf(slices.Concat(l.board.Rows, l.board.Upstream))
	dead := newUpstream(l.scope, rows, func(r Row) bool { return r.Finding.Down })
	u := newUpstream(l.scope, rows, out)
	b := &l.board
	b.Unmet = nil
	for _, rows := range [][]Row{b.Rows, b.Upstream} {
		for i := range rows {
			r := &rows[i]
			r.Causes = nil
			switch {
			case r.Pending || r.Finding.Severity == runbooks.None && r.Finding.Down: // not counted
			case out(*r) || r.Finding.Severity == runbooks.Unknown && r.Observation.State == observe.NotMonitored:
				r.Causes = u.roots(r.Process.ID, r.Host)
			case r.Observation.Known():
				r.cannotWork(dead.roots(r.Process.ID, r.Host))
			}
		}
	}
	for _, r := range b.Rows {
		if r.Process.ID == b.Needs {
			b.Unmet = unequal(append(b.Unmet, u.roots(r.Process.ID, r.Host)...))
		}
	}
}

// cannotWork marks a running row as unable to work because of dead dependencies. The row is Sev 3,
// which the incident key calls "performing poorly", and has no incident of its own.
func (r *Row) cannotWork(causes []Cause) {
	f := &r.Finding
	if len(causes) == 0 || r.Maintenance != nil {
		return
	}
	text := "It runs but cannot work: " + Because(causes)
	switch f.Severity {
	case runbooks.None, runbooks.Low:
		r.Causes = causes
		f.Severity = runbooks.Low
		f.Condition = runbooks.Low
		f.LogErrors = false
		f.Code = observe.FoundCannotWork
		f.Headline = "Running, cannot work: " + Because(causes)
		f.Text += ". " + text
	default:
		f.Text += ". " + text
	}
}

// out reports whether a process was observed to be down, starting or stopping. A process that is
// not monitored may run, so it is out only if something else proves that it is down.
func out(r Row) bool {
	switch r.Observation.State {
	case observe.Starting, observe.Stopping, observe.Recovering:
		return !r.Pending
	default:
		return !r.Pending && r.Finding.Down
	}
}

// roots returns the root causes because of which a process on a host cannot work.
func (u *upstream) roots(process, host string) []Cause {
	at := runbooks.Target{Process: process, Host: host}
	if causes, ok := u.known[at]; ok {
		return causes
	}
	u.known[at] = nil // ends a cycle in a site's own dependencies
	p, ok := u.catalog.Process(process)
	if !ok {
		return nil
	}
	var causes []Cause
	for _, need := range p.Needs {
		if need.Holds(u.cluster.ACLs) {
			causes = append(causes, u.cause(need.Process, host)...)
		}
	}
	causes = unequal(causes)
	u.known[at] = causes
	return causes
}

// cause returns the root causes if a dependency is not met on a host, otherwise none. They are the
// root causes of the dependency, or the dependency itself if it has none. A dependency that runs
// but cannot work is also not met.
func (u *upstream) cause(process, host string) []Cause {
	unmet := u.unmet(process, host)
	if len(unmet) == 0 {
		return u.helpless(process, host)
	}
	var deeper []Cause
	self := Cause{Process: process, State: stateOf(*unmet[0]), Loop: unmet[0].Finding.Loop}
	for _, r := range unmet {
		self.Hosts = append(self.Hosts, r.Host)
		deeper = append(deeper, u.roots(process, r.Host)...)
	}
	if len(deeper) > 0 {
		return deeper
	}
	return []Cause{self}
}

// stateOf returns the state to show for a cause. A process that is starting counts as failed if an
// earlier start failed, or if it takes longer than a start may take.
func stateOf(r Row) observe.State {
	switch s := r.Observation.State; s {
	case observe.Starting, observe.Recovering:
		if r.Finding.Down {
			return observe.Failed
		}
		return s
	default:
		return s
	}
}

// helpless returns the root causes because of which a running dependency cannot work. If the host
// has its own instance, only the causes of this instance count. Otherwise helpless returns the
// causes of all instances, or none if any instance can work.
func (u *upstream) helpless(process, host string) []Cause {
	if r := u.own(process, host); r != nil {
		return u.roots(process, host)
	}
	var all []Cause
	for _, r := range u.byProcess[process] {
		causes := u.roots(process, r.Host)
		if len(causes) == 0 {
			return nil
		}
		all = append(all, causes...)
	}
	return all
}

// unmet returns the rows of a needed process that are out, or none if enough instances remain for
// the given host. For etcd, the remaining members must be a quorum. For another process, the
// instance on this host must not be out. If the host has no instance, an instance on any other host
// suffices.
func (u *upstream) unmet(process, host string) []*Row {
	if r := u.own(process, host); r != nil {
		if u.isOut(*r) {
			return []*Row{r}
		}
		return nil
	}
	var list []*Row
	for _, r := range u.byProcess[process] {
		if u.isOut(*r) {
			list = append(list, r)
		}
	}
	all := len(u.cluster.HostsOf(process))
	if process == etcdID {
		if len(list) > all-(all/2+1) {
			return list
		}
		return nil
	}
	if len(list) < all {
		return nil
	}
	return list
}

// unequal removes duplicates.
func unequal(causes []Cause) []Cause {
	var out []Cause
	for _, c := range causes {
		if !slices.ContainsFunc(out, func(o Cause) bool { return o.Process == c.Process && slices.Equal(o.Hosts, c.Hosts) }) {
			out = append(out, c)
		}
	}
	return out
}
