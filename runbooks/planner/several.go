package planner

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/runbooks"
)

// inOrder returns one plan over several processes. It joins the plans of the processes in order,
// and has the worst level and all locks.
func (p *Planner) inOrder(in runbooks.Inputs) (runbooks.Plan, error) {
	parts := append([]runbooks.Part{{Process: in.Process, Hosts: in.Hosts}}, in.Also...)
	var all runbooks.Plan
	var names, impacts []string
	for i, part := range parts {
		if slices.ContainsFunc(parts[:i], func(o runbooks.Part) bool { return o.Process == part.Process }) {
			return runbooks.Plan{}, &runbooks.PlacementError{Cluster: in.Cluster, Why: part.Process + " is named twice"}
		}
		one := in
		one.Process = part.Process
		one.Hosts = part.Hosts
		one.Also = nil
		plan, err := p.one(one)
		if err != nil {
			return runbooks.Plan{}, err
		}
		if len(plan.Discover) > 0 {
			return runbooks.Plan{}, &runbooks.NotOfferedError{Action: in.Action, Process: part.Process}
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
			return runbooks.Plan{}, fmt.Errorf("%s is %s for %s and %s for %s: request them one by one", in.Action, all.Class, parts[0].Process, plan.Class, part.Process)
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
	all.Title = in.Action + " " + runbooks.JoinAnd(names)
	all.Impact = strings.Join(impacts, " ")
	all.Digest = all.ComputeDigest()
	return all, nil
}
