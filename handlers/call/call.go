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

// Call is one request being handled: what was understood, who asked, and what
// became of it.
type Call struct {
	Message
	Req     *command.Request
	Cmd     command.Command
	Cluster *fleet.Cluster
	Catalog *catalogs.Catalog
	Process *catalogs.Process // nil where the target is a host or everything
	Host    *fleet.Host       // nil where no host or several were named
	Run     string            // RunNamed
	Topic   string            // Topic: what was typed
	Params  map[string]string
	Rest    string // the reason, or what follows a run's id
	Again   bool   // repeats on purpose what succeeded a moment ago
	Anyway  bool   // starts a process though a dependency of it is down
	// Proposed is what the requester saw and tapped Run on, nil where there was
	// no such tap.
	Proposed *Proposal
	Digest   string // of the plan that a tap was made on
	Page     int    // of details, from 0

	Reply Reply
	Who   Person
	Names *command.Grammar // with the names that who may read
	About engine.Run       // RunNamed: loaded by the gate
	// Window is what windowApprove and windowCancel are about, loaded by the gate.
	Window fleet.Maintenance
	// Incident is the one that IncidentNamed is about, loaded by the gate; nil where
	// several are open and none is meant: incidents.
	Incident  *incidentcard.OpenIncident
	Incidents []incidentcard.OpenIncident
	Asked     string // the run that was asked for, now or a moment ago
	AskedBack bool   // answered with a question: nothing was done
	Offer     string // it waits for the requester's Run, which this is the value of
	// Settled says that the claim of the delivery was settled together with
	// what was done for it.
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

// Class is what the gate goes by: to see a plan only reads.
func (c *Call) Class() runbooks.Class { return c.Req.Class() }

// wants says that a process on a host is among the targets.
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

// Confirmed says that the requester has seen what would run and wants it.
func (c *Call) Confirmed() bool { return c.Proposed != nil || c.Via == Terminal && c.Yes }

// Inputs are what a call's plan is made of; what varies is minted here, once.
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

// InputsOf are those of one process of a call.
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

// InWindow reports whether a window is over one of the hosts that a call is about.
func (c *Call) InWindow(m fleet.Maintenance, now time.Time) bool {
	return slices.ContainsFunc(c.Cluster.HostsOf(c.Process.ID), func(h *fleet.Host) bool {
		return (c.Host == nil || c.Host == h) && m.Covers(c.Cluster.Name, c.Process.ID, h.Name, now)
	})
}

// MustConfirm says that a change which takes no approval waits for its
// requester's Run.
func (c *Call) MustConfirm(plan runbooks.Plan) bool {
	return c.Req.Unmarked || c.Req.Confirm || plan.ActsIn() > 1
}

// Scope is what a call is about.
func (c *Call) Scope() incident.Scope {
	return incident.Scope{Cluster: c.Cluster.Name, Process: c.ProcessID(), Host: HostName(c.Host)}
}

// Query asks about all that a call names, which may be more than a scope can.
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

// severalOf names what a call is about where that is several processes, or several
// hosts as a whole: "" for one of them, and for all of the cluster.
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

// mostNamed is how many processes or hosts are named one by one.
const mostNamed = 4
