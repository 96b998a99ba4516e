package engine

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// Needed is the number of votes that the run needs. It is the number at the request, but never
// less than the minimum for the run's class and level, whatever is stored.
func (r Run) Needed() int {
	return max(r.Need, auth.Policy{}.VotesNeeded(r.Plan.Class, r.Plan.Severity))
}

// Approvals counts the people other than the requester who voted for this exact plan.
func (r Run) Approvals() int {
	counted := map[string]bool{}
	for _, v := range r.Votes {
		if v.Digest == r.Plan.Digest && v.Person != "" && !sameActor(v.Actor, r.Asked) {
			counted[v.Person] = true
		}
	}
	return len(counted)
}

func (r Run) approved() bool { return r.Plan.Digest != "" && r.Approvals() >= r.Needed() }

// begun reports whether the run has started its steps.
func (r Run) begun() bool { return r.StartedAt != nil }

// sameActor reports whether a and b have the same name or the same account. One name with two
// accounts is one person, and so is one account with two names.
func sameActor(a, b Actor) bool { return a.Person == b.Person || a.Account == b.Account }

func (t *transition) voted(e Voted) error {
	r := &t.run
	switch {
	case e.By.Person == "":
		return refusal.New(NeedsPerson, "Nothing was approved: it is not known who approved %s, and an approval needs a named person.", r.ID)
	case r.State != Waiting:
		return settled(*r)
	case sameActor(e.By, r.Asked):
		return refusal.New(OwnRequest, "Not allowed: %s can't approve %s, their own request; another approver has to.", r.Asked.Person, r.ID)
	case slices.ContainsFunc(r.Votes, func(v Vote) bool { return sameActor(v.Actor, e.By) }):
		return refusal.New(VotedAlready, "%s has already approved %s; the run has %d of %d approvals.", e.By.Person, r.ID, r.Approvals(), r.Needed())
	case !t.now.Before(r.VoteBy):
		return refusal.New(TooLate, "%s expired at %s; request it again if you still need it.", r.ID, clock(&r.VoteBy))
	case e.Digest != r.Plan.Digest:
		return refusal.New(OtherDigest, "The plan of %s has changed since you saw it. Check its message again before you approve.", r.ID)
	}
	r.Votes = append(r.Votes, Vote{Actor: e.By, At: t.now, Digest: e.Digest})
	if r.approved() {
		t.approve()
	}
	t.record(audit.Approved, func(rec *audit.Record) {
		by(rec, e.By)
		rec.Text = inSilence(fmt.Sprintf("vote %d of %d", r.Approvals(), r.Needed()), e.By)
	})
	return nil
}

// approve makes a run approved, and sets the deadline for its start.
func (t *transition) approve() {
	startBy := t.now.Add(t.policy.StartTTL)
	t.run.State = Approved
	t.run.ApprovedAt = &t.now
	t.run.StartBy = &startBy
}

func (t *transition) withdrawn(e WithdrawnVote) error {
	r := &t.run
	i := slices.IndexFunc(r.Votes, func(v Vote) bool { return e.By.Person != "" && v.Person == e.By.Person })
	switch {
	case r.State.Ended():
		return settled(*r)
	case r.begun():
		return refusal.New(AlreadyStarted, "%s started at %s; an approval can be withdrawn only before the start. `cancel %s` stops it after the current step.", r.ID, clock(r.StartedAt), r.ID)
	case r.State != Waiting && r.State != Approved && r.State != Queued:
		return settled(*r)
	case i < 0:
		return refusal.New(NotVoted, "%s has not approved %s; there is nothing to withdraw.", e.By.Person, r.ID)
	}
	r.Votes = slices.Delete(r.Votes, i, i+1)
	r.State = Waiting
	r.ApprovedAt = nil
	r.StartBy = nil
	r.Behind = ""
	t.record(audit.Withdrawn, func(rec *audit.Record) {
		by(rec, e.By)
		rec.Text = fmt.Sprintf("%d of %d approvals left", r.Approvals(), r.Needed())
	})
	return nil
}

// OnlyCancels tells the requester of a run, who cannot deny it, what to do instead.
func OnlyCancels(r Run) string {
	return fmt.Sprintf("%s requested %s and can only cancel it: `cancel %s`.", r.Asked.Person, r.ID, r.ID)
}

