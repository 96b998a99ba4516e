package catalogs

import (
	"regexp"
	"slices"

	"dhbot/internal/fleet"
	"dhbot/internal/strictyaml"
	"dhbot/runbooks"
)

// Scope is the kind of target of an action.
type Scope string

// All scopes.
const (
	AboutProcess Scope = "process" // one process, on its hosts one after the other
	AboutHost    Scope = "host"    // the named hosts, one after the other
	AboutCluster Scope = "cluster" // the whole cluster, once
)

// Action is a template of an operation on a process, a host or a cluster. A Planner
// resolves it against the fleet.
type Action struct {
	Name  string
	Title string // for display, as in "restart and wait for a new pid"
	Scope Scope
	// Processes or Managers select the processes of a process action.
	Processes []string
	Managers  []runbooks.Manager
	Class     runbooks.Class
	// Level is the fixed level of the action. Unknown means the level of the process's own
	// outage.
	Level runbooks.Severity
	// OneHost actions require a named host if the process has several.
	OneHost bool
	// StepByStep actions do each step on every host before the next step: a wait on one
	// host may depend on the others.
	StepByStep bool
	Params     []Param
	// Impact describes the impact while the action runs; "" means the impact of the
	// process's own outage.
	Impact string
	// Minted are the names of the stamps made before planning (NewStamp).
	Minted []string

	Locks []Words
	Steps []StepTemplate
	at    strictyaml.Place
}

// suits reports whether the action applies to process p. If p is nil, it reports whether the
// action is about a host or the cluster.
func (a *Action) suits(p *Process) bool {
	if p == nil {
		return a.Scope != AboutProcess
	}
	return a.Scope == AboutProcess && (slices.Contains(a.Processes, p.ID) || slices.Contains(a.Managers, p.Manager))
}

// LevelFor returns the level of the action for process p; p is nil for an action about a host or
// the cluster.
func (a *Action) LevelFor(p *Process) runbooks.Severity {
	if a.Level == runbooks.Unknown && p != nil {
		return p.Level
	}
	return a.Level
}

// StepTemplate is a step before it is bound to a host.
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
	// On is a process: the step runs on the first host of this process, even if the step is
	// about another host. Only some hosts have tools such as the etcd client of root.
	On     string
	AppLog bool   // only for processes with an application log
	Once   string // "first" or "last": only on the first or the last host
	// beside and notBeside limit the step to hosts that do, or do not, also run this
	// process.
	beside, notBeside string
	// Given and notGiven limit the step to requests that have, or lack, all of these
	// parameters.
	Given, NotGiven []string
	// ifSet and ifNotSet limit the step to hosts whose config has, or lacks, this setting.
	ifSet, ifNotSet string

	List string // for a list step, the name of the result; for a wait for Unchanged, the list that must be unchanged
	// Match is the field pattern with the catalog's paths inserted. It must match a whole
	// line.
	Match   *regexp.Regexp
	pattern string
	matchAt strictyaml.Place
	Most    int // for a list step, the maximum number of lines
	Last    int // for a list step, how many of the last names are used; 0 means all
	// mayBeEmpty allows an empty list, which drops the steps that need it. ignoreOthers
	// drops lines that do not match.
	mayBeEmpty, ignoreOthers bool

	Use string // the action whose steps replace this one, for Process

	at strictyaml.Place
}

// clientUpdateReload is the only host setting that steps can depend on.
const clientUpdateReload = "client_update_reload"

// SuitsHost reports whether the host's config allows the step.
func (t *StepTemplate) SuitsHost(h *fleet.Host) bool {
	set := h.ClientUpdateReload != ""
	return (t.beside == "" || h.Runs(t.beside)) && (t.notBeside == "" || !h.Runs(t.notBeside)) &&
		(t.ifSet == "" || set) && (t.ifNotSet == "" || !set)
}

// limitedTo describes the hosts of the step's process that the step is limited to, "" for all.
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

// Origin is the source of a command.
type Origin struct {
	At        string // "file:line"
	Corrected string // how the command differs from the source, and why
}
