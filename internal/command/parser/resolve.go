package parser

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/words"
	"dhbot/internal/fleet"
	"dhbot/runbooks/catalogs"
)

// resolve finds the cluster, processes and hosts.
func (c *changing) resolve() (*command.Request, error) {
	cl, err := c.clusterOf(c.cmd, c.in, c.processes, append(slices.Clone(c.hosts), c.except...))
	if err != nil {
		return nil, err
	}
	req := &command.Request{Command: c.cmd, Params: c.params, Again: c.again, Anyway: c.anyway, Confirm: c.joined || c.all}
	if err := c.g.Bind(req, cl); err != nil {
		return nil, err
	}
	named, err := c.hostsIn(cl)
	if err != nil {
		return nil, err
	}
	var parts []command.Part
	for _, spelling := range c.spellings() {
		p, err := c.part(req, spelling, named)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(parts, func(q command.Part) bool { return q.Process == p.Process }) {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 && c.cmd.Object == command.HostNamed && len(named) == 0 { // "restart-host in qa"
		return nil, c.missing(c.cmd, command.MissingTarget, "Which host?")
	}
	if len(parts) == 0 && c.cmd.Object == command.ClusterMeant && len(named) > 0 { // "restart all on query-2"
		return nil, c.askAboutHost(cl, named[0])
	}
	if len(parts) == 0 { // a host or the cluster
		req.Hosts = named
		return req, nil
	}
	req.Process = parts[0].Process
	req.Hosts = parts[0].Hosts
	req.Also = parts[1:]
	return req, nil
}

// askAboutHost returns a Question if a command for the whole cluster names a host. The choices are
// only about that host.
func (c *changing) askAboutHost(cl *fleet.Cluster, h *fleet.Host) error {
	q := command.Questionf(command.StrayPlace, "`%s` is for the whole of %s and takes no host.", c.cmd.Verb, cl.Name)
	if verb, whole := strings.CutSuffix(c.cmd.Verb, "-all"); whole {
		if _, ok := c.g.Named(verb + "-host"); ok {
			c.suggest(q, verb+"-host "+h.Name, "plan "+verb+"-host "+h.Name)
		}
	}
	c.suggest(q, "status "+h.Name)
	return q
}

// spellings returns the processes that the command names, as typed.
func (c *changing) spellings() []string {
	if c.cmd.Object == command.ProcessImplied {
		return []string{c.cmd.Process}
	}
	return c.processes
}

func (c *changing) hostsIn(cl *fleet.Cluster) ([]*fleet.Host, error) {
	var out []*fleet.Host
	for _, name := range c.hosts {
		h, ok := cl.Host(name)
		if !ok {
			return nil, c.askAbout(
				command.NotHere, fmt.Sprintf("%s is not a host of %s. Its hosts: %s.", name, cl.Name, words.And(cl.HostNames())), nil,
			)
		}
		if !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out, nil
}

// part binds one process to the named hosts.
func (c *changing) part(req *command.Request, spelling string, named []*fleet.Host) (command.Part, error) {
	match := req.Catalog.Find(spelling)
	if match.Process == nil {
		var readings []string
		for _, n := range match.Suggestions {
			readings = append(readings, c.cmd.Verb+" "+n)
		}
		text := fmt.Sprintf("I don't know %s in %s.", words.Shown(spelling), req.Cluster.Name)
		return command.Part{}, c.askAbout(command.UnknownName, text, readings)
	}
	p := command.Part{Process: match.Process}
	hosts := req.Cluster.HostsOf(p.Process.ID)
	if len(hosts) == 0 {
		return p, c.askAbout(command.NotHere, fmt.Sprintf("%s is not configured on any host of %s.", p.Process.ID, req.Cluster.Name), nil)
	}
	for _, h := range named {
		if !h.Runs(p.Process.ID) {
			return p, c.notThere(req, p.Process, h, hosts)
		}
	}
	p.Hosts = named
	if len(c.except) > 0 {
		for _, h := range hosts {
			if !slices.Contains(c.except, h.Name) {
				p.Hosts = append(p.Hosts, h)
			}
		}
		if len(p.Hosts) == 0 {
			return p, c.askAbout(command.Exception, "That excludes every host.", nil)
		}
	}
	return p, nil
}

func (c *changing) notThere(req *command.Request, p *catalogs.Process, at *fleet.Host, hosts []*fleet.Host) error {
	var readings []string
	for _, h := range hosts {
		readings = append(readings, fmt.Sprintf("%s %s on %s in %s", c.cmd.Verb, p.ID, h.Name, req.Cluster.Name))
	}
	return c.askAbout(command.NotHere, fmt.Sprintf("%s does not run on %s.", p.ID, at.Name), readings)
}
