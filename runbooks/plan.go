package runbooks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Class is the effect of an action on the cluster. It determines who may request the action.
// Together with the level, it determines how many approvals the action needs.
type Class string

// All classes. docs/roles.md lists the requirements of each class.
const (
	Read        Class = "read"        // changes nothing
	Sensitive   Class = "sensitive"   // a read that exposes data: role "data", answered by DM
	Writes      Class = "writes"      // writes a file and changes nothing else
	Disruptive  Class = "disruptive"  // changes something that people notice
	Destructive Class = "destructive" // cannot be undone
)

// Changing reports whether actions of this class change something. Their runs need locks, and a
// record before each step.
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

// Condition is what a wait step waits for. The output that fulfils it depends on the manager of the
// step's process.
type Condition string

// All conditions.
const (
	Answers Condition = "answers" // the supervisor reports this process; its pid, or the absence of one, is remembered
	// Supervised means that Answers holds and that the supervisor monitors the process. A restart
	// requires this, because monit does not restart an unmonitored process, and only resumes the
	// monitoring.
	Supervised Condition = "supervised"
	Restarted  Condition = "restarted" // nothing pending, up, a new pid, newer data
	Running    Condition = "running"   // nothing pending, up
	Stopped    Condition = "stopped"   // nothing pending, no process
	Gone       Condition = "gone"      // the remembered pid is not among the host's pids
	// Ready means that the application has logged RUNNING since the restart. A time-out is
	// reported, but is not a failure.
	Ready Condition = "ready"

	// The conditions below depend only on the output of the command, not on the manager.

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

// AboutProcess reports whether the condition is about one process, and is read from its log, from
// the supervisor's status, or from the host's list of pids (Gone).
func (c Condition) AboutProcess() bool {
	switch c {
	case Answers, Supervised, Restarted, Running, Stopped, Gone, Ready:
		return true
	default:
		return false
	}
}

// AboutMember reports whether the condition is about a single etcd member.
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

// Target is one process on one host. If Process is "", it is the host.
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

// Step is one step of a plan. The digest covers the command, and exactly this command is sent.
type Step struct {
	Kind    StepKind `json:"kind"`
	Title   string   `json:"title,omitempty"` // for people, short
	Process string   `json:"process,omitempty"`
	Manager Manager  `json:"manager,omitempty"`
	Service string   `json:"service,omitempty"` // the supervisor's name of the process
	Host    string   `json:"host"`
	Address string   `json:"address"`
	Login   string   `json:"login"`
	// Via are the jump hosts on the way to Address; "" means a direct connection.
	Via string `json:"via,omitempty"`
	// About is the host that the step is about, if the step runs on another host. For example,
	// infra-1 is queried about the etcd member of query-1.
	About string `json:"about,omitempty"`
	// Member has the possible names of the etcd member that the step is about, separated by spaces.
	// The member's endpoint in etcd has one of these names as its host.
	Member string `json:"member,omitempty"`
	// Quota is the configured size limit of an etcd member's database file, in bytes, or 0 if none
	// is configured. Newer members report their limit themselves.
	Quota int64 `json:"quota,omitempty"`
	// Expect is the ListHash that the lines must have if Until is Unchanged.
	Expect string `json:"expect,omitempty"`
	// Command is the command in the catalog's form, with the values of its placeholders, or the
	// instruction of a manual step. If it needs the result of a discovery read that has not run, it
	// contains {listed.NAME}, and Sent is empty.
	Command string    `json:"command,omitempty"`
	Sent    string    `json:"sent,omitempty"`  // with wrapper and sudo -n: the exact exec request
	Until   Condition `json:"until,omitempty"` // wait steps
	Check   Check     `json:"check,omitempty"`
	// Timeout is the time limit of one command of the step. The remote host enforces it.
	Timeout Duration `json:"timeout"`
	// Within is the time limit of a whole wait step, which may send its command several times.
	Within Duration `json:"within,omitempty"`
	// List is the key in Inputs.Listed under which the lines of a list step are stored.
	List string `json:"list,omitempty"`
	// Source is the place of the command in the runbooks, e.g. "process-runbooks.md:292".
	Source string `json:"source,omitempty"`
	// Corrected says how the command differs from the runbook, and why. It is "" if the command is
	// the same.
	Corrected string `json:"corrected,omitempty"`
}

// Changes reports whether sending the step may change something.
func (s Step) Changes() bool { return s.Kind == Exec }

// Plan has the steps of an action on the hosts of a cluster.
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
	// Discover are the reads whose results are missing in Inputs.Listed. The caller runs them
	// before people see the plan, adds the results to Inputs.Listed, and plans again. It repeats
	// this until Discover is empty, because a read may need the result of another.
	Discover []Step `json:"discover,omitempty"`
	// Found are the results of the discovery reads, which the card shows.
	Found []Listing `json:"found,omitempty"`
	Steps []Step    `json:"steps"`
	// Digest is "" while the plan has discovery reads to run.
	Digest string `json:"digest"`
}

// Listing is the result of one discovery read, for display.
type Listing struct {
	Title string   `json:"title"`
	Host  string   `json:"host"`
	Lines []string `json:"lines"` // one line each, with single spaces
}

// Inputs are all inputs of a plan except the catalog and the fleet. They are stored with the run,
// so the plan can be made again and compared before every step.
type Inputs struct {
	Cluster string   `json:"cluster"`
	Action  string   `json:"action"`
	Process string   `json:"process,omitempty"` // catalog id, never as typed
	Hosts   []string `json:"hosts,omitempty"`   // empty: every host of the process
	// Also are further processes for the same action. The plan handles them in order, after
	// Process.
	Also   []Part            `json:"also,omitempty"`
	Params map[string]string `json:"params,omitempty"` // validated
	// Minted are values that the bot made once for the plan, e.g. a new file name.
	Minted map[string]string `json:"minted,omitempty"`
	// Listed are the output lines of the discovery reads, as planner.ListLines returns them. The
	// keys are the values of Step.List.
	Listed map[string][]string `json:"listed,omitempty"`
	// Continue are the runs that the plan continues, in order. Each run continued the run before
	// it.
	Continue []Continuation `json:"continue,omitempty"`
}

// Part is a further process for an action, with its hosts.
type Part struct {
	Process string   `json:"process"`
	Hosts   []string `json:"hosts,omitempty"` // empty: every host of the process
}

// Duration is a time.Duration that is written in JSON as a text like "15s".
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

// Sweeps reports whether a plan acts on all processes of a host or cluster, instead of a named
// process. Such a plan holds the lock of the supervisor.
func (p Plan) Sweeps() bool {
	named := slices.ContainsFunc(p.Targets, func(t Target) bool { return t.Process != "" })
	return !named && slices.ContainsFunc(p.Locks, func(l string) bool { return strings.HasSuffix(l, "/monit") })
}

// NameTyped reports whether an approver must type the name of the target.
func (p Plan) NameTyped() bool { return p.Class == Destructive || p.Sweeps() }

// ActsIn returns the number of places where a plan changes something. For a plan that only writes
// files, these are the hosts of its steps other than reads. For any other plan, these are its
// targets.
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

// Manager is the kind of supervisor that manages a process.
type Manager string

// All managers.
const (
	Monit   Manager = "monit"
	Systemd Manager = "systemd"
)
