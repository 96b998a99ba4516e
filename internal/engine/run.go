// Package engine is the life of a run: a pure Next(run, event, now) that says
// what a run becomes, and the worker around it that holds the lease, sends
// the steps and watches their effect. It declares what it needs of the world:
// Runs, Executor and Gate.
package engine

import (
	"time"

	"dhbot/auth"
	"dhbot/runbooks"
)

// State is where a run stands.
type State string

// The closed set of states. The transition table stands at Next.
const (
	Waiting   State = "waiting for votes"
	Approved  State = "approved"             // enough votes, or none needed; not yet under way
	Queued    State = "queued"               // waits for a lock that another run holds
	Running   State = "running"              // holds its locks and a worker
	Paused    State = "waiting for a person" // a manual step
	Done      State = "done"
	Failed    State = "failed" // nothing changed, or what changed is known not to have helped
	Partly    State = "partly" // some targets done, then stopped: the rest is named
	Denied    State = "denied"
	Expired   State = "expired"
	Refused   State = "refused" // a check just before execution said no
	Cancelled State = "cancelled"
	Unknown   State = "unknown" // a step's fate is unknown: locks stay held
	Closed    State = "closed"  // an unknown run that a person closed
)

// Ended says that nothing more will happen to a run by itself. An unknown run
// has not ended: it keeps its locks until a person closes it.
func (s State) Ended() bool {
	switch s {
	case Done, Failed, Partly, Denied, Expired, Refused, Cancelled, Closed:
		return true
	default:
		return false
	}
}

// StepState is where one step stands.
type StepState string

// The closed set of step states.
const (
	StepPending StepState = "pending"
	StepStarted StepState = "started" // committed; it may have been sent
	StepDone    StepState = "done"
	StepNoted   StepState = "done, with a note" // a soft check was not seen in time
	StepFailed  StepState = "failed"
	StepUnknown StepState = "unknown"
	StepSkipped StepState = "not done"
)

// Step is what became of a step of the plan, at the same index.
type Step struct {
	State   StepState `json:"state"`
	Text    string    `json:"text,omitempty"` // what was found, one line, redacted
	Outcome string    `json:"outcome,omitempty"`
	Exit    *int      `json:"exit,omitempty"`
	Output  string    `json:"output,omitempty"` // SHA-256 of what it wrote
	OldPID  int       `json:"old_pid,omitempty"`
	NewPID  int       `json:"new_pid,omitempty"`
	// Seen is probe's remembered observation of a wait step, opaque here; a
	// later wait step of the same target compares with it.
	Seen    []byte     `json:"seen,omitempty"`
	Started *time.Time `json:"started,omitempty"`
	Ended   *time.Time `json:"ended,omitempty"`
	By      string     `json:"by,omitempty"` // manual steps: who ticked it
	// Kept is what was read of the target before a change that ends it, and after
	// a wait in vain: lines for people, redacted and bounded.
	Kept []string `json:"kept,omitempty"`
}

// Actor is a person acting through an account.
type Actor struct {
	Person  string       `json:"person"`
	Account auth.Account `json:"account"`
	Via     string       `json:"via"` // slash, mention, button, terminal
	// Origin is the user of the machine whose terminal it was: "uid 1001".
	Origin string `json:"origin,omitempty"`
	// SilentSince is set where Slack was silent, and what it had said last of
	// the person stood in.
	SilentSince *time.Time `json:"silent_since,omitempty"`
}

// Vote is one person's approval of a run.
type Vote struct {
	Actor
	At     time.Time `json:"at"`
	Digest string    `json:"digest"` // the plan that was voted for
}

// Unclear is a guard that could not tell whether a plan does harm.
type Unclear struct {
	Step int    `json:"step"` // its index in the plan
	Text string `json:"text"` // what it said, one line, redacted
}

// Place is where a run was asked for, and so where its message lives.
type Place struct {
	Channel string `json:"channel"`
	Thread  string `json:"thread,omitempty"`
}

// Run is the life of one plan. It is stored as JSON; V says which form.
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
	// Called are the people whom the run's first message calls to vote.
	Called []Callee `json:"called,omitempty"`
	// Last is the run before this one of the same action and target.
	Last *LastTime `json:"last,omitempty"`
	// Beside is where the same process runs that this run leaves alone, for
	// people: "query-2", or "infra-1 (qa)" of another cluster.
	Beside []string `json:"beside,omitempty"`
	// Unclear are guards of the plan that could not tell at the request: Need has
	// one approval more for them, and at the start they need not be able to tell.
	Unclear []Unclear `json:"unclear,omitempty"`
	// Anyway starts a process though a dependency of it was seen to be down.
	Anyway bool `json:"anyway,omitempty"`

	Looking   *Look      `json:"looking,omitempty"`
	Reminders []Reminder `json:"reminders,omitempty"`
	// EndReminder says that the approvers were called before their approval ends.
	EndReminder *Reminder `json:"end_reminder,omitempty"`

	Need    int    `json:"need"` // votes needed
	Votes   []Vote `json:"votes,omitempty"`
	DenyBy  *Actor `json:"deny_by,omitempty"`
	Why     string `json:"why,omitempty"` // of a denial, refusal, cancellation, failure, unknown fate
	EndedBy *Actor `json:"ended_by,omitempty"`
	Abort   *Actor `json:"abort,omitempty"` // stop after the current step

	RequestedAt time.Time  `json:"requested_at"`
	VoteBy      time.Time  `json:"vote_by"` // the deadline of the vote
	ApprovedAt  *time.Time `json:"approved_at,omitempty"`
	StartBy     *time.Time `json:"start_by,omitempty"` // the deadline from approval to start
	StartedAt   *time.Time `json:"started_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	ProbedAt    *time.Time `json:"probed_at,omitempty"` // unknown: when its target was asked afterwards

	Behind string `json:"behind,omitempty"` // queued: the run that holds the lock
	// Worker is the replica that carries it out; "" while it is running means
	// that it was handed over and waits for one.
	Worker string `json:"worker,omitempty"`

	Records int    `json:"records"` // number of records so far
	Head    string `json:"head"`    // hash of the last one
}

// FormVersion is the version of the stored form of a Run. Form 2 added called,
// last, looking and reminders, form 3 end_reminder, form 4 unclear, form 5 kept, form 6
// anyway; a run of an earlier form is one that has none of them.
const FormVersion = 6
