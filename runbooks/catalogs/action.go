package catalogs

import (
	"regexp"
	"slices"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
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
	Managers  []runbooks.Manager
	Class     runbooks.Class
	// Level is the fixed level of the action; Unknown means the level of the
	// process's own outage.
	Level runbooks.Severity
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

	Locks []Words
	Steps []StepTemplate
	at    pos
}

// suits says whether the action is for the process (nil: for none).
func (a *Action) suits(p *Process) bool {
	if p == nil {
		return a.Scope != AboutProcess
	}
	return a.Scope == AboutProcess && (slices.Contains(a.Processes, p.ID) || slices.Contains(a.Managers, p.Manager))
}

// LevelFor is the level of the action for a process (nil: for none).
func (a *Action) LevelFor(p *Process) runbooks.Severity {
	if a.Level == runbooks.Unknown && p != nil {
		return p.Level
	}
	return a.Level
}

// template is a step before it is bound to a host.
type StepTemplate struct {
	Kind      runbooks.StepKind
	title     string
	Run       []Words // argv; empty for manual and use
	text      Words   // manual: what the person is to do
	Until     runbooks.Condition
	check     runbooks.Check
	timeout   runbooks.Duration
	within    runbooks.Duration
	Source    string // "file:line", or a key of a process's sources
	Corrected string

	main    bool   // what the action is named after; without it the first exec step is
	Process string // another process than the action's: the step runs on each of its hosts
	// On is a process on whose first host the step runs, whatever host it is
	// about: not every host has the tools, such as the etcd client of root.
	On     string
	AppLog bool   // only for processes with an application log
	Once   string // "first" or "last": only on that one of the hosts
	// beside and notBeside limit the step to hosts that run, or do not run,
	// this process as well.
	beside, notBeside string
	// Given and notGiven limit the step to requests that have, or do not have,
	// all of these parameters.
	Given, NotGiven []string
	// ifSet and ifNotSet limit the step to hosts whose config has, or does not
	// have, this setting.
	ifSet, ifNotSet string

	List string // list: the name of the answer; a wait for Unchanged: the list that must be the same
	// Match is pattern with the catalog's paths put in, for the whole of a line.
	Match   *regexp.Regexp
	pattern string
	matchAt pos
	Most    int // list: how many lines at most
	Last    int // list: only this many are used, the last in the order of their names; 0: all
	// mayBeEmpty says that no line is an answer too; what needs one is then
	// left out. ignoreOthers drops lines that do not match.
	mayBeEmpty, ignoreOthers bool

	Use string // the name of another action, whose steps stand here, for process

	at pos
}

// clientUpdateReload is the one setting of a host that steps may depend on.
const clientUpdateReload = "client_update_reload"

// SuitsHost says whether what the config says of a host lets the step be.
func (t *StepTemplate) SuitsHost(h *fleet.Host) bool {
	set := h.ClientUpdateReload != ""
	return (t.beside == "" || h.Runs(t.beside)) && (t.notBeside == "" || !h.Runs(t.notBeside)) &&
		(t.ifSet == "" || set) && (t.ifNotSet == "" || !set)
}

// source is where a command comes from.
type Origin struct {
	At        string // "file:line"
	Corrected string // where and why the command differs from it
}
