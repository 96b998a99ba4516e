package runbooks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Class is what an action does to the cluster; the gate decides by it.
type Class string

// The closed set of classes; docs/roles.md has what each of them takes.
const (
	Read        Class = "read"        // changes nothing
	Sensitive   Class = "sensitive"   // a read that exposes data: role "data", answered by DM
	Writes      Class = "writes"      // writes a file and changes nothing else
	Disruptive  Class = "disruptive"  // changes something that people notice
	Destructive Class = "destructive" // cannot be undone
)

// Changing says that a run of this class needs a lock, a record before each
// step, and a fate.
func (c Class) Changing() bool { return c == Writes || c == Disruptive || c == Destructive }

// StepKind is how a step is carried out.
type StepKind string

// The closed set of step kinds.
const (
	Exec   StepKind = "exec"   // run once; it may change something
	Wait   StepKind = "wait"   // repeat a read until a condition holds
	List   StepKind = "list"   // a discovery read before the digest, its lines become inputs
	Manual StepKind = "manual" // a person does it and ticks it
)

// Check is what makes an exec step's answer a success.
type Check string

// The closed set of checks.
const (
	ExitZero Check = "exit 0"               // exit code 0
	Silent   Check = "exit 0, no output"    // exit code 0 and nothing on stdout
	Lines    Check = "exit 0, line by line" // list steps: stdout is the list
	Ticked   Check = "ticked by a person"   // manual steps
)

// Condition is what a wait step waits for. How it is read from the output is
// probe's business; the manager of the step's process says which reader.
type Condition string

// The closed set of conditions.
const (
	Answers Condition = "answers" // the supervisor answers for this process; its pid, or that there is none, is remembered
	// Supervised is Answers, and the supervisor watches the process: what a
	// restart needs, since monit's restart of a process that it does not
	// monitor only resumes the monitoring and restarts nothing.
	Supervised Condition = "supervised"
	Restarted  Condition = "restarted" // nothing pending, up, a new pid, newer data
	Running    Condition = "running"   // nothing pending, up
	Stopped    Condition = "stopped"   // nothing pending, no process
	Gone       Condition = "gone"      // the pid that was remembered is not among the host's pids
	// Ready: the application's log says RUNNING since the restart. Not seeing it in
	// time is reported, and is no failure.
	Ready Condition = "ready"

	// What follows is read from the output alone.

	Shown     Condition = "shown"       // exit code 0, whatever it shows
	Found     Condition = "found"       // grep's: exit code 0, or 1 where nothing was found
	Nothing   Condition = "nothing"     // exit code 0 and no output
	Something Condition = "something"   // exit code 0 and at least one line
	Unchanged Condition = "unchanged"   // the same lines as the list step had before the card
	FileThere Condition = "file there"  // stat -c %s: a file that is not empty
	SpaceFree Condition = "space free"  // df -P -k: at least 4 GiB, twice the default quota of etcd (etcd-runbook.md:170)
	AllUp     Condition = "all up"      // monit summary: every service is up, nothing pending
	AllIdle   Condition = "all stopped" // monit summary: no service is monitored, nothing pending

	EtcdStatus   Condition = "etcd status"      // endpoint status in JSON: what there is to say of every member that answers
	EtcdQuorum   Condition = "etcd quorum"      // endpoint health in JSON: a majority is healthy
	EtcdAlarms   Condition = "etcd alarms"      // alarm list: read, none or not
	EtcdMembers  Condition = "etcd members"     // member list in JSON: the voters, for the next guard; a time-out is no failure
	EtcdSpare    Condition = "etcd can spare"   // endpoint health in JSON: a majority answers without this member, or it does not serve now
	EtcdServes   Condition = "etcd serves"      // endpoint health in JSON: this member is healthy
	EtcdCaughtUp Condition = "etcd caught up"   // endpoint status in JSON: this member has the leader's term and nearly its index
	SnapshotGood Condition = "snapshot is good" // snapshot status in JSON: readable, with keys in it
)

// AboutProcess says that the condition is read from what a supervisor, or the
// process's log, says of one process.
func (c Condition) AboutProcess() bool {
	switch c {
	case Answers, Supervised, Restarted, Running, Stopped, Gone, Ready:
		return true
	default:
		return false
	}
}

// AboutMember says that the condition is about the etcd member of a host.
func (c Condition) AboutMember() bool {
	return c == EtcdSpare || c == EtcdServes || c == EtcdCaughtUp
}

// Conditions is the closed set, in the order of the constants.
func Conditions() []Condition {
	return []Condition{
		Answers, Supervised, Restarted, Running, Stopped, Gone, Ready,
		Shown, Found, Nothing, Something, Unchanged, FileThere, SpaceFree, AllUp, AllIdle,
		EtcdStatus, EtcdQuorum, EtcdAlarms, EtcdMembers, EtcdSpare, EtcdServes, EtcdCaughtUp, SnapshotGood,
	}
}

// Target is one process on one host.
type Target struct {
	Process string `json:"process"`
	Host    string `json:"host"`
}

// String is "db_dis on infra-1".
func (t Target) String() string {
	if t.Process == "" {
		return t.Host
	}
	return t.Process + " on " + t.Host
}

