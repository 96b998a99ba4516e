package command

import (
	"strings"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Part is one process of a request and the hosts that were named for it, in
// the order in which they were typed.
type Part struct {
	Process *catalogs.Process
	Hosts   []*fleet.Host // empty: every host of the process
}

// Request is a command that was understood: claim, gate and handler share it.
type Request struct {
	Command Command
	Cluster *fleet.Cluster
	Catalog *catalogs.Catalog

	// Process and Hosts are the first target. Process is nil where the target
	// is a host or the cluster; Hosts is empty where no host was named.
	Process *catalogs.Process
	Hosts   []*fleet.Host
	// Also are the other processes of the same command, in order.
	Also []Part

	Run string // RunNamed: the run's id, "" where none was named
	// Incident is the incident's id of IncidentNamed, "" where none was named.
	Incident string
	Topic    string // Topic and TrailPart: what was typed
	Params   map[string]string

	// Reason is what the requester gave as the reason, or what follows a run's id.
	Reason string
	// Unmarked says that Reason follows neither `because` nor `reason:`: its
	// words were not understood, and a person has to decide.
	Unmarked bool
	// Confirm says that the requester must see what would run before it runs:
	// several names were joined, or some hosts were left out.
	Confirm bool

	// Plan asks to see what would run instead of running it.
	Plan bool
	// Again repeats what succeeded a moment ago; Anyway starts a process though
	// a dependency of it is down.
	Again, Anyway bool
	// Left is what a read was typed with and does not take.
	Left []string
}

// Host is the one host that was named, nil where none or several were.
func (r *Request) Host() *fleet.Host {
	if len(r.Hosts) != 1 {
		return nil
	}
	return r.Hosts[0]
}

// ProcessID is the id of the first process, "" where there is none.
func (r *Request) ProcessID() string {
	if r.Process == nil {
		return ""
	}
	return r.Process.ID
}

// Parts are all processes of the request, the first one first.
func (r *Request) Parts() []Part {
	return append([]Part{{r.Process, r.Hosts}}, r.Also...)
}

// Class is what the gate goes by: a request to see a plan only reads.
func (r *Request) Class() runbooks.Class {
	if r.Plan {
		return runbooks.Read
	}
	return r.Command.Class
}

// Changing says that carrying out the request changes something.
func (r *Request) Changing() bool { return r.Class().Changing() }

// Text is the request as a command that means the same in every channel,
// without its reason.
func (r *Request) Text() string { return r.Fields().Text() }

// hostNames are the names of hosts, in order.
func hostNames(hosts []*fleet.Host) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = h.Name
	}
	return out
}

func clusterHosts(c *fleet.Cluster) []string {
	out := make([]string, len(c.Hosts))
	for i := range c.Hosts {
		out[i] = c.Hosts[i].Name
	}
	return out
}

// and joins names as "a, b and c".
func and(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
