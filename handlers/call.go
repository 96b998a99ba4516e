package handlers

import (
	"slices"

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
	proposal  string // it waits for the requester's Run, which this is the value of
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

func (s *Service) setCluster(c *call, cl *fleet.Cluster) error {
	if err := s.Bind(c.req, cl); err != nil {
		return err
	}
	c.cluster, c.catalog = c.req.Cluster, c.req.Catalog
	return nil
}

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
