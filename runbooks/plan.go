package runbooks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Class is the effect of an action on the cluster. The gate uses it.
type Class string

// All classes; docs/roles.md has the requirements of each.
const (
	Read        Class = "read"        // changes nothing
	Sensitive   Class = "sensitive"   // a read that exposes data: role "data", answered by DM
	Writes      Class = "writes"      // writes a file and changes nothing else
	Disruptive  Class = "disruptive"  // changes something that people notice
	Destructive Class = "destructive" // cannot be undone
)

// Changing reports whether a run of this class needs a lock, a record before each step,
// and an outcome.
func (c Class) Changing() bool { return c == Writes || c == Disruptive || c == Destructive }

// StepKind is how a step is executed.
type StepKind string

// All step kinds.
const (
	Exec   StepKind = "exec"   // run once; it may change something
	Wait   StepKind = "wait"   // repeat a read until a condition holds
	List   StepKind = "list"   // a discovery read before the digest; its lines become inputs
	Manual StepKind = "manual" // a person does it and marks it done
)

// Check is the success criterion of an exec step.
type Check string

// All checks.
const (
	ExitZero Check = "exit 0"               // exit code 0
	Silent   Check = "exit 0, no output"    // exit code 0 and nothing on stdout
	Lines    Check = "exit 0, line by line" // list steps: stdout is the list
	Ticked   Check = "ticked by a person"   // manual steps
)

// Condition is the condition of a wait step. How it is read from the output depends on the
// manager of the step's process.
type Condition string

// All conditions.
const (
	Answers Condition = "answers" // the supervisor reports this process; its pid, or the absence of one, is remembered
	// Supervised is Answers, and the supervisor monitors the process. A restart requires
	// it: monit's restart of an unmonitored process only resumes the monitoring.
	Supervised Condition = "supervised"
	Restarted  Condition = "restarted" // nothing pending, up, a new pid, newer data
	Running    Condition = "running"   // nothing pending, up
	Stopped    Condition = "stopped"   // nothing pending, no process
	Gone       Condition = "gone"      // the remembered pid is not among the host's pids
	// Ready: the application's log has RUNNING since the restart. A time-out is reported
	// but is not a failure.
	Ready Condition = "ready"

	// The conditions below are read from the output alone.

	Shown     Condition = "shown"       // exit code 0, with any output
	Found     Condition = "found"       // for grep: exit code 0, or 1 for no match
	Nothing   Condition = "nothing"     // exit code 0 and no output
	Something Condition = "something"   // exit code 0 and at least one line
	Unchanged Condition = "unchanged"   // the same lines as the list step before the card
	FileThere Condition = "file there"  // stat -c %s: a file that is not empty
	SpaceFree Condition = "space free"  // df -P -k: at least 4 GiB, twice the default quota of etcd (etcd-runbook.md:170)
	AllUp     Condition = "all up"      // monit summary: every service is up, nothing pending
	AllIdle   Condition = "all stopped" // monit summary: no service is monitored, nothing pending

	EtcdStatus   Condition = "etcd status"      // endpoint status in JSON: the state of every member that answers
	EtcdQuorum   Condition = "etcd quorum"      // endpoint health in JSON: a majority is healthy
	EtcdAlarms   Condition = "etcd alarms"      // alarm list: the list was read, with or without alarms
	EtcdMembers  Condition = "etcd members"     // member list in JSON: the voters, for the next guard; a time-out is not a failure
	EtcdSpare    Condition = "etcd can spare"   // endpoint health in JSON: a majority answers without this member, or this member does not serve now
	EtcdServes   Condition = "etcd serves"      // endpoint health in JSON: this member is healthy
	EtcdCaughtUp Condition = "etcd caught up"   // endpoint status in JSON: this member has the leader's term and nearly its index
	SnapshotGood Condition = "snapshot is good" // snapshot status in JSON: the snapshot is readable and has keys
)

// AboutProcess reports whether the condition is read from a supervisor's status, or the
// log, of one process.
func (c Condition) AboutProcess() bool {
	switch c {
	case Answers, Supervised, Restarted, Running, Stopped, Gone, Ready:
		return true
	default:
		return false
	}
}

// AboutMember reports whether the condition is about the etcd member of a host.
func (c Condition) AboutMember() bool {
	return c == EtcdSpare || c == EtcdServes || c == EtcdCaughtUp
}

// Conditions returns all conditions, in the order of the constants.
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

// String returns "db_dis on infra-1".
func (t Target) String() string {
	if t.Process == "" {
		return t.Host
	}
	return t.Process + " on " + t.Host
}

