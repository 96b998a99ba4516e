// Package audit is what happened: records, their canonical encoding, the
// chain that makes tampering visible, and the verification anybody can do
// offline.
package audit

import "time"

// Kind is what a record is about.
type Kind string

// The closed set of kinds.
const (
	Requested   Kind = "requested"    // a run was asked for
	Refused     Kind = "refused"      // a request or a vote that was not let through
	Approved    Kind = "approved"     // one vote for
	Denied      Kind = "denied"       // one vote against, which ends the run
	Withdrawn   Kind = "withdrawn"    // a vote taken back
	Expired     Kind = "expired"      // a deadline passed
	Cancelled   Kind = "cancelled"    // by the requester, or aborted between steps
	Queued      Kind = "queued"       // waits for a lock
	Started     Kind = "started"      // the run holds its locks
	StepStarted Kind = "step started" // committed before anything is sent
	StepEnded   Kind = "step ended"
	Ticked      Kind = "ticked" // a manual step, by a person
	Ended       Kind = "ended"  // the run's outcome
	Unknown     Kind = "unknown"
	Closed      Kind = "closed"    // an unknown run closed by a person
	ReadDone    Kind = "read"      // a read; recorded, not posted
	Note        Kind = "note"      // the bot about itself: start, stop, config change
	Announced   Kind = "announced" // a person changed what the bot expects: maintenance
	Looking     Kind = "looking"   // an approver said that they look at a run; form 2
	Reminded    Kind = "reminded"  // people were called again to vote; form 2
	// Restored begins an epoch: the store was put back to an earlier time, or
	// adopted, and numbers go on beyond those that were used since; form 3.
	Restored Kind = "restored"
)

// Alarm is the Action of a Note that says that the store is not as the bot left it.
const Alarm = "alarm"

// Record is one line of the audit trail. What is in it never changes; V says
// which form it is.
type Record struct {
	V   int       `json:"v"`
	At  time.Time `json:"at"` // UTC, milliseconds
	Run string    `json:"run,omitempty"`
	// Seq numbers the records of one run from 1, and Prev is the hash of the
	// one before it, "" for the first: each run is a chain of its own.
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
	Digest   string `json:"digest,omitempty"` // the plan's
	Step     int    `json:"step,omitempty"`   // from 1
	Host     string `json:"host,omitempty"`
	Command  string `json:"command,omitempty"` // the exact bytes sent
	Outcome  string `json:"outcome,omitempty"`
	Exit     *int   `json:"exit,omitempty"`
	// Output is the SHA-256 of what the command wrote, never its text.
	Output string `json:"output,omitempty"`
	// Lost is, of a Restored record, how many numbers of entries lie between its
	// own and the one before it: they were given in a time that the store forgot.
	Lost int    `json:"lost,omitempty"`
	Text string `json:"text,omitempty"` // reason, or what was found; redacted
}
