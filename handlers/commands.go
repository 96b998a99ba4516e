package handlers

import (
	"context"

	"dhbot/runbooks"
)

// Object is what a verb is said of.
type Object uint8

// The closed set of objects.
const (
	Nothing        Object = iota // the verb stands alone
	AnyTarget                    // a process, a host, a cluster, or nothing for the cluster
	ProcessNamed                 // a process, which must be named
	RunNamed                     // a run id
	Topic                        // help: any verb or process
	ProcessImplied               // the command's own process; a host may be named
	HostNamed                    // a host, which must be named
	ClusterMeant                 // the whole cluster
	TrailPart                    // of the audit trail: a person, process or run, and since when
)

// Command is one row of the command table. Parsing, gate, help and, later,
// terminal and docs are made from it and from nothing else.
type Command struct {
	Verb    string
	Aliases []string
	Object  Object
	// Action is the catalog's action, for verbs that make a plan.
	Action string
	// Process is the process of ProcessImplied.
	Process string
	// Class is what the gate goes by where there is no plan.
	Class runbooks.Class
	// Lasts says that a length of time, or the word that ends it, may stand
	// where a target could.
	Lasts   bool
	Summary string
	Usage   string
	Example string
	// Params are those of the action, with which the usage ends.
	Params []runbooks.Param

	do func(*Service, context.Context, *call) error
	// alone is what the verb does when nothing follows it, where that is
	// something else: a read.
	alone func(*Service, context.Context, *call) error
}

// byItself is the row for a verb that nothing follows.
func (c Command) byItself() Command {
	if c.alone != nil {
		c.Object, c.Class, c.do = Nothing, runbooks.Read, c.alone
	}
	return c
}

