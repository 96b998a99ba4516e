package runbooks

import "slices"

// Guards are the indexes of the reads that can refuse a plan by how its targets
// are before any of its changes: of the first target and of every later one. A
// read of what an earlier step changes is none, and neither is one that waits for
// the outcome of a change.
func (p Plan) Guards() []int {
	if !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Kind != Wait }) {
		return nil // nothing is changed
	}
	var out []int
	for i, s := range p.Steps {
		if s.Kind == Wait && s.Until.guards() && (s.Until == SpaceFree || !p.AlteredBefore(i)) {
			out = append(out, i)
		}
	}
	return out
}

// AlteredBefore says that an earlier step of a plan changes what step i reads. What
// is asked of etcd is about all its members.
func (p Plan) AlteredBefore(i int) bool {
	return slices.ContainsFunc(p.Steps[:i], func(s Step) bool {
		return s.Kind != Wait && p.Steps[i].Until.aboutEtcd() && s.Process == p.Steps[i].Process
	}) || p.changedBefore(i, i)
}

// FirstChange is the index of the first step that is more than a read.
func (p Plan) FirstChange() int {
	return slices.IndexFunc(p.Steps, func(s Step) bool { return s.Kind != Wait })
}

// guards says that a condition can be judged before anything was changed.
func (c Condition) guards() bool {
	switch c {
	case Answers, Supervised, Shown, Found, Nothing, Something, Unchanged, FileThere, SpaceFree:
		return true
	default:
		return c.aboutEtcd()
	}
}

// aboutEtcd says that a condition is judged by what etcd's members say before
// one of them is changed.
func (c Condition) aboutEtcd() bool {
	return c == EtcdStatus || c == EtcdQuorum || c == EtcdAlarms || c == EtcdMembers || c == EtcdSpare
}

// Acceptable says that a guard which cannot tell need not refuse: one approval more
// stands in for it. What the supervisor does not answer cannot be restarted, and
// a list that cannot be compared is not the one that was approved.
func (c Condition) Acceptable() bool {
	return c == EtcdSpare || c == EtcdQuorum || c == SpaceFree
}