// Step is one thing to do, complete: what is in it is what the digest covers
// and what is sent.
type Step struct {
	Kind    StepKind `json:"kind"`
	Title   string   `json:"title,omitempty"` // for people, short
	Process string   `json:"process,omitempty"`
	Manager Manager  `json:"manager,omitempty"`
	Service string   `json:"service,omitempty"` // the supervisor's own name of the process
	Host    string   `json:"host"`
	Address string   `json:"address"`
	Login   string   `json:"login"`
	// Via are the jump hosts before Address; "" is a direct connection.
	Via string `json:"via,omitempty"`
	// About is the host that the step is about, where it runs on another: the
	// etcd member of query-1 is asked for on infra-1.
	About string `json:"about,omitempty"`
	// Member are the names under which the endpoints of etcd may show the
	// member of the host it is about, separated by spaces.
	Member string `json:"member,omitempty"`
	// Quota is what the database file of an etcd member may grow to, in bytes,
	// as the config has it; 0 where it has none. Newer members report it.
	Quota int64 `json:"quota,omitempty"`
	// Expect is the ListHash that a wait for Unchanged must find again.
	Expect string `json:"expect,omitempty"`
	// Command is what a person would type, in the catalog's form; of a manual
	// step, what the person is to do. Where a discovery read has not been
	// bound yet, {listed.NAME} stands for its answer and Sent is empty.
	Command string    `json:"command,omitempty"`
	Sent    string    `json:"sent,omitempty"`  // with wrapper and sudo -n: the exact exec request
	Until   Condition `json:"until,omitempty"` // wait steps
	Check   Check     `json:"check,omitempty"`
	// Timeout bounds one command of the step on the remote side.
	Timeout Duration `json:"timeout"`
	// Within bounds a wait step as a whole.
	Within Duration `json:"within,omitempty"`
	// List is the key of Inputs.Listed that a list step's lines fill.
	List string `json:"list,omitempty"`
	// Source is the seed's file and line, e.g. "process-runbooks.md:292".
	Source string `json:"source,omitempty"`
	// Corrected says where and why the command differs from its source.
	Corrected string `json:"corrected,omitempty"`
}

// Changes says that sending the step may alter something.
func (s Step) Changes() bool { return s.Kind == Exec }

// Plan is an action resolved against the fleet.
type Plan struct {
	Catalog  string   `json:"catalog"`
	Cluster  string   `json:"cluster"`
	Action   string   `json:"action"`
	Title    string   `json:"title"` // "restart db_dis"
	Class    Class    `json:"class"`
	Severity Severity `json:"severity"` // of the action: it decides the votes
	Targets  []Target `json:"targets"`
	Impact   string   `json:"impact"`
	// Locks are the names a run of this plan holds, sorted.
	Locks []string `json:"locks"`
	// Discover are the reads whose answers Inputs.Listed lacks; they run
	// before the card. Empty for most actions, and once all are bound. A read
	// may need the answer of another: put the answers into Inputs.Listed and
	// plan again until Discover is empty. Plan again with Listed empty to get
	// the same reads again.
	Discover []Step `json:"discover,omitempty"`
	// Found is what the discovery reads have answered, for the card.
	Found []Listing `json:"found,omitempty"`
	Steps []Step    `json:"steps"`
	// Digest is empty while Discover has not been bound.
	Digest string `json:"digest"`
}

// Listing is the answer of one discovery read, as people are to see it.
type Listing struct {
	Title string   `json:"title"`
	Host  string   `json:"host"`
	Lines []string `json:"lines"` // one line each, with single spaces
}

// Inputs are everything that a plan is made of besides catalog and fleet.
// They are stored with the run, so that the plan can be made again and
// compared before every step.
type Inputs struct {
	Cluster string   `json:"cluster"`
	Action  string   `json:"action"`
	Process string   `json:"process,omitempty"` // catalog id, never a user's spelling
	Hosts   []string `json:"hosts,omitempty"`   // empty: every host of the process
	// Also are further processes of the same action, carried out in order after
	// the first.
	Also   []Part            `json:"also,omitempty"`
	Params map[string]string `json:"params,omitempty"` // validated
	// Minted are values made once before the card, e.g. a fresh file name.
	Minted map[string]string `json:"minted,omitempty"`
	// Listed are the answers of the discovery reads, by Step.List: the lines
	// as they came.
	Listed map[string][]string `json:"listed,omitempty"`
	// Continue are the runs that this one continues, the first one first; each is
	// the rest of the one before it.
	Continue []Continuation `json:"continue,omitempty"`
}

// Part is one more process of Inputs, and where.
type Part struct {
	Process string   `json:"process"`
	Hosts   []string `json:"hosts,omitempty"` // empty: every host of the process
}

// Duration is a time.Duration that JSON shows as "15s".
type Duration time.Duration

// D is the standard library's form.
func (d Duration) D() time.Duration { return time.Duration(d) }

// MarshalJSON writes Go's duration text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads Go's duration text.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("duration %s: want text like \"15s\"", b)
	}
	v, err := time.ParseDuration(s)
	*d = Duration(v)
	return err
}

// Sweeps says that a plan goes through what runs on a host or in the cluster,
// without a process having been named: it holds a supervisor's lock for it.
func (p Plan) Sweeps() bool {
	named := slices.ContainsFunc(p.Targets, func(t Target) bool { return t.Process != "" })
	return !named && slices.ContainsFunc(p.Locks, func(l string) bool { return strings.HasSuffix(l, "/monit") })
}

// NameTyped says that approving a plan takes the target's name typed.
func (p Plan) NameTyped() bool { return p.Class == Destructive || p.Sweeps() }

// ActsIn counts the places where a plan changes something. A plan that only
// writes files does so on the hosts of its steps, whichever its locks cover; any
// other acts on all its targets.
func (p Plan) ActsIn() int {
	if p.Class != Writes {
		return len(p.Targets)
	}
	hosts := map[string]bool{}
	for _, s := range p.Steps {
		if s.Kind != Wait {
			hosts[s.Host] = true
		}
	}
	return len(hosts)
}

// Manager is what supervises a process.
type Manager string

// The closed set of managers.
const (
	Monit   Manager = "monit"
	Systemd Manager = "systemd"
)
