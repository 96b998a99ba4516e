package command

import (
	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Part is one process of a request and its named hosts, in the order typed.
type Part struct {
	Process *catalogs.Process
	Hosts   []*fleet.Host // empty: every host of the process
}

// Request is a parsed command. Claim, gate and handler use the same Request.
type Request struct {
	Command Command
	Cluster *fleet.Cluster
	Catalog *catalogs.Catalog

	// Process and Hosts are the first target. Process is nil if the target is a host or
	// the cluster. Hosts is empty if no host was named.
	Process *catalogs.Process
	Hosts   []*fleet.Host
	// Also has the other processes of the command, in order.
	Also []Part

	Run string // the run's id if the object is RunNamed, "" for none
	// Incident is the id of an incident if the object is IncidentNamed, or else "".
	Incident string
	Topic    string // the text as typed if the object is Topic or TrailPart
	Params   map[string]string

	// Reason is the requester's reason, or the text after a run's id.
	Reason string
	// Unmarked reports whether Reason comes from words that were not understood, and that follow
	// neither `because` nor `reason:`. A person must confirm such a request.
	Unmarked bool
	// Confirm reports whether the requester must confirm the plan, because the command names
	// several processes or hosts, or says "all" or "everywhere", with or without exceptions.
	Confirm bool

	// Plan requests the plan instead of a run.
	Plan bool
	// Again repeats a command that has just succeeded. Anyway starts a process although a
	// dependency is down.
	Again, Anyway bool
	// Left has the words of a read that were not used. The answer lists them.
	Left []string
}

// Host returns the named host. It returns nil if none or several were named.
func (r *Request) Host() *fleet.Host {
	if len(r.Hosts) != 1 {
		return nil
	}
	return r.Hosts[0]
}

// ProcessID returns the id of the first process, or "" if there is none.
func (r *Request) ProcessID() string {
	if r.Process == nil {
		return ""
	}
	return r.Process.ID
}

// Parts returns all targets of the request. The first is Process and Hosts, and Also follows.
func (r *Request) Parts() []Part {
	return append([]Part{{r.Process, r.Hosts}}, r.Also...)
}

// Class returns the class that the gate checks. Showing a plan is a read.
func (r *Request) Class() runbooks.Class {
	if r.Plan {
		return runbooks.Read
	}
	return r.Command.Class
}

// Changing reports whether executing the request changes something.
func (r *Request) Changing() bool { return r.Class().Changing() }

// Text returns the request, without its reason, as a command with the same meaning in
// every channel.
func (r *Request) Text() string { return r.Fields().Text() }
