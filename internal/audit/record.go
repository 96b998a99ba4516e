package audit

import "time"

// Kind is the kind of a record.
type Kind string

// The closed set of kinds.
const (
	Requested   Kind = "requested"    // a run was requested
	Refused     Kind = "refused"      // a refused request or vote
	Approved    Kind = "approved"     // one approval
	Denied      Kind = "denied"       // one denial, which ends the run
	Withdrawn   Kind = "withdrawn"    // an approval was withdrawn
	Expired     Kind = "expired"      // a deadline passed
	Cancelled   Kind = "cancelled"    // by the requester, or stopped between steps
	Queued      Kind = "queued"       // waits for a lock
	Started     Kind = "started"      // the run holds its locks
	StepStarted Kind = "step started" // committed before the command is sent
	StepEnded   Kind = "step ended"
	Ticked      Kind = "ticked" // a person completed a manual step
	Ended       Kind = "ended"  // the run's outcome
	Unknown     Kind = "unknown"
	Closed      Kind = "closed"    // a person closed an unknown run
	ReadDone    Kind = "read"      // a read; recorded, not posted
	Note        Kind = "note"      // about the bot itself: start, stop, config change
	Announced   Kind = "announced" // announced maintenance
	Looking     Kind = "looking"   // an approver is looking at a run; form 2
	Reminded    Kind = "reminded"  // a reminder to vote was sent; form 2
	// Restored begins an epoch, because the store was reset to an earlier time, or adopted. Numbers
	// that were used since that time are not used again. Its form version is 3.
	Restored Kind = "restored"
)

// Alarm is the Action of a Note which reports that the data in the store differs from what the bot
// wrote.
const Alarm = "alarm"

// Record is one event in the audit trail. It never changes once it is stored. V is its form
// version.
type Record struct {
	V   int       `json:"v"`
	At  time.Time `json:"at"` // UTC, milliseconds
	Run string    `json:"run,omitempty"`
	// Each run has its own chain of records. Seq is the record's number in its run, from 1, and
	// Prev is the hash of the run's previous record, or "" for the first.
	Seq      int    `json:"seq,omitempty"`
	Prev     string `json:"prev,omitempty"`
	Kind     Kind   `json:"kind"`
	Person   string `json:"person,omitempty"`  // config name
	Account  string `json:"account,omitempty"` // "T…/U…"
	Via      string `json:"via,omitempty"`     // slash, mention, button, terminal
	Replica  string `json:"replica,omitempty"`
	Cluster  string `json:"cluster,omitempty"`
	Action   string `json:"action,omitempty"`
	Target   string `json:"target,omitempty"`
	Severity string `json:"severity,omitempty"`
	Digest   string `json:"digest,omitempty"` // of the plan
	Step     int    `json:"step,omitempty"`   // from 1
	Host     string `json:"host,omitempty"`
	Command  string `json:"command,omitempty"` // the exact bytes sent
	Outcome  string `json:"outcome,omitempty"`
	Exit     *int   `json:"exit,omitempty"`
	// Output is the SHA-256 of the command's output, never its text.
	Output string `json:"output,omitempty"`
	// Lost is, for a Restored record, the number of entries that the store lost. Their numbers
	// are missing directly before this entry.
	Lost int    `json:"lost,omitempty"`
	Text string `json:"text,omitempty"` // reason or result; redacted
}
