package command

import (
	"slices"

	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// Object is the kind of object that a verb takes.
type Object uint8

// All objects.
const (
	Nothing        Object = iota // no object
	AnyTarget                    // a process, a host or a cluster; nothing means the cluster
	ProcessNamed                 // a process, required
	RunNamed                     // a run id; without one the open runs are listed
	Topic                        // any verb or process, for help
	ProcessImplied               // the command's own process; a host is optional
	HostNamed                    // a host, required
	ClusterMeant                 // the whole cluster
	TrailPart                    // part of the audit trail: a person, process or run, and a period
	CommandNamed                 // another command
	IncidentNamed                // an incident's id; default: the only open incident, else a choice
)

// InCluster reports whether a request about the object belongs to one cluster.
func (o Object) InCluster() bool {
	switch o {
	case Nothing, RunNamed, Topic, TrailPart, CommandNamed, IncidentNamed:
		return false
	default:
		return true
	}
}

// Command is a row of the command table. Parser, gate, help, completion and docs/commands
// use only this table.
type Command struct {
	Verb    string
	Aliases []string
	Object  Object
	// Action is the catalog's action, for verbs that have a plan.
	Action string
	// Process is the process that the command is about, if the object is ProcessImplied.
	Process string
	// Class determines the required role, whether the command changes something, and whether
	// its output is sensitive. A command with a plan is also checked against the plan's class.
	Class runbooks.Class
	// Takes says in help which approvals the command needs. If it is "", this follows from the class.
	Takes string
	// Lasts reports whether the command takes a duration, or a word such as `end` that ends
	// the watch or the maintenance.
	Lasts bool
	// ByItself reports whether the verb without an object is a read that returns a list.
	ByItself bool
	// Alone reports whether WithoutObject made this row: it is a verb without its object.
	Alone   bool
	Summary string
	Usage   string
	Example string
	// Params are the parameters of the command.
	Params []catalogs.Param
	// FromCatalog reports whether the row comes from an action of a catalog.
	FromCatalog bool
}

// WithoutObject returns the row of the verb without an object.
func (c Command) WithoutObject() Command {
	c.Object = Nothing
	c.Class = runbooks.Read
	c.Alone = true
	return c
}

// Table returns the built-in rows, in the order of help. Grammar.Commands adds the rows of
// the catalogs.
func Table() []Command {
	return slices.Concat(looks(), changes(), aboutIncidents(), aboutRuns(), aboutBot())
}

func looks() []Command {
	return []Command{
		{Verb: "status", Aliases: []string{"stat", "st", "state", "check"}, Object: AnyTarget, Action: "status", Class: runbooks.Read,
			Summary: "the state of a process, a host or the cluster",
			Usage:   "status [PROCESS|HOST] [on HOST] [in CLUSTER]", Example: "status db_dis"},
		{Verb: "watch", Aliases: []string{"observe"}, Object: AnyTarget, Class: runbooks.Read, Lasts: true, ByItself: true,
			Summary: "follow a process, a host or the cluster in one message, with its changes in the thread; without a target, list the watches",
			Usage:   "watch [PROCESS|HOST] [on HOST] [in CLUSTER] [30m|end]", Example: "watch db_dis 30m"},
		{Verb: "deps", Aliases: []string{"dependencies", "needs", "upstream"}, Object: ProcessNamed, Class: runbooks.Read,
			Summary: "whether the dependencies of a process are up, in the order in which they start",
			Usage:   "deps PROCESS [on HOST] [in CLUSTER]", Example: "deps authentication_server"},
		{Verb: "verify", Aliases: []string{"verify-installation"}, Object: ClusterMeant, Action: "verify", Class: runbooks.Read,
			Summary: "whether every process of every host is as expected, and etcd is healthy", Usage: "verify [in CLUSTER]", Example: "verify"},
		{Verb: "follow", Aliases: []string{"tail"}, Object: ProcessNamed, Action: "logs", Class: runbooks.Read,
			Summary: "the end of a process's log, updated for two minutes",
			Usage:   "follow PROCESS [on HOST] [in CLUSTER] [errors=yes] [grep=TEXT]", Example: "follow db_dis errors=yes"},
		{Verb: "plan", Aliases: []string{"dry-run", "dryrun", "simulate"}, Object: CommandNamed, Class: runbooks.Read,
			Summary: "show what a command would run and where, its severity, who could approve it and any obstacles; nothing is run",
			Usage:   "plan COMMAND", Example: "plan restart db_dis"},
	}
}

func changes() []Command {
	return []Command{
		{Verb: "restart", Aliases: []string{"bounce", "reboot"}, Object: ProcessNamed, Action: "restart", Class: runbooks.Disruptive,
			Summary: "restart a process and verify that it came back",
			Usage:   "restart PROCESS… [on HOST…] [in CLUSTER] [because REASON]", Example: "restart db_dis because disk was full, freed 40 GB"},
		{Verb: "start", Object: ProcessNamed, Action: "start", Class: runbooks.Disruptive,
			Summary: "start a process that is down or not monitored",
			Usage:   "start PROCESS… [on HOST…] [in CLUSTER] [because REASON]", Example: "start db_ltds"},
		{Verb: "stop", Object: ProcessNamed, Action: "stop", Class: runbooks.Disruptive,
			Summary: "stop a process",
			Usage:   "stop PROCESS… [on HOST…] [in CLUSTER] [because REASON]", Example: "stop db_ltds on infra-1 because it is no longer used"},
		{Verb: "maintenance",
			Aliases:  []string{"maint", "silence"},
			Object:   ProcessNamed,
			Class:    runbooks.Writes,
			Takes:    "No approval needed. Maintenance of a process whose outage is Sev 1 ends after at most 4 h, unless another person, who is operator and approver, announces it too.",
			Lasts:    true,
			ByItself: true,
			Summary:  "announce maintenance of a process, during which the bot opens no incidents for the process; without a process, list the announced maintenance",
			Usage:    "maintenance [PROCESS [on HOST] [in CLUSTER] 2h|end [because REASON]]", Example: "maintenance db_dis 2h because disk swap"},
		{Verb: "maintenance-window",
			Object: AnyTarget,
			Class:  runbooks.Writes,
			Takes:  "Needs the approval of another person if the outage of a process on these hosts is Sev 1.",
			Params: []catalogs.Param{
				{Name: ParamFrom, Type: catalogs.TextParam, Help: "when the window begins, with a zone: 2026-12-05T20:00Z, 2026-12-05T20:00+01:00"},
				{Name: ParamUntil, Type: catalogs.TextParam, Help: "when the window ends, with a zone, or how long the window lasts: 12h, 2d"},
			},
			Summary: "request a maintenance window: between two set times, the bot opens no incidents for the hosts or the whole cluster",
			Usage:   "maintenance-window [HOST…] [in CLUSTER] from=TIME until=TIME|2d [because REASON]",
			Example: "maintenance-window infra-1 from=2026-12-05T20:00Z until=2d because rack move"},
		{Verb: "maintenance-approve",
			Object:  ClusterMeant,
			Class:   runbooks.Writes,
			Params:  []catalogs.Param{{Name: ParamID, Type: catalogs.TextParam, Help: "the id of the window, from its card"}},
			Summary: "approve another person's maintenance window",
			Usage:   "maintenance-approve [in CLUSTER] id=M-XXXX", Example: "maintenance-approve id=M-7F3KQ2ZM5TLA"},
		{Verb: "maintenance-cancel",
			Object:  ClusterMeant,
			Class:   runbooks.Writes,
			Params:  []catalogs.Param{{Name: ParamID, Type: catalogs.TextParam, Help: "the id of the window, from its card"}},
			Summary: "deny a maintenance window, cancel it, or end it early",
			Usage:   "maintenance-cancel [in CLUSTER] id=M-XXXX [because REASON]", Example: "maintenance-cancel id=M-7F3KQ2ZM5TLA because the parts are late"},
	}
}

// ParamLength is the parameter for a duration. Its value is a duration, or LengthEnd.
const (
	ParamLength = "length"
	LengthEnd   = "end"
)

// Parameters of a maintenance window.
const (
	ParamFrom  = "from"
	ParamUntil = "until"
	ParamID    = "id"
)

// aboutIncidents returns the commands for incidents. They change nothing on a host.
func aboutIncidents() []Command {
	return []Command{
		{Verb: "incidents", Aliases: []string{"incident"}, Object: IncidentNamed, Class: runbooks.Read,
			Summary: "open incidents and their owners; with an id, the commands for that incident",
			Usage:   "incidents [INCIDENT]", Example: "incidents prod-7"},
		{Verb: "own", Aliases: []string{"acknowledge"}, Object: IncidentNamed, Class: runbooks.Writes,
			Summary: "take an incident: you become its owner", Usage: "own [INCIDENT]", Example: "own prod-7"},
		{Verb: "handover", Aliases: []string{"assign", "hand-over"}, Object: IncidentNamed, Class: runbooks.Writes,
			Summary: "make another operator the owner of an incident", Usage: "handover [INCIDENT] PERSON", Example: "handover prod-7 ben"},
		{Verb: "release", Aliases: []string{"disown"}, Object: IncidentNamed, Class: runbooks.Writes,
			Summary: "leave an incident without an owner", Usage: "release [INCIDENT]", Example: "release prod-7"},
		{Verb: "mute", Aliases: []string{"snooze"}, Object: IncidentNamed, Class: runbooks.Writes,
			Summary: "mute an incident's notifications, for up to an hour or until its severity changes",
			Usage:   "mute [INCIDENT] [30m|end]", Example: "mute prod-7 30m"},
		{Verb: "note", Aliases: []string{"annotate"}, Object: IncidentNamed, Class: runbooks.Writes,
			Summary: "add a note to an incident's thread and to the timeline", Usage: "note [INCIDENT] TEXT", Example: "note prod-7 disk replaced, rebuilding"},
	}
}

func aboutRuns() []Command {
	return []Command{
		{Verb: "approve", Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "approve a request; without an id, list the requests that wait for approval", Usage: "approve R-XXXX TARGET", Example: "approve R-7F3K db_dis"},
		{Verb: "deny", Aliases: []string{"reject"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "end a request that waits for approval, with a reason", Usage: "deny R-XXXX REASON", Example: "deny R-7F3K wrong host"},
		{Verb: "looking", Aliases: []string{"look", "claim"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "show the other approvers that you are reviewing a request", Usage: "looking R-XXXX", Example: "looking R-7F3K"},
		{Verb: "withdraw", Aliases: []string{"unapprove"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "withdraw your approval, before the run starts", Usage: "withdraw R-XXXX", Example: "withdraw R-7F3K"},
		{Verb: "cancel", Aliases: []string{"abort"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "cancel your own request, or stop a running run after its current step", Usage: "cancel R-XXXX [REASON]", Example: "cancel R-7F3K"},
		{Verb: "done", Aliases: []string{"tick"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "complete the manual step that a run waits for", Usage: "done R-XXXX [NOTE]", Example: "done R-7F3K"},
		{Verb: "close", Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "close a run whose outcome is unknown, with what you found", Usage: "close R-XXXX REASON", Example: "close R-7F3K checked the host, it did restart"},
		{Verb: "continue", Aliases: []string{"resume"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "request the remaining steps of an unfinished run", Usage: "continue R-XXXX [anyway=yes] [REASON]", Example: "continue R-7F3K"},
		{Verb: "byhand", Aliases: []string{"by-hand"}, Object: RunNamed, Class: runbooks.Writes,
			Summary: "record that you did an expired or refused request by hand; the bot then checks the target",
			Usage:   "byhand R-XXXX [NOTE]", Example: "byhand R-7F3K restarted it with monit"},
		{Verb: "show", Aliases: []string{"run"}, Object: RunNamed, Class: runbooks.Read,
			Summary: "show one run", Usage: "show R-XXXX", Example: "show R-7F3K"},
		{Verb: "details", Aliases: []string{"detail", "steps"}, Object: RunNamed, Class: runbooks.Read,
			Summary: "every step of a run: exact commands, hosts, logins, timeouts and checks", Usage: "details R-XXXX", Example: "details R-7F3K"},
		{Verb: "runs", Object: Nothing, Class: runbooks.Read,
			Summary: "open and recent runs", Usage: "runs", Example: "runs"},
		{Verb: "locks", Object: Nothing, Class: runbooks.Read,
			Summary: "what is locked, by which run and since when", Usage: "locks", Example: "locks"},
	}
}

func aboutBot() []Command {
	return []Command{
		{Verb: "health", Aliases: []string{"ping"}, Object: Nothing, Class: runbooks.Read,
			Summary: "the health of the bot: Slack, its store, its replicas", Usage: "health", Example: "health"},
		{Verb: "people", Object: ClusterMeant, Class: runbooks.Read,
			Summary: "who is configured, in which role, and who no longer has access", Usage: "people [in CLUSTER]", Example: "people"},
		{Verb: "audit", Aliases: []string{"trail", "history"}, Object: TrailPart, Class: runbooks.Read,
			Summary: "entries of the audit trail about a person, a process or a run",
			Usage:   "audit [PERSON|PROCESS|R-XXXX] [in CLUSTER] [since=2h]", Example: "audit db_dis since=2h"},
		{Verb: "timeline", Aliases: []string{"story"}, Object: TrailPart, Class: runbooks.Read,
			Summary: "the events of the audit trail in order, ready for a post-mortem",
			Usage:   "timeline [PERSON|PROCESS|R-XXXX] [in CLUSTER] [since=4h]", Example: "timeline since=2h"},
		{Verb: "help", Aliases: []string{"?", "h", "commands"}, Object: Topic, Class: runbooks.Read,
			Summary: "list the commands, or show more about one command or process", Usage: "help [VERB|PROCESS]", Example: "help restart"},
	}
}

// Named returns the row of a verb or alias.
func (g *Grammar) Named(verb string) (Command, bool) {
	for _, c := range g.Commands() {
		if c.Verb == verb || slices.Contains(c.Aliases, verb) {
			return c, true
		}
	}
	return Command{}, false
}
