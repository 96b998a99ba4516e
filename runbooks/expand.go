package runbooks

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"dhbot/internal/fleet"
)

// expand turns the action's templates into steps: all of them for the first
// host, then all for the next, so that a failure leaves the rest untouched.
// An action about the cluster goes through its templates once.
func (r *resolution) expand() error {
	if r.action.Scope == AboutCluster {
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

// stepByStep places each template on every host before the next template.
func (r *resolution) stepByStep() error {
	for _, h := range r.hosts {
		r.lock(r.action, r.process, h)
	}
	for i := range r.action.steps {
		for n, h := range r.hosts {
			if err := r.put(r.action, i, r.process, h, n == 0, n == len(r.hosts)-1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *resolution) pass(a *Action, p *Process, h *fleet.Host, first, last bool) error {
	for i := range a.steps {
		if err := r.put(a, i, p, h, first, last); err != nil {
			return err
		}
	}
	return nil
}

// put puts template i of an action where it belongs; first and last say whether
// h is the first and the last host that the action goes through.
func (r *resolution) put(a *Action, i int, p *Process, h *fleet.Host, first, last bool) error {
	t := &a.steps[i]
	if t.once == "first" && !first || t.once == "last" && !last {
		return nil
	}
	if err := r.template(t, p, h); err != nil {
		return fmt.Errorf("%s: %w", a.Name, err)
	}
	return nil
}

// template places one template: on the host at hand, on every host of the
// process that it names, or, without either, on every host of the cluster.
func (r *resolution) template(t *template, p *Process, h *fleet.Host) error {
	if !r.wanted(t) {
		return nil
	}
	hosts := []*fleet.Host{h}
	switch {
	case t.on != "":
		if t.process != "" {
			p, _ = r.catalog.Process(t.process)
		}
		return r.stepAt(t, p, h)
	case t.process != "":
		p, _ = r.catalog.Process(t.process)
		hosts = r.cluster.HostsOf(t.process)
		if r.action.Scope == AboutHost && t.use != "" {
			hosts = slices.DeleteFunc(hosts, func(o *fleet.Host) bool { return o != h })
		}
	case h == nil && t.kind == Manual:
		hosts = r.hosts[:1:1] // a person does it once, wherever the text says
	case h == nil:
		hosts = slices.Clone(r.hosts)
	}
	hosts = slices.DeleteFunc(hosts, func(o *fleet.Host) bool { return !t.suitsHost(o) })
	if t.use != "" {
		return r.use(t, p, hosts)
	}
	if t.appLog && (p == nil || len(p.Logs.App) == 0) {
		return nil
	}
	for _, h := range hosts {
		if err := r.step(t, p, h, h); err != nil {
			return err
		}
	}
	return nil
}

// wanted says whether the request has the parameters that the step is for.
func (r *resolution) wanted(t *template) bool {
	has := func(name string) bool { _, ok := r.values["param."+name]; return ok }
	for _, name := range t.given {
		if !has(name) {
			return false
		}
	}
	return len(t.notGiven) == 0 || !slices.ContainsFunc(t.notGiven, has)
}

// stepAt places a step on the first host of the process that it runs beside,
// and keeps which host it is about.
func (r *resolution) stepAt(t *template, p *Process, about *fleet.Host) error {
	if t.process != "" && len(r.cluster.HostsOf(t.process)) == 0 {
		return nil // the cluster does without what the step is about
	}
	on := r.cluster.HostsOf(t.on)
	if len(on) == 0 {
		return &PlacementError{Process: t.on, Cluster: r.cluster.Name}
	}
	return r.step(t, p, on[0], about)
}

// use puts the steps of another action here.
func (r *resolution) use(t *template, p *Process, hosts []*fleet.Host) error {
	used, err := r.catalog.Action(t.use, t.process)
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

func (r *resolution) lock(a *Action, p *Process, h *fleet.Host) {
	s := &scope{catalog: r.catalog, process: p, cluster: r.cluster, host: h}
	for _, w := range a.locks {
		f, _ := s.one(w)
		r.locks = append(r.locks, r.cluster.Name+"/"+f.text)
	}
}

// step binds one template to the host that it runs on; about is the host that
// it is about, nil where it is about none.
func (r *resolution) step(t *template, p *Process, on, about *fleet.Host) error {
	s := &scope{
		catalog: r.catalog, process: p, cluster: r.cluster, host: on,
		values: r.values, absent: r.absent, flags: r.flags,
	}
	raw, err := r.listedFor(s)
	if err != nil {
		return err
	}
	if t.needsNone(s.listed) {
		return nil
	}
	step, err := s.step(t)
	if err != nil {
		return fmt.Errorf("on %s: %w", on.Name, err)
	}
	step.Host = on.Name
	step.Address = on.Address
	step.Login = on.Login
	step.Via = on.Via
	if about != nil && about != on {
		step.About = about.Name
	}
	if about != nil && t.until.aboutMember() {
		step.Member = memberNames(about)
	}
	if t.until == EtcdStatus || t.until == EtcdCaughtUp {
		step.Quota = r.cluster.EtcdQuota
	}
	if t.kind == List {
		r.discovery(t, step, s.listed, raw)
		return nil
	}
	if t.until == Unchanged {
		if lines, bound := raw[t.list]; bound {
			step.Expect = ListHash(lines)
		} else {
			step.Sent = "" // there is nothing to compare with yet
		}
	}
	r.steps = append(r.steps, step)
	return nil
}

// memberNames are what an endpoint of etcd may call a host: the address by
// which it is reached, without the port, and its name.
func memberNames(h *fleet.Host) string {
	name, _, err := net.SplitHostPort(h.Address)
	if err != nil || name == h.Name {
		return h.Name
	}
	return name + " " + h.Name
}

// discovery asks for a list, or shows what it has brought.
func (r *resolution) discovery(t *template, step Step, listed, raw map[string][]string) {
	step.List = t.list + "@" + step.Host
	if _, bound := raw[t.list]; !bound {
		if step.Sent != "" { // else it waits for the answer of another
			r.discover = append(r.discover, step)
		}
		return
	}
	lines := make([]string, 0, len(listed[t.list]))
	for _, line := range raw[t.list] {
		if t.match.MatchString(line) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	r.found = append(r.found, Listing{Title: step.Title, Host: step.Host, Lines: lines})
}