func (t *transition) denied(e DeniedBy) error {
	r := &t.run
	switch {
	case r.State.Ended():
		return settled(*r)
	case r.begun():
		return refusal.New(AlreadyStarted, "%s was already approved%s and started at %s. `cancel %s` stops it after the current step.", r.ID, byVotes(*r), clock(r.StartedAt), r.ID)
	case r.State != Waiting && r.State != Approved && r.State != Queued:
		return settled(*r)
	case e.By.Person == "":
		return refusal.New(NeedsPerson, "Nothing was denied: it is not known who denied %s, and a denial needs a named person.", r.ID)
	case sameActor(e.By, r.Asked):
		return refusal.New(OwnRequest, "%s", OnlyCancels(*r))
	case strings.TrimSpace(e.Reason) == "":
		return refusal.New(NeedsReason, "Say why %s is denied: `deny %s REASON`. Nothing was denied.", r.ID, r.ID)
	}
	r.DenyBy = &e.By
	t.end(Denied, e.Reason, &e.By)
	t.record(audit.Denied, func(rec *audit.Record) { by(rec, e.By); rec.Text = e.Reason })
	return nil
}

// cancelled applies CancelledBy. The caller has checked that By is the requester or may approve
// the run.
func (t *transition) cancelled(e CancelledBy) error {
	r := &t.run
	switch {
	case r.State.Ended():
		return settled(*r)
	case e.By.Person == "":
		return refusal.New(NeedsPerson, "Nothing was cancelled: it is not known who cancelled %s, and a cancellation needs a named person.", r.ID)
	case r.State == Unknown:
		return refusal.New(NotNow, "%s has stopped, and its outcome is unknown. Check the target, then `close %s REASON`.", r.ID, r.ID)
	case r.Abort != nil:
		return refusal.New(Stopping, "%s is already stopping, requested by %s; it ends after the current step.", r.ID, r.Abort.Person)
	case !r.begun() && e.By.Person != r.Asked.Person:
		return refusal.New(NotYours, "Only %s can cancel %s before it starts. To stop it, `deny %s REASON`.", r.Asked.Person, r.ID, r.ID)
	}
	why := "cancelled by " + e.By.Person
	if e.Reason != "" {
		why += ": " + e.Reason
	}
	if r.State == Running && r.started() >= 0 {
		r.Abort, r.Why = &e.By, line(why)
		t.record(audit.Cancelled, func(rec *audit.Record) { by(rec, e.By); rec.Text = "stops after the current step; " + why })
		return nil
	}
	t.end(r.stoppedAs(Cancelled), why, &e.By)
	t.withRest()
	t.record(audit.Cancelled, func(rec *audit.Record) { by(rec, e.By); rec.Text, rec.Outcome = r.Why, string(r.State) })
	return nil
}

func (t *transition) closed(e ClosedBy) error {
	r := &t.run
	sev1 := !r.Plan.Severity.Minor()
	switch {
	case r.State.Ended():
		return settled(*r)
	case r.State != Unknown:
		return refusal.New(NotNow, "%s is %s; only a run whose outcome is unknown can be closed.", r.ID, r.State.Words())
	case e.By.Person == "":
		return refusal.New(NeedsPerson, "Nothing was closed: it is not known who closed %s, and closing a run needs a named person.", r.ID)
	case strings.TrimSpace(e.Reason) == "":
		return refusal.New(NeedsReason, "Say what you found: `close %s REASON`. Nothing was closed.", r.ID)
	case sev1 && sameActor(e.By, r.Asked):
		return refusal.New(OwnRequest, "Not allowed: %s requested %s. Another person has to close a Sev 1 run.", r.Asked.Person, r.ID)
	}
	t.end(Closed, e.Reason, &e.By)
	t.record(audit.Closed, func(rec *audit.Record) { by(rec, e.By); rec.Text = e.Reason })
	return nil
}

// deadline ends a run that was not approved in time, or that was approved but not started in
// time.
func (t *transition) deadline() error {
	r := &t.run
	var why string
	switch {
	case r.State == Waiting && !t.now.Before(r.VoteBy):
		why = fmt.Sprintf("expired: %d of %d approvals by %s", r.Approvals(), r.Needed(), clock(&r.VoteBy))
	case (r.State == Approved || r.State == Queued) && r.startExpired(t.now):
		why = fmt.Sprintf("expired: not started by %s", clock(r.StartBy))
		if r.Behind != "" {
			why += ", it waited for " + r.Behind
		}
	default:
		return refusal.New(NotDue, "%s has no deadline that has passed.", r.ID)
	}
	t.end(Expired, why, nil)
	t.record(audit.Expired, func(rec *audit.Record) { rec.Text = why })
	return nil
}

// targets lists a plan's targets in one line.
func targets(ts []runbooks.Target) string {
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = t.String()
	}
	return strings.Join(names, ", ")
}
