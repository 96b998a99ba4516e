package planner

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// expand turns the action's templates into steps. All steps for the first host come before those
// for the next host, so a failure leaves the later hosts unchanged. If the action is StepByStep,
// each step is done on every host before the next step. An action about the cluster uses each
// template once.
func (r *resolution) expand() error {
	if r.action.Scope == catalogs.AboutCluster {
		for _, h := range r.hosts {
			r.lock(r.action, nil, h)
		}
		return r.pass(r.action, r.process, nil, true, true)
	}
	if r.action.StepByStep {
		return r.stepByStep()
	}
	for i, h := range r.hosts {
		r.lock(r.action, r.process, h)
		if err := r.pass(r.action, r.process, h, i == 0, i == len(r.hosts)-1); err != nil {
			return err
		}
	}
	return nil
}

// stepByStep adds steps for all hosts from one template before it continues with the next
// template.
func (r *resolution) stepByStep() error {
	for _, h := range r.hosts {
		r.lock(r.action, r.process, h)
	}
	for i := range r.action.Steps {
		for n, h := range r.hosts {
			if err := r.put(r.action, i, r.process, h, n == 0, n == len(r.hosts)-1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *resolution) pass(a *catalogs.Action, p *catalogs.Process, h *fleet.Host, first, last bool) error {
	for i := range a.Steps {
		if err := r.put(a, i, p, h, first, last); err != nil {
			return err
		}
	}
	return nil
}

// put adds template i of an action for host h. The arguments first and last say whether h is the
// first and the last host of the action.
func (r *resolution) put(a *catalogs.Action, i int, p *catalogs.Process, h *fleet.Host, first, last bool) error {
	t := &a.Steps[i]
	if t.Once == "first" && !first || t.Once == "last" && !last {
		return nil
	}
	if err := r.template(t, p, h); err != nil {
		return fmt.Errorf("%s: %w", a.Name, err)
	}
	return nil
}

// template adds the steps of one template, unless the request lacks its parameters. A template
// with On is added once, at the first host of that process. Any other template that names a
// process is added for every host of that process, but in an action about a host, a used action
// is added for h only. Without a process it is added for h. If h is nil, it is added for every
// host of the action, or once if it is manual. Hosts that the step does not suit are left out.
func (r *resolution) template(t *catalogs.StepTemplate, p *catalogs.Process, h *fleet.Host) error {
	if !r.wanted(t) {
		return nil
	}
	hosts := []*fleet.Host{h}
	switch {
	case t.On != "":
		if t.Process != "" {
			p, _ = r.catalog.Process(t.Process)
		}
		return r.stepAt(t, p, h)
	case t.Process != "":
		p, _ = r.catalog.Process(t.Process)
		hosts = r.cluster.HostsOf(t.Process)
		if r.action.Scope == catalogs.AboutHost && t.Use != "" {
			hosts = slices.DeleteFunc(hosts, func(o *fleet.Host) bool { return o != h })
		}
	case h == nil && t.Kind == runbooks.Manual:
		hosts = r.hosts[:1:1] // a person does a manual step once, for all hosts in the text
	case h == nil:
		hosts = slices.Clone(r.hosts)
	}
	hosts = slices.DeleteFunc(hosts, func(o *fleet.Host) bool { return !t.SuitsHost(o) })
	if t.Use != "" {
		return r.use(t, p, hosts)
	}
	if t.AppLog && (p == nil || len(p.Logs.App) == 0) {
		return nil
	}
	for _, h := range hosts {
		if err := r.step(t, p, h, h); err != nil {
			return err
		}
	}
	return nil
}

// wanted reports whether the request has the parameters that the step requires.
func (r *resolution) wanted(t *catalogs.StepTemplate) bool {
	has := func(name string) bool { _, ok := r.values["param."+name]; return ok }
	for _, name := range t.Given {
		if !has(name) {
			return false
		}
	}
	return len(t.NotGiven) == 0 || !slices.ContainsFunc(t.NotGiven, has)
}

// stepAt adds a step that runs on the first host of another process. subject is the host that the
// step is about.
func (r *resolution) stepAt(t *catalogs.StepTemplate, p *catalogs.Process, subject *fleet.Host) error {
	if t.Process != "" && len(r.cluster.HostsOf(t.Process)) == 0 {
		return nil // the cluster lacks the process of the step
	}
	on := r.cluster.HostsOf(t.On)
	if len(on) == 0 {
		return &runbooks.PlacementError{Process: t.On, Cluster: r.cluster.Name}
	}
	return r.step(t, p, on[0], subject)
}

// use adds the steps of another action.
func (r *resolution) use(t *catalogs.StepTemplate, p *catalogs.Process, hosts []*fleet.Host) error {
	used, err := r.catalog.Action(t.Use, t.Process)
	if err != nil {
		return err
	}
	for i, h := range hosts {
		r.lock(used, p, h)
		if err := r.pass(used, p, h, i == 0, i == len(hosts)-1); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolution) lock(a *catalogs.Action, p *catalogs.Process, h *fleet.Host) {
	s := &catalogs.Binding{Catalog: r.catalog, Process: p, Cluster: r.cluster, Host: h}
	for _, w := range a.Locks {
		f, _ := s.One(w)
		r.locks = append(r.locks, r.cluster.Name+"/"+f.Text)
	}
}

// step binds one template to the host that it runs on. subject is the host that the step is
// about, or nil if there is none.
func (r *resolution) step(t *catalogs.StepTemplate, p *catalogs.Process, on, subject *fleet.Host) error {
	s := &catalogs.Binding{
		Catalog: r.catalog, Process: p, Cluster: r.cluster, Host: on,
		Values: r.values, Absent: r.absent, Flags: r.flags,
	}
	raw, err := r.listedFor(s)
	if err != nil {
		return err
	}
	if t.NeedsNone(s.Listed) {
		return nil
	}
	step, err := s.Step(t)
	if err != nil {
		return fmt.Errorf("on %s: %w", on.Name, err)
	}
	step.Host = on.Name
	step.Address = on.Address
	step.Login = on.Login
	step.Via = on.Via
	if subject != nil && subject != on {
		step.About = subject.Name
	}
	if subject != nil && t.Until.AboutMember() {
		step.Member = memberNames(subject)
	}
	if t.Until == runbooks.EtcdStatus || t.Until == runbooks.EtcdCaughtUp {
		step.Quota = r.cluster.EtcdQuota
	}
	if t.Kind == runbooks.List {
		r.discovery(t, step, s.Listed, raw)
		return nil
	}
	if t.Until == runbooks.Unchanged {
		if lines, bound := raw[t.List]; bound {
			step.Expect = ListHash(lines)
		} else {
			step.Sent = "" // there is no list to compare with yet
		}
	}
	r.steps = append(r.steps, step)
	return nil
}

// memberNames returns the names that an etcd endpoint may have for a host, separated by a blank.
// They are the host's address without the port, and the host's name.
func memberNames(h *fleet.Host) string {
	name, _, err := net.SplitHostPort(h.Address)
	if err != nil || name == h.Name {
		return h.Name
	}
	return name + " " + h.Name
}

// discovery adds a discovery read if its result is not known yet. Otherwise it adds the result,
// so that people see it.
func (r *resolution) discovery(t *catalogs.StepTemplate, step runbooks.Step, listed, raw map[string][]string) {
	step.List = t.List + "@" + step.Host
	if _, bound := raw[t.List]; !bound {
		if step.Sent != "" { // else it needs the result of another read
			r.discover = append(r.discover, step)
		}
		return
	}
	lines := make([]string, 0, len(listed[t.List]))
	for _, line := range raw[t.List] {
		if t.Match.MatchString(line) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	r.found = append(r.found, runbooks.Listing{Title: step.Title, Host: step.Host, Lines: lines})
}
