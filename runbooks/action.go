package runbooks

import (
	"regexp"
	"slices"

	"dhbot/internal/fleet"
)

// Scope is what an action is about.
type Scope string

// The closed set of scopes.
const (
	AboutProcess Scope = "process" // one process, on its hosts one after the other
	AboutHost    Scope = "host"    // the hosts that were named, one after the other
	AboutCluster Scope = "cluster" // the whole cluster, once
)

// Action is what can be asked of a process, a host or a cluster: a template
// that a Planner resolves against the fleet.
type Action struct {
	Name  string
	Title string // for people: what it does, as in "restart and wait for a new pid"
	Scope Scope
	// Processes or Managers say which processes a process action is for.
	Processes []string
	Managers  []Manager
	Class     Class
	// Level is the fixed level of the action; Unknown means the level of the
	// process's own outage.
	Level Severity
	// OneHost actions must name one host where the process has several.
	OneHost bool
	// StepByStep actions do each step on every host before the next one: what is
	// waited for on one host may need the others.
	StepByStep bool
	Params     []Param
	// Impact says what people notice while it runs, where that is not the
	// impact of the process's own outage; "" elsewhere.
	Impact string
	// Minted are the names of the stamps to make before planning (NewStamp).
	Minted []string

	locks []words
	steps []template
	at    pos
}

// suits says whether the action is for the process (nil: for none).
func (a *Action) suits(p *Process) bool {
	if p == nil {
		return a.Scope != AboutProcess
	}
	return a.Scope == AboutProcess && (slices.Contains(a.Processes, p.ID) || slices.Contains(a.Managers, p.Manager))
}

// levelFor is the level of the action for a process (nil: for none).
func (a *Action) levelFor(p *Process) Severity {
	if a.Level == Unknown && p != nil {
		return p.Level
	}
	return a.Level
}

// template is a step before it is bound to a host.
type template struct {
	kind      StepKind
	title     string
	run       []words // argv; empty for manual and use
	text      words   // manual: what the person is to do
	until     Condition
	check     Check
	timeout   Duration
	within    Duration
	source    string // "file:line", or a key of a process's sources
	corrected string

	main    bool   // what the action is named after; without it the first exec step is
	process string // another process than the action's: the step runs on each of its hosts
	// on is a process on whose first host the step runs, whatever host it is
	// about: not every host has the tools, such as the etcd client of root.
	on     string
	appLog bool   // only for processes with an application log
	once   string // "first" or "last": only on that one of the hosts
	// beside and notBeside limit the step to hosts that run, or do not run,
	// this process as well.
	beside, notBeside string
	// given and notGiven limit the step to requests that have, or do not have,
	// all of these parameters.
	given, notGiven []string
	// ifSet and ifNotSet limit the step to hosts whose config has, or does not
	// have, this setting.
	ifSet, ifNotSet string

	list string // list: the name of the answer; a wait for Unchanged: the list that must be the same
	// match is pattern with the catalog's paths put in, for the whole of a line.
	match   *regexp.Regexp
	pattern string
	matchAt pos
	most    int // list: how many lines at most
	last    int // list: only this many are used, the last in the order of their names; 0: all
	// mayBeEmpty says that no line is an answer too; what needs one is then
	// left out. ignoreOthers drops lines that do not match.
	mayBeEmpty, ignoreOthers bool

	use string // the name of another action, whose steps stand here, for process

	at pos
}

// clientUpdateReload is the one setting of a host that steps may depend on.
const clientUpdateReload = "client_update_reload"

// suitsHost says whether what the config says of a host lets the step be.
func (t *template) suitsHost(h *fleet.Host) bool {
	set := h.ClientUpdateReload != ""
	return (t.beside == "" || h.Runs(t.beside)) && (t.notBeside == "" || !h.Runs(t.notBeside)) &&
		(t.ifSet == "" || set) && (t.ifNotSet == "" || !set)
}

// source is where a command comes from.
type source struct {
	at        string // "file:line"
	corrected string // where and why the command differs from it
}
