package catalogs

import (
	"regexp"
	"slices"

	"dhbot/internal/fleet"
	"dhbot/internal/strictyaml"
	"dhbot/runbooks"
)

// Scope says what an action is about.
type Scope string

// All scopes.
const (
	AboutProcess Scope = "process" // one process, on its hosts one after the other
	AboutHost    Scope = "host"    // the named hosts, one after the other
	AboutCluster Scope = "cluster" // the whole cluster, once
)

// Action describes an operation on a process, a host or the cluster, before it is planned. A
// Planner resolves it for a fleet.
type Action struct {
	Name  string
	Title string // for display, as in "restart and wait for a new pid"
	Scope Scope
	// Processes and Managers select the processes that have this action, if its Scope is
	// AboutProcess.
	Processes []string
	Managers  []runbooks.Manager
	Class     runbooks.Class
	// Level is the level of the action. If it is Unknown, the action has the level of an outage of
	// its process.
	Level runbooks.Severity
	// OneHost means that a request must name a host if the process runs on several hosts.
	OneHost bool
	// StepByStep means that each step is done on every host before the next step, because a wait on
	// one host may depend on other hosts.
	StepByStep bool
	Params     []Param
	// Impact says what the action interrupts while it runs. If it is "", the impact is that of an
	// outage of the process.
	Impact string
	// Minted are the names of values that NewStamp makes before planning.
	Minted []string

	Locks []Words
	Steps []StepTemplate
	at    strictyaml.Place
}

// suits reports whether the action applies to the process p. If p is nil, suits reports whether the
// action is about a host or the cluster.
func (a *Action) suits(p *Process) bool {
	if p == nil {
		return a.Scope != AboutProcess
	}
	return a.Scope == AboutProcess && (slices.Contains(a.Processes, p.ID) || slices.Contains(a.Managers, p.Manager))
}

// LevelFor returns the level of the action for the process p. If the action is about a host or the
// cluster, p is nil.
func (a *Action) LevelFor(p *Process) runbooks.Severity {
	if a.Level == runbooks.Unknown && p != nil {
		return p.Level
	}
	return a.Level
}

// StepTemplate is a step of an action before it is bound to a host.
type StepTemplate struct {
	Kind      runbooks.StepKind
	title     string
	Run       []Words // argv; empty for manual and use
	text      Words   // manual: the instruction
	Until     runbooks.Condition
	check     runbooks.Check
	timeout   runbooks.Duration
	within    runbooks.Duration
	Source    string // "file:line", or a key of a process's sources
	Corrected string

	main    bool   // the main step of the action; default: the first exec step
	Process string // a process other than the action's: the step runs on each host of this process
	// On names a process. The step runs on the first host of that process, even if the step is
	// about another host, because only some hosts have tools such as root's etcd client.
	On     string
	AppLog bool   // only for processes with an application log
	Once   string // "first" or "last": only on the first or the last host
	// beside and notBeside name a process. The step is only for hosts that also run it (beside), or
	// that do not (notBeside).
	beside, notBeside string
	// Given and NotGiven name parameters. The step is only for requests that have all of Given, and
	// none of NotGiven.
	Given, NotGiven []string
	// ifSet and ifNotSet name a setting. The step is only for hosts whose config has it (ifSet), or
	// lacks it (ifNotSet).
	ifSet, ifNotSet string

	List string // for a list step, the name of the result; for a wait for Unchanged, the list that must be unchanged
	// Match is the field pattern, with the catalog's paths in place of {path.NAME}. It must match a
	// whole line.
	Match   *regexp.Regexp
	pattern string
	matchAt strictyaml.Place
	Most    int // for a list step, the maximum number of lines
	Last    int // for a list step, how many of the last names are used; 0 means all
	// mayBeEmpty accepts an empty list, and drops the steps that need it. ignoreOthers skips lines
	// that do not match.
	mayBeEmpty, ignoreOthers bool

	Use string // the action whose steps replace this one, for Process

	at strictyaml.Place
}

// clientUpdateReload is the only setting of a host that a step can depend on.
const clientUpdateReload = "client_update_reload"

// SuitsHost reports whether the step is for this host, given the host's processes and settings.
func (t *StepTemplate) SuitsHost(h *fleet.Host) bool {
	set := h.ClientUpdateReload != ""
	return (t.beside == "" || h.Runs(t.beside)) && (t.notBeside == "" || !h.Runs(t.notBeside)) &&
		(t.ifSet == "" || set) && (t.ifNotSet == "" || !set)
}

// limitedTo describes to which of its process's hosts the step is limited by other processes on
// them. It returns "" if there is no such limit. It ignores limits by a setting.
func (t *StepTemplate) limitedTo() string {
	switch {
	case t.beside != "":
		return "hosts with " + t.beside
	case t.notBeside != "":
		return "hosts without " + t.notBeside
	default:
		return ""
	}
}

// Origin says which page a command comes from.
type Origin struct {
	At        string // "file:line"
	Corrected string // how the command differs from the source, and why
}
