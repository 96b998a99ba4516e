package engine

import (
	"time"

	"dhbot/auth"
	"dhbot/runbooks"
)

// State is the state of a run.
type State string

// The closed set of states. The transition table is at Next.
const (
	Waiting   State = "waiting for votes"
	Approved  State = "approved"             // enough votes, or none needed; not started
	Queued    State = "queued"               // waits for a lock that another run holds
	Running   State = "running"              // holds its locks and a worker
	Paused    State = "waiting for a person" // a manual step
	Done      State = "done"
	Failed    State = "failed" // nothing changed, or the change is known not to have helped
	Partly    State = "partly" // some targets done, then stopped; the run names the others
	Denied    State = "denied"
	Expired   State = "expired"
	Refused   State = "refused" // a check just before execution failed
	Cancelled State = "cancelled"
	Unknown   State = "unknown" // a step's fate is unknown: locks stay held
	Closed    State = "closed"  // an unknown run that a person closed
)

// Words returns the state as people read it, with "approval" instead of "vote".
func (s State) Words() string {
	switch s {
	case Waiting:
		return "waiting for approval"
	case Partly:
		return "partly done"
	case Unknown:
		return "stopped, and its outcome is unknown"
	default:
		return string(s)
	}
}

// Ended reports whether the run is final. An unknown run is not: it keeps its locks until a person
// closes it.
func (s State) Ended() bool {
	switch s {
	case Done, Failed, Partly, Denied, Expired, Refused, Cancelled, Closed:
		return true
	default:
		return false
	}
}

// StepState is the state of one step.
type StepState string

// The closed set of step states.
const (
	StepPending StepState = "pending"
	StepStarted StepState = "started" // committed; it may have been sent
	StepDone    StepState = "done"
	StepNoted   StepState = "done, with a note" // an optional check did not succeed in time
	StepFailed  StepState = "failed"
	StepUnknown StepState = "unknown"
	StepSkipped StepState = "not done"
)

// Step is the result of the plan's step with the same index.
type Step struct {
	State   StepState `json:"state"`
	Text    string    `json:"text,omitempty"` // the result, one line, redacted
	Outcome string    `json:"outcome,omitempty"`
	Exit    *int      `json:"exit,omitempty"`
	Output  string    `json:"output,omitempty"` // SHA-256 of the output of the command
	OldPID  int       `json:"old_pid,omitempty"`
	NewPID  int       `json:"new_pid,omitempty"`
	// Seen is the encoded observation of a wait step. A later wait step for the same target
	// compares its own observation with this.
	Seen    []byte     `json:"seen,omitempty"`
	Started *time.Time `json:"started,omitempty"`
	Ended   *time.Time `json:"ended,omitempty"`
	By      string     `json:"by,omitempty"` // manual steps: who completed it
	// Kept is evidence about the target, as redacted and shortened lines for people. It is
	// collected before a change, or after a wait that timed out.
	Kept []string `json:"kept,omitempty"`
}

// Actor is a person acting through an account.
type Actor struct {
	Person  string       `json:"person"`
	Account auth.Account `json:"account"`
	Via     string       `json:"via"` // slash, mention, button, terminal
	// Origin is the local user at the terminal, such as "uid 1001".
	Origin string `json:"origin,omitempty"`
	// SilentSince is when Slack stopped answering. It is set if Slack did not answer about the
	// person, so that its last known answer was used.
	SilentSince *time.Time `json:"silent_since,omitempty"`
}

// Vote is one person's approval of a run.
type Vote struct {
	Actor
	At     time.Time `json:"at"`
	Digest string    `json:"digest"` // the plan that the voter saw
}

// Unclear is a guard that could not decide whether a plan would do harm.
type Unclear struct {
	Step int    `json:"step"` // the index of the guard in the plan
	Text string `json:"text"` // the answer of the guard, one line, redacted
}

// Place is where the message of a run is posted. That is where the run was requested or, for a
// request at a terminal, in a direct message or on the Home tab, the channel for such runs.
type Place struct {
	Channel string `json:"channel"`
	Thread  string `json:"thread,omitempty"`
}

// Run is one requested plan with its approvals, steps and outcome. It is stored as JSON. The
// field V is the version of its stored form.
type Run struct {
	V      int             `json:"v"`
	ID     string          `json:"id"` // "R-7F3K", never used again
	State  State           `json:"state"`
	Inputs runbooks.Inputs `json:"inputs"`
	Plan   runbooks.Plan   `json:"plan"`
	Steps  []Step          `json:"steps"`

	Asked  Actor  `json:"asked"`
	Reason string `json:"reason,omitempty"`
	Place  Place  `json:"place"`
	// Called are the people whom the run's first message asks to vote.
	Called []Callee `json:"called,omitempty"`
	// Last is the previous run of the same action and target.
	Last *LastTime `json:"last,omitempty"`
	// Beside lists other hosts of the cluster that run the same process and that this run does
	// not touch. It is shown to people.
	Beside []string `json:"beside,omitempty"`
	// Unclear lists the guards that could not decide when the run was requested. Because of them,
	// Need includes one more approval. These guards may be undecided again at the start.
	Unclear []Unclear `json:"unclear,omitempty"`
	// Anyway means that the process is started although one of its dependencies was seen down.
	Anyway bool `json:"anyway,omitempty"`

	Looking   *Look      `json:"looking,omitempty"`
	Reminders []Reminder `json:"reminders,omitempty"`
	// EndReminder records that the approvers were mentioned before their approval ended.
	EndReminder *Reminder `json:"end_reminder,omitempty"`

	Need    int    `json:"need"` // votes needed
	Votes   []Vote `json:"votes,omitempty"`
	DenyBy  *Actor `json:"deny_by,omitempty"`
	Why     string `json:"why,omitempty"` // the reason of a denial, refusal, cancellation, failure or unknown fate
	EndedBy *Actor `json:"ended_by,omitempty"`
	Abort   *Actor `json:"abort,omitempty"` // who stopped the run after the current step

	RequestedAt time.Time  `json:"requested_at"`
	VoteBy      time.Time  `json:"vote_by"` // the deadline of the vote
	ApprovedAt  *time.Time `json:"approved_at,omitempty"`
	StartBy     *time.Time `json:"start_by,omitempty"` // the deadline from approval to start
	StartedAt   *time.Time `json:"started_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	ProbedAt    *time.Time `json:"probed_at,omitempty"` // when the target of an unknown run was last checked

	Behind string `json:"behind,omitempty"` // the run that holds the lock for which a queued run waits
	// Worker is the replica that executes the run. If a running run has no Worker, it was handed
	// over and waits for a replica.
	Worker string `json:"worker,omitempty"`

	Records int    `json:"records"` // number of records so far
	Head    string `json:"head"`    // hash of the last record
}

// FormVersion is the version in which a Run is stored. Version 2 added called, last, looking and
// reminders. Version 3 added end_reminder, 4 unclear, 5 kept, and 6 anyway. An earlier version of
// a stored run lacks the fields that were added later.
const FormVersion = 6
