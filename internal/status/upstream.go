package status

import (
	"slices"

	"dhbot/internal/observe"
	"dhbot/runbooks"
)

// upstream finds the rows whose state is caused by a dependency, so that a board shows one root
// cause instead of a red line for each dependent process. It uses observations; an unknown row is
// never a cause.
type upstream struct {
	*scope
	index
	isOut func(Row) bool // whether a row can be a cause
	known map[runbooks.Target][]Cause
}

// index finds the rows of a look. Its rows are copies, which markUpstream does not change.
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

// own returns the instance of a dependency on a host. A process on that host depends on this
// instance only. own returns nil if the process depends on the instances elsewhere: the host has no
// instance, or the dependency is etcd.
func (in index) own(process, host string) *Row {
	if process == etcdID {
		return nil
	}
	return in.byTarget[runbooks.Target{Process: process, Host: host}]
}

func newUpstream(s *scope, in index, isOut func(Row) bool) *upstream {
	return &upstream{scope: s, index: in, isOut: isOut, known: map[runbooks.Target][]Cause{}}
}

// markUpstream sets, for each row that is down, the dependencies that are down, and for each
// running row the dead dependencies without which it cannot work. On a board with Needs it also
// sets the unmet dependencies.
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

// cannotWork marks a running row as unable to work because of dead dependencies: Sev 3 by the
// incident key's "performing poorly", and without an incident of its own.
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

// out reports whether a row was observed not to serve, or to be starting or stopping. A process
// without monitoring may run, so it is out only if something else proves that it is down.
func out(r Row) bool {
	switch r.Observation.State {
	case observe.Starting, observe.Stopping, observe.Recovering:
		return !r.Pending
	default:
		return !r.Pending && r.Finding.Down
	}
}

// roots are the root causes of a process on a host.
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

// cause returns why a dependency is not met on a host: because of dependencies of its own, or else
// because of itself. A dependency that runs but cannot work is also not met.
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

// stateOf is the state of a cause: a process that is starting after a failed start, or for longer
// than a start takes, is down.
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

// helpless are the causes of a dependency that runs but cannot work. If it has an instance on the
// same host, they are the causes of that instance, otherwise of all instances.
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
// the given host. It returns rows of etcd if the other members are no quorum. It returns rows of
// another process if the instance on that host is out or, without one there, if all instances are.
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