// Commands are the rows of the command table that are written by hand, in the
// order in which help shows them; Grammar.commands adds those that the catalogs
// bring.
func Commands() []Command {
	return []Command{
		{Verb: "status", Aliases: []string{"stat", "st", "state", "check"}, Object: AnyTarget, Action: "status", Class: runbooks.Read,
			Summary: "how a process, a host or the cluster is", Usage: "status [PROCESS|HOST] [on HOST] [in CLUSTER]", Example: "status db_dis", do: (*Service).status},
		{Verb: "watch", Aliases: []string{"observe"}, Object: AnyTarget, Class: runbooks.Read, Lasts: true,
			Summary: "follow a process, a host or the cluster in one message, and be told in its thread when its severity changes; alone, what is watched", Usage: "watch [PROCESS|HOST] [on HOST] [in CLUSTER] [30m|end]", Example: "watch db_dis 30m",
			do: (*Service).watch, alone: (*Service).listFollows},
		{Verb: "deps", Aliases: []string{"dependencies", "needs", "upstream"}, Object: ProcessNamed, Class: runbooks.Read,
			Summary: "whether what a process needs is up, in the order in which it starts", Usage: "deps PROCESS [on HOST] [in CLUSTER]", Example: "deps authentication_server", do: (*Service).deps},
		{Verb: "follow", Aliases: []string{"tail"}, Object: ProcessNamed, Action: "logs", Class: runbooks.Read,
			Summary: "the end of a process's log, kept up to date for two minutes", Usage: "follow PROCESS [on HOST] [in CLUSTER] [errors=yes] [grep=TEXT]", Example: "follow db_dis errors=yes", do: (*Service).follow},
		{Verb: "restart", Aliases: []string{"bounce", "reboot"}, Object: ProcessNamed, Action: "restart", Class: runbooks.Disruptive,
			Summary: "restart a process and prove that it came back", Usage: "restart PROCESS [on HOST] [in CLUSTER] [reason …]", Example: "restart db_dis disk was full, freed 40 GB", do: (*Service).request},
		{Verb: "start", Object: ProcessNamed, Action: "start", Class: runbooks.Disruptive,
			Summary: "start a process that is down or not monitored", Usage: "start PROCESS [on HOST] [in CLUSTER] [reason …]", Example: "start db_ltds", do: (*Service).request},
		{Verb: "stop", Object: ProcessNamed, Action: "stop", Class: runbooks.Disruptive,
			Summary: "stop a process", Usage: "stop PROCESS [on HOST] [in CLUSTER] [reason …]", Example: "stop db_ltds on infra-1 not used any more", do: (*Service).request},
		{Verb: "maintenance", Aliases: []string{"maint", "silence"}, Object: ProcessNamed, Class: runbooks.Writes,
			Summary: "announce that you work on a process, so that its being down is no incident; alone, what is announced", Usage: "maintenance [PROCESS [on HOST] [in CLUSTER] 2h|end [reason …]]", Example: "maintenance db_dis 2h disk swap",
			do: (*Service).maintenance, alone: (*Service).listMaintenance},
		{Verb: "approve", Aliases: []string{"yes", "ok"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "be the second pair of eyes for somebody's run", Usage: "approve R-XXXX TARGET", Example: "approve R-7F3K db_dis", do: (*Service).approve},
		{Verb: "deny", Aliases: []string{"reject", "no"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "end a run that waits for votes; say why", Usage: "deny R-XXXX REASON", Example: "deny R-7F3K wrong host", do: (*Service).deny},
		{Verb: "looking", Aliases: []string{"look", "claim"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "tell the others that you are looking at a run that waits for votes", Usage: "looking R-XXXX", Example: "looking R-7F3K", do: (*Service).looking},
		{Verb: "withdraw", Aliases: []string{"unapprove"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "take your vote back until the run starts", Usage: "withdraw R-XXXX", Example: "withdraw R-7F3K", do: (*Service).withdraw},
		{Verb: "cancel", Aliases: []string{"abort"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "end your own run, or stop a running one after its current step", Usage: "cancel R-XXXX [reason …]", Example: "cancel R-7F3K", do: (*Service).cancel},
		{Verb: "done", Aliases: []string{"tick"}, Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "tick the step of a run that waits for a person", Usage: "done R-XXXX [note …]", Example: "done R-7F3K", do: (*Service).tick},
		{Verb: "close", Object: RunNamed, Class: runbooks.Disruptive,
			Summary: "close a run whose outcome is unknown; say what you found", Usage: "close R-XXXX REASON", Example: "close R-7F3K looked at the host, it did restart", do: (*Service).closeUnknown},
		{Verb: "show", Aliases: []string{"run"}, Object: RunNamed, Class: runbooks.Read,
			Summary: "one run, as it stands now", Usage: "show R-XXXX", Example: "show R-7F3K", do: (*Service).showRun},
		{Verb: "details", Aliases: []string{"detail", "steps"}, Object: RunNamed, Class: runbooks.Read,
			Summary: "every step of a run: exact commands, hosts, logins, time-outs and checks", Usage: "details R-XXXX", Example: "details R-7F3K", do: (*Service).details},
		{Verb: "runs", Object: Nothing, Class: runbooks.Read,
			Summary: "what is open, and what ended lately", Usage: "runs", Example: "runs", do: (*Service).runs},
		{Verb: "locks", Object: Nothing, Class: runbooks.Read,
			Summary: "what is locked, by which run and since when", Usage: "locks", Example: "locks", do: (*Service).locks},
		{Verb: "health", Aliases: []string{"ping"}, Object: Nothing, Class: runbooks.Read,
			Summary: "how the bot itself is: what it hears, its store, its replicas", Usage: "health", Example: "health", do: (*Service).health},
		{Verb: "audit", Aliases: []string{"trail", "history"}, Object: TrailPart, Class: runbooks.Read,
			Summary: "what the audit trail has about a person, a process or a run", Usage: "audit [PERSON|PROCESS|R-XXXX] [in CLUSTER] [since=2h]", Example: "audit db_dis since=2h", do: (*Service).auditTrail},
		{Verb: "timeline", Aliases: []string{"story"}, Object: TrailPart, Class: runbooks.Read,
			Summary: "what happened, in order, ready for a post-mortem", Usage: "timeline [PERSON|PROCESS|R-XXXX] [in CLUSTER] [since=4h]", Example: "timeline since=2h", do: (*Service).timeline},
		{Verb: "help", Aliases: []string{"?", "h", "commands"}, Object: Topic, Class: runbooks.Read,
			Summary: "this list, or more about one word of it", Usage: "help [VERB|PROCESS]", Example: "help restart", do: (*Service).help},
	}
}
