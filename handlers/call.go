package handlers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/internal/incident"
	"dhbot/internal/status"

	"dhbot/internal/card/incidentcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// call is one request being handled: what was understood, who asked, and what
// became of it.
type call struct {
	Message
	req     *command.Request
	cmd     command.Command
	cluster *fleet.Cluster
	catalog *catalogs.Catalog
	process *catalogs.Process // nil where the target is a host or everything
	host    *fleet.Host       // nil where no host or several were named
	run     string            // RunNamed
	topic   string            // Topic: what was typed
	params  map[string]string
	rest    string // the reason, or what follows a run's id
	again   bool   // repeats on purpose what succeeded a moment ago
	anyway  bool   // starts a process though a dependency of it is down
	// proposed is what the requester saw and tapped Run on, nil where there was
	// no such tap.
	proposed *proposal
	digest   string // of the plan that a tap was made on
	page     int    // of details, from 0

	reply Reply
	who   person
	names *command.Grammar // with the names that who may read
	about engine.Run       // RunNamed: loaded by the gate
	// window is what windowApprove and windowCancel are about, loaded by the gate.
	window fleet.Maintenance
	// incident is the one that IncidentNamed is about, loaded by the gate; nil where
	// several are open and none is meant: incidents.
	incident  *incidentcard.OpenIncident
	incidents []incidentcard.OpenIncident
	asked     string // the run that was asked for, now or a moment ago
	askedBack bool   // answered with a question: nothing was done
	offer     string // it waits for the requester's Run, which this is the value of
	// settled says that the claim of the delivery was settled together with
	// what was done for it.
	settled bool
}

func newCall(m Message, r *command.Request) *call {
	return &call{
		Message: m, req: r, cmd: r.Command, cluster: r.Cluster, catalog: r.Catalog, process: r.Process, host: r.Host(),
		run: r.Run, topic: r.Topic, params: r.Params, rest: r.Reason, again: r.Again, anyway: r.Anyway,
	}
}

func (c *call) processID() string {
	if c.process == nil {
		return ""
	}
	return c.process.ID
}

// class is what the gate goes by: to see a plan only reads.
func (c *call) class() runbooks.Class { return c.req.Class() }

// wants says that a process on a host is among the targets.
func (c *call) wants(process string, h *fleet.Host) bool {
	if c.req == nil {
		return true
	}
	for _, p := range c.req.Parts() {
		if (p.Process == nil || p.Process.ID == process) && (len(p.Hosts) == 0 || slices.Contains(p.Hosts, h)) {
			return true
		}
	}
	return false
}

// confirmed says that the requester has seen what would run and wants it.
func (c *call) confirmed() bool { return c.proposed != nil || c.Via == Terminal && c.Yes }

// inputs are what a call's plan is made of; what varies is minted here, once.
func (c *call) inputs(now time.Time) (runbooks.Inputs, error) {
	in, err := c.inputsOf(c.req.Parts()[0], now)
	for _, p := range c.req.Also {
		part := runbooks.Part{Process: p.Process.ID}
		for _, h := range p.Hosts {
			part.Hosts = append(part.Hosts, h.Name)
		}
		in.Also = append(in.Also, part)
	}
	return in, err
}

// inputsOf are those of one process of a call.
func (c *call) inputsOf(p command.Part, now time.Time) (runbooks.Inputs, error) {
	in := runbooks.Inputs{Cluster: c.cluster.Name, Action: c.cmd.Action, Params: c.params}
	if p.Process != nil {
		in.Process = p.Process.ID
	}
	for _, h := range p.Hosts {
		in.Hosts = append(in.Hosts, h.Name)
	}
	action, err := c.catalog.Action(in.Action, in.Process)
	if err != nil {
		return in, err
	}
	in.Params, in.Minted = action.Settle(in.Params, now), action.Mint(now)
	return in, nil
}

// inWindow reports whether a window is over one of the hosts that a call is about.
func (c *call) inWindow(m fleet.Maintenance, now time.Time) bool {
	return slices.ContainsFunc(c.cluster.HostsOf(c.process.ID), func(h *fleet.Host) bool {
		return (c.host == nil || c.host == h) && m.Covers(c.cluster.Name, c.process.ID, h.Name, now)
	})
}

// mustConfirm says that a change which takes no approval waits for its
// requester's Run.
func (c *call) mustConfirm(plan runbooks.Plan) bool {
	return c.req.Unmarked || c.req.Confirm || plan.ActsIn() > 1
}

// scope is what a call is about.
func (c *call) scope() incident.Scope {
	return incident.Scope{Cluster: c.cluster.Name, Process: c.processID(), Host: hostName(c.host)}
}

// query asks about all that a call names, which may be more than a scope can.
func (c *call) query() status.Query {
	q := status.Query{Scope: c.scope(), Several: severalOf(c), Summaries: c.cmd.Verb == "verify"}
	for i := range c.cluster.Hosts {
		h := &c.cluster.Hosts[i]
		for _, id := range h.Processes {
			if c.wants(id, h) {
				q.Targets = append(q.Targets, runbooks.Target{Process: id, Host: h.Name})
			}
		}
	}
	return q
}

func targetOf(c *call) string {
	switch several := severalOf(c); {
	case several != "":
		return several
	case c.process != nil && c.host != nil:
		return runbooks.Target{Process: c.process.ID, Host: c.host.Name}.String()
	case c.process != nil:
		return c.process.ID
	default:
		return hostName(c.host)
	}
}

// severalOf names what a call is about where that is several processes, or several
// hosts as a whole: "" for one of them, and for all of the cluster.
func severalOf(c *call) string {
	if c.req == nil {
		return ""
	}
	what, names := "hosts", make([]string, len(c.req.Hosts))
	for i, h := range c.req.Hosts {
		names[i] = h.Name
	}
	if c.process != nil {
		what, names = "processes", nil
		for _, p := range c.req.Parts() {
			names = append(names, p.Process.ID)
		}
	}
	switch {
	case len(names) < 2:
		return ""
	case len(names) > mostNamed:
		return fmt.Sprintf("%d %s", len(names), what)
	default:
		return strings.Join(names, ", ")
	}
}

// mostNamed is how many processes or hosts are named one by one.
const mostNamed = 4
