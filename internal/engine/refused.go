package engine

import (
	"strings"
	"time"

	"dhbot/internal/redact"
	"dhbot/internal/refusal"
)

// The codes of this package's refusals.
const (
	AlreadyApproved refusal.Code = "already approved" // the run has its approvals
	AlreadyEnded    refusal.Code = "already ended"
	AlreadyStarted  refusal.Code = "already started" // allowed only before the start
	OwnRequest      refusal.Code = "own request"     // the requester cannot vote
	VotedAlready    refusal.Code = "voted already"   // this person has voted
	NotVoted        refusal.Code = "not voted"       // there is no vote to withdraw
	OtherDigest     refusal.Code = "other digest"    // the vote is for another plan
	TooLate         refusal.Code = "too late"        // a deadline has passed
	NeedsReason     refusal.Code = "needs a reason"
	NeedsPerson     refusal.Code = "needs a person" // the event names no person
	NotYours        refusal.Code = "not yours"      // only the requester may do this
	Stopping        refusal.Code = "stopping"       // the run is already stopping
	NotApproved     refusal.Code = "not approved"   // a change without enough votes
	NotDue          refusal.Code = "not due"        // no deadline has passed
	NotNow          refusal.Code = "not now"        // not possible in the run's state
	NothingNew      refusal.Code = "nothing new"    // the run has this already
	OtherWorker     refusal.Code = "other worker"   // another worker executes the run
	WrongStep       refusal.Code = "wrong step"     // not the current step
	BadRun          refusal.Code = "bad run"        // a new run that cannot be executed
	UnknownEvent    refusal.Code = "unknown event"  // not one of the closed set
)

// Settled is the refusal of an action on a run that no longer waits for votes, with the run's
// outcome.
func Settled(r Run) error { return settled(r) }

// settled refuses an action because the run has already moved on. The refusal names the outcome,
// so that a late tap always gets an answer.
func settled(r Run) error {
	if r.BroughtBack() { // it is not known whether it was approved after the backup
		return refusal.New(AlreadyEnded, "%s was closed at %s, because the bot's state was restored. Before you request it again, check its target.", r.ID, clock(r.EndedAt))
	}
	switch r.State {
	case Denied:
		return refusal.New(AlreadyEnded, "%s was already denied by %s at %s: %s.", r.ID, who(r.DenyBy), clock(r.EndedAt), sentence(r.Why))
	case Expired:
		return refusal.New(AlreadyEnded, "%s expired at %s; request it again if you still need it.", r.ID, clock(r.EndedAt))
	case Cancelled:
		return refusal.New(AlreadyEnded, "%s was already cancelled by %s at %s.", r.ID, who(r.EndedBy), clock(r.EndedAt))
	case Waiting:
		return refusal.New(NotNow, "%s is still waiting for approval.", r.ID)
	case Approved, Queued, Running, Paused, Unknown:
		return refusal.New(AlreadyApproved, "%s was already approved%s; it is %s.", r.ID, byVotes(r), r.State.Words())
	case Done, Failed, Partly, Refused, Closed:
		return refusal.New(AlreadyEnded, "%s was already approved%s; it ended at %s: %s.", r.ID, byVotes(r), clock(r.EndedAt), r.State.Words())
	default:
		return refusal.New(NotNow, "%s is in state %q, which this version of the bot does not know.", r.ID, r.State)
	}
}

// byVotes says who approved a run and when, such as " by ben and chris at 14:07 UTC".
func byVotes(r Run) string {
	if len(r.Votes) == 0 {
		return " (no approval was needed) at " + clock(r.ApprovedAt)
	}
	names := make([]string, len(r.Votes))
	for i, v := range r.Votes {
		names[i] = v.Person
	}
	return " by " + strings.Join(names, " and ") + " at " + clock(r.ApprovedAt)
}

func who(a *Actor) string {
	if a == nil || a.Person == "" {
		return "an unknown person"
	}
	return a.Person
}

// clock returns a time of day in UTC with the zone, because readers may be in other zones.
func clock(t *time.Time) string {
	if t == nil {
		return "an unknown time"
	}
	return t.UTC().Format("15:04 MST")
}

// maxText is the maximum length of a text that is stored with a run, in runes.
const maxText = 500

// line makes a text safe to store and show.
func line(s string) string { return redact.Line(s, maxText) }

// sentence removes the full stop of a text, so that the caller can continue the sentence.
func sentence(s string) string { return strings.TrimRight(s, ". ") }
