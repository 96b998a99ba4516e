package call

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

// Call is one request being handled: the parsed command, its author, and the outcome.
type Call struct {
	Message
	Req     *command.Request
	Cmd     command.Command
	Cluster *fleet.Cluster
	Catalog *catalogs.Catalog
	Process *catalogs.Process // nil if the target is a host or everything
	Host    *fleet.Host       // nil if no host or several were named
	Run     string            // the id of the run that the command names
	Topic   string            // the topic of `help`, as typed
	Params  map[string]string
	Rest    string // the reason, or the text after a run's id
	Again   bool   // repeats on purpose an action that just succeeded
	Anyway  bool   // starts a process although a dependency is down
	// Proposed is the plan that the requester confirmed with Run, nil without a
	// confirmation.
	Proposed *Proposal
	Digest   string // the digest of the plan on the tapped card
	Page     int    // the page of the details, from 0

	Reply Reply
	Who   Person
	Names *command.Grammar // with the names that the author may read
	About engine.Run       // the run that the command names, loaded by the gate
	// Window is the maintenance window that the command approves or cancels, loaded by the
	// gate.
	Window fleet.Maintenance
	// Incident is the incident that the command names or implies, loaded by the gate. A command
	// implies the incident of its thread, or else the only open incident. If it does neither,
	// Incident is nil and Incidents has the open incidents, possibly none.
	Incident  *incidentcard.OpenIncident
	Incidents []incidentcard.OpenIncident
	Asked     string // the id of the run that the command requested, or of an equal run that was already open or had just succeeded
	AskedBack bool   // answered with a question: nothing was done
	Offer     string // the value of the Run button that the requester must tap
	// Settled reports whether the action also settled the claim of the delivery, in one
	// transaction.
	Settled bool
}

func New(m Message, r *command.Request) *Call {
	return &Call{
		Message: m, Req: r, Cmd: r.Command, Cluster: r.Cluster, Catalog: r.Catalog, Process: r.Process, Host: r.Host(),
		Run: r.Run, Topic: r.Topic, Params: r.Params, Rest: r.Reason, Again: r.Again, Anyway: r.Anyway,
	}
}

func (c *Call) ProcessID() string {
	if c.Process == nil {
		return ""
	}
	return c.Process.ID
}

// Class returns the class that the gate checks. Showing a plan is a read.
func (c *Call) Class() runbooks.Class { return c.Req.Class() }

// wants reports whether a call's targets include a process on a host.
func (c *Call) wants(process string, h *fleet.Host) bool {
	if c.Req == nil {
		return true
	}
	for _, p := range c.Req.Parts() {
		if (p.Process == nil || p.Process.ID == process) && (len(p.Hosts) == 0 || slices.Contains(p.Hosts, h)) {
			return true
		}
	}
	return false
}

// Confirmed reports whether the requester has seen the plan and confirmed it.
func (c *Call) Confirmed() bool { return c.Proposed != nil || c.Via == Terminal && c.Yes }

// Inputs returns the inputs of a call's plan. Call it only once for each call, because it makes new
// names each time, for example for an export.
func (c *Call) Inputs(now time.Time) (runbooks.Inputs, error) {
	in, err := c.InputsOf(c.Req.Parts()[0], now)
	for _, p := range c.Req.Also {
		part := runbooks.Part{Process: p.Process.ID}
		for _, h := range p.Hosts {
			part.Hosts = append(part.Hosts, h.Name)
		}
		in.Also = append(in.Also, part)
	}
	return in, err
}

// InputsOf returns the inputs of one process of a call.
func (c *Call) InputsOf(p command.Part, now time.Time) (runbooks.Inputs, error) {
	in := runbooks.Inputs{Cluster: c.Cluster.Name, Action: c.Cmd.Action, Params: c.Params}
	if p.Process != nil {
		in.Process = p.Process.ID
	}
	for _, h := range p.Hosts {
		in.Hosts = append(in.Hosts, h.Name)
	}
	action, err := c.Catalog.Action(in.Action, in.Process)
	if err != nil {
		return in, err
	}
	in.Params, in.Minted = action.Settle(in.Params, now), action.Mint(now)
	return in, nil
}

// InWindow reports whether a window covers one of the hosts of a call.
func (c *Call) InWindow(m fleet.Maintenance, now time.Time) bool {
	return slices.ContainsFunc(c.Cluster.HostsOf(c.Process.ID), func(h *fleet.Host) bool {
		return (c.Host == nil || c.Host == h) && m.Covers(c.Cluster.Name, c.Process.ID, h.Name, now)
	})
}

// MustConfirm reports whether a change without approvals needs a confirmation by its
// requester.
func (c *Call) MustConfirm(plan runbooks.Plan) bool {
	return c.Req.Unmarked || c.Req.Confirm || plan.ActsIn() > 1
}

// Scope returns the scope of a call.
func (c *Call) Scope() incident.Scope {
	return incident.Scope{Cluster: c.Cluster.Name, Process: c.ProcessID(), Host: HostName(c.Host)}
}

// Query returns the query for all targets of a call. A Scope cannot name several processes
// or hosts.
func (c *Call) Query() status.Query {
	q := status.Query{Scope: c.Scope(), Several: severalOf(c), Summaries: c.Cmd.Verb == "verify"}
	for i := range c.Cluster.Hosts {
		h := &c.Cluster.Hosts[i]
		for _, id := range h.Processes {
			if c.wants(id, h) {
				q.Targets = append(q.Targets, runbooks.Target{Process: id, Host: h.Name})
			}
		}
	}
	return q
}

func TargetOf(c *Call) string {
	switch several := severalOf(c); {
	case several != "":
		return several
	case c.Process != nil && c.Host != nil:
		return runbooks.Target{Process: c.Process.ID, Host: c.Host.Name}.String()
	case c.Process != nil:
		return c.Process.ID
	default:
		return HostName(c.Host)
	}
}

// severalOf returns the names of a call's targets, or their number if there are more than
// mostNamed. It returns "" unless the targets are several processes or several whole hosts.
func severalOf(c *Call) string {
	if c.Req == nil {
		return ""
	}
	what, names := "hosts", make([]string, len(c.Req.Hosts))
	for i, h := range c.Req.Hosts {
		names[i] = h.Name
	}
	if c.Process != nil {
		what, names = "processes", nil
		for _, p := range c.Req.Parts() {
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

// mostNamed is the largest number of processes or hosts that are listed by name.
const mostNamed = 4
