package runbooks

import "slices"

// Guards returns the indexes of the guards of a plan. A guard is a read that can refuse the plan
// before any change. Reads that wait for the outcome of a change are not guards. Reads of something
// that an earlier step changes are not guards either, except reads of the free space.
func (p Plan) Guards() []int {
	if !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Kind != Wait }) {
		return nil // the plan changes nothing
	}
	var out []int
	for i, s := range p.Steps {
		if s.Kind == Wait && s.Until.guards() && (s.Until == SpaceFree || !p.AlteredBefore(i)) {
			out = append(out, i)
		}
	}
	return out
}

// AlteredBefore reports whether an earlier step of a plan changes what step i reads. A query of
// etcd reads all members.
func (p Plan) AlteredBefore(i int) bool {
	return slices.ContainsFunc(p.Steps[:i], func(s Step) bool {
		return s.Kind != Wait && p.Steps[i].Until.aboutEtcd() && s.Process == p.Steps[i].Process
	}) || p.changedBefore(i, i)
}

// FirstChange returns the index of the first step that is not a read.
func (p Plan) FirstChange() int {
	return slices.IndexFunc(p.Steps, func(s Step) bool { return s.Kind != Wait })
}

// guards reports whether a step with this condition can be a guard, because the condition does not
// depend on a change.
func (c Condition) guards() bool {
	switch c {
	case Answers, Supervised, Shown, Found, Nothing, Something, Unchanged, FileThere, SpaceFree:
		return true
	default:
		return c.aboutEtcd()
	}
}

// aboutEtcd reports whether a condition is about the state of the etcd members before one of them
// is changed.
func (c Condition) aboutEtcd() bool {
	return c == EtcdStatus || c == EtcdQuorum || c == EtcdAlarms || c == EtcdMembers || c == EtcdSpare
}

// Acceptable reports whether a plan may still run when a guard with this condition cannot decide.
// The plan then needs one more approval. This is not possible for a process that the supervisor
// does not report, or a list that cannot be compared with the approved list.
func (c Condition) Acceptable() bool {
	return c == EtcdSpare || c == EtcdQuorum || c == SpaceFree
}