// Step is one step of a plan. The digest covers its content, and the same content is sent.
type Step struct {
	Kind    StepKind `json:"kind"`
	Title   string   `json:"title,omitempty"` // for people, short
	Process string   `json:"process,omitempty"`
	Manager Manager  `json:"manager,omitempty"`
	Service string   `json:"service,omitempty"` // the supervisor's name of the process
	Host    string   `json:"host"`
	Address string   `json:"address"`
	Login   string   `json:"login"`
	// Via are the jump hosts before Address; "" is a direct connection.
	Via string `json:"via,omitempty"`
	// About is the host that the step is about, if it runs on another host: infra-1 is
	// queried about the etcd member of query-1.
	About string `json:"about,omitempty"`
	// Member are the possible names of the About host's member in etcd's endpoints,
	// separated by spaces.
	Member string `json:"member,omitempty"`
	// Quota is the configured size limit of an etcd member's database file, in bytes; 0
	// for none. Newer members report it.
	Quota int64 `json:"quota,omitempty"`
	// Expect is the required ListHash of a wait for Unchanged.
	Expect string `json:"expect,omitempty"`
	// Command is the command as typed, in the catalog's form; for a manual step, the
	// instruction. Before a discovery read is bound, it contains {listed.NAME} and Sent is
	// empty.
	Command string    `json:"command,omitempty"`
	Sent    string    `json:"sent,omitempty"`  // with wrapper and sudo -n: the exact exec request
	Until   Condition `json:"until,omitempty"` // wait steps
	Check   Check     `json:"check,omitempty"`
	// Timeout limits one command of the step, on the remote side.
	Timeout Duration `json:"timeout"`
	// Within is the time limit of a wait step as a whole.
	Within Duration `json:"within,omitempty"`
	// List is the key of Inputs.Listed for the lines of a list step.
	List string `json:"list,omitempty"`
	// Source is the file and line in the runbooks, e.g. "process-runbooks.md:292".
	Source string `json:"source,omitempty"`
	// Corrected is how the command differs from its source, and why.
	Corrected string `json:"corrected,omitempty"`
}

// Changes reports whether sending the step may change something.
func (s Step) Changes() bool { return s.Kind == Exec }

// Plan is an action resolved against the fleet.
type Plan struct {
	Catalog  string   `json:"catalog"`
	Cluster  string   `json:"cluster"`
	Action   string   `json:"action"`
	Title    string   `json:"title"` // "restart db_dis"
	Class    Class    `json:"class"`
	Severity Severity `json:"severity"` // of the action: it determines the approvals
	Targets  []Target `json:"targets"`
	Impact   string   `json:"impact"`
	// Locks are the locks that a run of this plan holds, sorted.
	Locks []string `json:"locks"`
	// Discover are the reads whose results Inputs.Listed lacks. They run before the card. A
	// discovery read may need the result of another discovery read: add the results to
	// Inputs.Listed and plan again until Discover is empty. Planning with empty Listed returns
	// the same reads again.
	Discover []Step `json:"discover,omitempty"`
	// Found are the results of the discovery reads, for the card.
	Found []Listing `json:"found,omitempty"`
	Steps []Step    `json:"steps"`
	// Digest is empty while Discover is not bound.
	Digest string `json:"digest"`
}

// Listing is the result of one discovery read, for display.
type Listing struct {
	Title string   `json:"title"`
	Host  string   `json:"host"`
	Lines []string `json:"lines"` // one line each, with single spaces
}

// Inputs are all inputs of a plan besides catalog and fleet. They are stored with the run,
// so the plan can be made again and compared before every step.
type Inputs struct {
	Cluster string   `json:"cluster"`
	Action  string   `json:"action"`
	Process string   `json:"process,omitempty"` // catalog id, never as typed
	Hosts   []string `json:"hosts,omitempty"`   // empty: every host of the process
	// Also are further processes of the same action, executed in order after the first.
	Also   []Part            `json:"also,omitempty"`
	Params map[string]string `json:"params,omitempty"` // validated
	// Minted are values made once before the card, e.g. a new file name.
	Minted map[string]string `json:"minted,omitempty"`
	// Listed are the lines of the discovery reads as received, by Step.List.
	Listed map[string][]string `json:"listed,omitempty"`
	// Continue are the runs that the plan continues, in order. Each run is the rest of the run
	// before it.
	Continue []Continuation `json:"continue,omitempty"`
}

// Part is one more process of Inputs with its hosts.
type Part struct {
	Process string   `json:"process"`
	Hosts   []string `json:"hosts,omitempty"` // empty: every host of the process
}

// Duration is a time.Duration with the JSON form "15s".
type Duration time.Duration

// D returns the time.Duration.
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

// Sweeps reports whether a plan covers the processes of a host or cluster without a named
// process. Such a plan holds the supervisor's lock.
func (p Plan) Sweeps() bool {
	named := slices.ContainsFunc(p.Targets, func(t Target) bool { return t.Process != "" })
	return !named && slices.ContainsFunc(p.Locks, func(l string) bool { return strings.HasSuffix(l, "/monit") })
}

// NameTyped reports whether approving a plan requires the typed name of the target.
func (p Plan) NameTyped() bool { return p.Class == Destructive || p.Sweeps() }

// ActsIn returns the number of places where a plan changes something. A plan that only
// writes files does so on the hosts of its steps, independent of its locks. Any other plan
// acts on all its targets.
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

// Manager is the supervisor of a process.
type Manager string

// All managers.
const (
	Monit   Manager = "monit"
	Systemd Manager = "systemd"
)
