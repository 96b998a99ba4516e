package runbooks

import (
	"fmt"
	"slices"
	"strings"
)

// inOrder is one plan over several processes: the plan of each, one after the
// other. It has the worst level of them, and takes the locks of all.
func (p *Planner) inOrder(in Inputs) (Plan, error) {
	parts := append([]Part{{in.Process, in.Hosts}}, in.Also...)
	var all Plan
	var names, impacts []string
	for i, part := range parts {
		if slices.ContainsFunc(parts[:i], func(o Part) bool { return o.Process == part.Process }) {
			return Plan{}, &PlacementError{Cluster: in.Cluster, Why: part.Process + " is named twice"}
		}
		one := in
		one.Process = part.Process
		one.Hosts = part.Hosts
		one.Also = nil
		plan, err := p.one(one)
		if err != nil {
			return Plan{}, err
		}
		if len(plan.Discover) > 0 {
			return Plan{}, &NotOfferedError{Action: in.Action, Process: part.Process}
		}
		names = append(names, part.Process)
		if plan.Impact != "" {
			impacts = append(impacts, fmt.Sprintf("%s: %s", part.Process, plan.Impact))
		}
		if i == 0 {
			all = plan
			continue
		}
		if plan.Class != all.Class {
			return Plan{}, fmt.Errorf("%s is %s for %s and %s for %s: ask for them one by one", in.Action, all.Class, parts[0].Process, plan.Class, part.Process)
		}
		if plan.Severity.Worse(all.Severity) {
			all.Severity = plan.Severity
		}
		all.Targets = append(all.Targets, plan.Targets...)
		all.Steps = append(all.Steps, plan.Steps...)
		all.Locks = append(all.Locks, plan.Locks...)
	}
	slices.Sort(all.Locks)
	all.Locks = slices.Compact(all.Locks)
	all.Title = in.Action + " " + joinAnd(names)
	all.Impact = strings.Join(impacts, " ")
	all.Digest = all.computeDigest()
	return all, nil
}
