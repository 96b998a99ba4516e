package engine

import (
	"fmt"
	"strings"
	"time"

	"dhbot/internal/redact"
)

// Code says why an event was not accepted, for programs.
type Code string

// The closed set of codes.
const (
	AlreadyApproved Code = "already approved" // the vote is over, and it was yes
	AlreadyEnded    Code = "already ended"
	AlreadyStarted  Code = "already started" // too late for what only works before the start
	OwnRequest      Code = "own request"     // the requester has no vote
	VotedAlready    Code = "voted already"   // one person counts once
	NotVoted        Code = "not voted"       // there is no vote to take back
	OtherDigest     Code = "other digest"    // the vote is for another plan
	TooLate         Code = "too late"        // a deadline has passed
	NeedsReason     Code = "needs a reason"
	NeedsPerson     Code = "needs a person" // the event names no person
	NotYours        Code = "not yours"      // only the requester may
	Stopping        Code = "stopping"       // it was stopped already
	NotApproved     Code = "not approved"   // votes are missing for something that changes
	NotDue          Code = "not due"        // no deadline has passed
	NotNow          Code = "not now"        // the run's state has no such event
	NothingNew      Code = "nothing new"    // the run says so already
	OtherWorker     Code = "other worker"   // the run is in other hands
	WrongStep       Code = "wrong step"     // not the step whose turn it is
	BadRun          Code = "bad run"        // a new run that could not be carried out
	UnknownEvent    Code = "unknown event"  // not one of the closed set
)

// RefusedError is an event that a run does not take, in a plain sentence.
type RefusedError struct {
	Code Code
	Text string
}

func (e *RefusedError) Error() string { return e.Text }

func refused(code Code, format string, args ...any) error {
	return &RefusedError{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Settled is the refusal of what a person wanted of a run that waits for votes
// when it does not any more, and tells what became of it.
func Settled(r Run) error { return settled(r) }

// settled refuses what a person did because the run has moved on, and tells
// what became of it: a late tap is never met with silence.
func settled(r Run) error {
	switch r.State {
	case Denied:
		return refused(AlreadyEnded, "%s was already denied by %s at %s: %s.", r.ID, who(r.DenyBy), clock(r.EndedAt), r.Why)
	case Expired:
		return refused(AlreadyEnded, "%s expired at %s; ask again if it is still wanted.", r.ID, clock(r.EndedAt))
	case Cancelled:
		return refused(AlreadyEnded, "%s was already cancelled by %s at %s.", r.ID, who(r.EndedBy), clock(r.EndedAt))
	case Waiting:
		return refused(NotNow, "%s is still waiting for votes.", r.ID)
	case Approved, Queued, Running, Paused, Unknown:
		return refused(AlreadyApproved, "%s was already approved%s; it is %s.", r.ID, byVotes(r), r.State)
	case Done, Failed, Partly, Refused, Closed:
		return refused(AlreadyEnded, "%s was already approved%s; it is %s since %s.", r.ID, byVotes(r), r.State, clock(r.EndedAt))
	default:
		return refused(NotNow, "%s is in state %q, which this version of the bot does not know.", r.ID, r.State)
	}
}

// byVotes is " by ben and chris at 14:07 UTC".
func byVotes(r Run) string {
	if len(r.Votes) == 0 {
		return " (it needed no vote) at " + clock(r.ApprovedAt)
	}
	names := make([]string, len(r.Votes))
	for i, v := range r.Votes {
		names[i] = v.Person
	}
	return " by " + strings.Join(names, " and ") + " at " + clock(r.ApprovedAt)
}

func who(a *Actor) string {
	if a == nil || a.Person == "" {
		return "somebody"
	}
	return a.Person
}

// clock is a time of day with its zone, since a sentence travels between
// people who live in different ones.
func clock(t *time.Time) string {
	if t == nil {
		return "an unknown time"
	}
	return t.UTC().Format("15:04 MST")
}

// maxText bounds a sentence that is stored with a run.
const maxText = 500

// line makes a text fit for storing and showing.
func line(s string) string { return redact.Line(s, maxText) }

// sentence drops the full stop of a text that goes on.
func sentence(s string) string { return strings.TrimRight(s, ". ") }
