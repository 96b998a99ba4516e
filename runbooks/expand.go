package runbooks

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/fleet"
)

// expand turns the action's templates into steps: all of them for the first
// host, then all for the next, so that a failure leaves the rest untouched.
// An action about the cluster goes through its templates once.
func (r *resolution) expand() error {
	if r.action.Scope == AboutCluster {
		r.lock(r.action, nil, nil)
		return r.pass(r.action, r.process, nil, true, true)
	}
	for i, h := range r.hosts {
		r.lock(r.action, r.process, h)
		if err := r.pass(r.action, r.process, h, i == 0, i == len(r.hosts)-1); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolution) pass(a *Action, p *Process, h *fleet.Host, first, last bool) error {
	for i := range a.steps {
		t := &a.steps[i]
		if t.once == "first" && !first || t.once == "last" && !last {
			continue
		}
		if err := r.template(t, p, h); err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return nil
}

// template places one template: on the host at hand, on every host of the
// process that it names, or, without either, on every host of the cluster.
func (r *resolution) template(t *template, p *Process, h *fleet.Host) error {
	hosts := []*fleet.Host{h}
	if t.process != "" {
		p, _ = r.catalog.Process(t.process)
		hosts = r.cluster.HostsOf(t.process)
		if r.action.Scope == AboutHost && t.use != "" {
			hosts = slices.DeleteFunc(hosts, func(o *fleet.Host) bool { return o != h })
		}
	} else if h == nil {
		hosts = r.hosts
	}
	if t.use != "" {
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
	if t.appLog && (p == nil || len(p.Logs.App) == 0) {
		return nil
	}
	for _, h := range hosts {
		if err := r.step(t, p, h); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolution) lock(a *Action, p *Process, h *fleet.Host) {
	s := &scope{catalog: r.catalog, process: p, host: h}
	for _, w := range a.locks {
		f, _ := s.one(w)
		r.locks = append(r.locks, r.cluster.Name+"/"+f.text)
	}
}

// step binds one template to one host.
func (r *resolution) step(t *template, p *Process, h *fleet.Host) error {
	s := &scope{catalog: r.catalog, process: p, host: h, values: r.values, absent: r.absent}
	var err error
	if s.listed, err = r.listedFor(h); err != nil {
		return err
	}
	step, err := s.step(t)
	if err != nil {
		return fmt.Errorf("on %s: %w", h.Name, err)
	}
	step.Host, step.Address, step.Login = h.Name, h.Address, h.Login
	if t.kind == List {
		step.List = listKey(t.list, h)
		if _, bound := r.in.Listed[step.List]; !bound {
			r.discover = append(r.discover, step)
		}
		return nil
	}
	r.steps = append(r.steps, step)
	return nil
}

// step fills a template in, as far as the scope knows.
func (s *scope) step(t *template) (Step, error) {
	step := Step{
		Kind: t.kind, Title: t.title, Until: t.until, Check: t.check,
		Timeout: t.timeout, Within: t.within,
	}
	if s.process != nil {
		step.Process, step.Manager, step.Service = s.process.ID, s.process.Manager, s.process.Service
	}
	src := s.catalog.source(s.process, t.source)
	step.Source, step.Corrected = src.at, src.corrected
	if t.corrected != "" {
		step.Corrected = strings.TrimPrefix(step.Corrected+"; "+t.corrected, "; ")
	}
	if t.kind == Manual {
		f, _ := s.one(t.text)
		step.Command, step.Check = f.text, Ticked
		return step, nil
	}
	if t.kind == List {
		step.Check = Lines
	}
	line, argv, err := command(s.fill(t.run))
	if err != nil {
		return Step{}, err
	}
	step.Command = line
	if argv != nil {
		step.Sent, err = Wrap(argv, t.timeout.D())
	}
	return step, err
}

// listKey names the answer of one host's list step.
func listKey(name string, h *fleet.Host) string { return name + "@" + h.Name }

// listedFor returns the answers that belong to a host, by the list's name,
// after holding every line to the pattern of its list step: what a host said
// never becomes part of a command unseen.
func (r *resolution) listedFor(h *fleet.Host) (map[string][]string, error) {
	out := map[string][]string{}
	for i := range r.action.steps {
		t := &r.action.steps[i]
		if t.kind != List {
			continue
		}
		lines, ok := r.in.Listed[listKey(t.list, h)]
		if !ok {
			continue
		}
		bad := func(value, want string) error {
			return &ParamError{Action: r.action.Name, Param: t.list, Value: value, Want: want}
		}
		if len(lines) == 0 {
			return nil, bad("", "came back empty from "+h.Name+": there is nothing to act on")
		}
		if len(lines) > t.most {
			return nil, bad("", fmt.Sprintf("came back from %s with %d lines; the limit is %d", h.Name, len(lines), t.most))
		}
		for _, line := range lines {
			if !t.match.MatchString(line) || strings.HasPrefix(line, "-") || printable(line) != nil {
				return nil, bad(line, "is not what this list may hold ("+t.match.String()+")")
			}
		}
		out[t.list] = lines
	}
	return out, nil
}
