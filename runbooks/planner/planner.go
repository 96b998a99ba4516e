package planner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/suggest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Planner resolves requests against catalog and fleet. The same inputs, catalogs and fleet
// always give the same plan.
type Planner struct {
	Catalogs catalogs.Set
	Fleet    *fleet.Fleet
	// Now returns the current time. The plan only uses it to refuse a date in the future, and a
	// day that is not over yet (catalogs.Param.Today). If Now is nil, neither is refused.
	Now func() time.Time
}

// Plan resolves the inputs into exact commands. If in.Listed lacks discovery reads of the
// action, the plan has them in Discover, an empty digest, and no Sent in steps that need a
// result. The error is an *UnknownError, *NotOfferedError, *PlacementError, *ParamError or
// *ContinueError, or the reason why a command cannot be made.
func (p *Planner) Plan(in runbooks.Inputs) (runbooks.Plan, error) {
	whole := p.one
	if len(in.Also) > 0 {
		whole = p.inOrder
	}
	plan, err := whole(in)
	for _, c := range in.Continue {
		if err == nil {
			plan, err = plan.Continued(c)
		}
	}
	return plan, err
}

// one makes the plan for a single process, host or cluster.
func (p *Planner) one(in runbooks.Inputs) (runbooks.Plan, error) {
	r, err := p.resolve(in)
	if err != nil {
		return runbooks.Plan{}, err
	}
	plan := runbooks.Plan{
		Catalog: r.catalog.Name, Cluster: r.cluster.Name, Action: r.action.Name,
		Title: r.title(), Class: r.action.Class, Severity: r.action.LevelFor(r.process),
	}
	if r.process != nil {
		plan.Impact = r.process.Impact
	}
	if r.action.Impact != "" {
		plan.Impact = r.action.Impact
	}
	for _, h := range r.hosts {
		plan.Targets = append(plan.Targets, runbooks.Target{Process: in.Process, Host: h.Name})
	}
	if err := r.expand(); err != nil {
		return runbooks.Plan{}, err
	}
	plan.Locks = slices.Compact(slices.Sorted(slices.Values(r.locks)))
	plan.Discover = r.discover
	plan.Found = r.found
	plan.Steps = r.steps
	if len(plan.Discover) > 0 {
		return plan, nil
	}
	if len(plan.Steps) == 0 {
		return runbooks.Plan{}, &runbooks.PlacementError{Cluster: r.cluster.Name, Why: fmt.Sprintf(
			"%s has nothing to do in %s: no host has its process in the config, or nothing was found", r.what(), r.cluster.Name)}
	}
	if err := complete(plan.Steps); err != nil {
		return runbooks.Plan{}, fmt.Errorf("%s: %w", plan.Title, err)
	}
	plan.Digest = plan.ComputeDigest()
	return plan, nil
}

// complete refuses a step that still has a placeholder, for example because its list was read on
// another host only. Every step of a plan with a digest can be sent.
func complete(steps []runbooks.Step) error {
	for _, s := range steps {
		if s.Kind != runbooks.Manual && s.Sent == "" {
			return fmt.Errorf("nothing was listed on %s for the step %s; the catalog must read a list on every host that uses it", s.Host, suggest.Short(s.Command))
		}
	}
	return nil
}

// resolution is the state of making a plan.
type resolution struct {
	in      runbooks.Inputs
	catalog *catalogs.Catalog
	cluster *fleet.Cluster
	process *catalogs.Process // nil for an action on hosts or the cluster
	action  *catalogs.Action
	hosts   []*fleet.Host
	values  map[string]string
	absent  map[string]bool
	flags   map[string][]string

	locks    []string
	discover []runbooks.Step
	found    []runbooks.Listing
	steps    []runbooks.Step
}

func (p *Planner) resolve(in runbooks.Inputs) (*resolution, error) {
	r := &resolution{in: in}
	var ok bool
	if r.cluster, ok = p.Fleet.Cluster(in.Cluster); !ok {
		return nil, unknown("cluster", in.Cluster, "the fleet", clusterNames(p.Fleet))
	}
	if r.catalog, ok = p.Catalogs.Get(r.cluster.Catalog); !ok {
		return nil, unknown("catalog", r.cluster.Catalog, "", p.Catalogs.Names())
	}
	var err error
	if r.action, err = r.catalog.Action(in.Action, in.Process); err != nil {
		return nil, err
	}
	if in.Process != "" {
		r.process, _ = r.catalog.Process(in.Process)
	}
	if err := r.place(); err != nil {
		return nil, err
	}
	var now time.Time
	if p.Now != nil {
		now = p.Now()
	}
	r.values, r.absent, err = r.action.Values(in, now)
	r.flags = r.action.FlagsOf(r.values)
	return r, err
}

func unknown(what, name, in string, all []string) *runbooks.UnknownError {
	return &runbooks.UnknownError{What: what, Name: name, In: in, Suggestions: suggest.Near(name, all)}
}

func clusterNames(f *fleet.Fleet) (names []string) {
	for i := range f.Clusters {
		names = append(names, f.Clusters[i].Name)
	}
	return names
}

// place finds the hosts, always in the order of the config.
func (r *resolution) place() error {
	var on, all []string
	for i := range r.cluster.Hosts {
		h := &r.cluster.Hosts[i]
		all = append(all, h.Name)
		if r.process == nil || h.Runs(r.process.ID) {
			on = append(on, h.Name)
		}
	}
	for _, name := range r.in.Hosts {
		if !slices.Contains(all, name) {
			return unknown("host", name, r.cluster.Name, all)
		}
		if !slices.Contains(on, name) {
			return &runbooks.PlacementError{Process: r.in.Process, Host: name, Cluster: r.cluster.Name, On: on}
		}
	}
	a := r.action
	named := len(r.in.Hosts) > 0
	switch {
	case len(on) == 0:
		return &runbooks.PlacementError{Process: r.in.Process, Cluster: r.cluster.Name}
	case a.Scope == catalogs.AboutHost && !named, a.OneHost && (named && len(r.in.Hosts) > 1 || !named && len(on) > 1):
		return &runbooks.PlacementError{Process: r.in.Process, Cluster: r.cluster.Name, On: on,
			Why: fmt.Sprintf("%s must name one host: %s", r.what(), suggest.Either(on))}
	case a.Scope == catalogs.AboutCluster && named:
		return &runbooks.PlacementError{Cluster: r.cluster.Name, On: on,
			Why: fmt.Sprintf("%s is for the whole of %s and takes no host", a.Name, r.cluster.Name)}
	}
	for i := range r.cluster.Hosts {
		h := &r.cluster.Hosts[i]
		if slices.Contains(on, h.Name) && (!named || slices.Contains(r.in.Hosts, h.Name)) {
			r.hosts = append(r.hosts, h)
		}
	}
	return nil
}

// what returns the action and its process: "restart db_dis".
func (r *resolution) what() string {
	return strings.TrimSpace(r.action.Name + " " + r.in.Process)
}

func (r *resolution) title() string {
	switch r.action.Scope {
	case catalogs.AboutHost:
		names := make([]string, len(r.hosts))
		for i, h := range r.hosts {
			names[i] = h.Name
		}
		return r.action.Name + " " + runbooks.JoinAnd(names)
	case catalogs.AboutCluster:
		return r.action.Name + " " + r.cluster.Name
	default:
		return r.what()
	}
}
