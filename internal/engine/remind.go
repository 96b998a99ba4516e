package engine

import (
	"fmt"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/refusal"
)

// Callee is a person whom a message mentions, with the account that it mentions. Mostly this is an
// approver, but it may be the requester of a run without votes, or a person of an escalation.
type Callee struct {
	Person  string       `json:"person"`
	Account auth.Account `json:"account"`
}

// Look records that an approver is looking at a run that waits for votes. It does not bind anyone:
// every approver can still vote.
type Look struct {
	Actor
	At time.Time `json:"at"`
	// Round is the number of the last reminder before the approver looked, or 0. Only the next
	// reminder then mentions no one, unless it is reminder MaxReminders.
	Round int `json:"round"`
}

// Reminder is a repeated request to vote.
type Reminder struct {
	N  int       `json:"n"` // from 1
	At time.Time `json:"at"`
	// Message is the platform's id of the reminder's message, which is in the thread of the run's
	// message. It is "" if the run has no message.
	Message string   `json:"message,omitempty"`
	Called  []Callee `json:"called,omitempty"`
}

// LastTime describes the last executed run of the same action and target, for comparison. If no
// such run was found, ID is "".
type LastTime struct {
	ID    string    `json:"id,omitempty"`
	State State     `json:"state,omitempty"`
	Asked string    `json:"asked,omitempty"` // the requester
	At    time.Time `json:"at,omitzero"`     // when it ended
	// Differs lists the differences between the new plan and the plan of the previous run, one
	// sentence each. It is empty if the plans are equal.
	Differs []string `json:"differs,omitempty"`
	// Among is the number of ended runs that were searched.
	Among int `json:"among"`
}

// remindAt says when each reminder is sent, as a fraction of the time that a run waits for votes.
var remindAt = [...]struct{ part, of time.Duration }{{1, 5}, {1, 2}, {4, 5}}

// MaxReminders is the largest number of reminders of a run.
const MaxReminders = len(remindAt)

// RemindAt is when reminder n is due; the first reminder is number 1.
func (r Run) RemindAt(n int) time.Time {
	p := remindAt[n-1]
	return r.RequestedAt.Add(r.VoteBy.Sub(r.RequestedAt) * p.part / p.of)
}

// ReminderDue is the number of the reminder that is due and not yet posted, or 0. If several
// reminders are overdue, only the last of them is posted, so that no one is mentioned twice at
// once.
func (r Run) ReminderDue(now time.Time) int {
	if r.State != Waiting || !now.Before(r.VoteBy) {
		return 0
	}
	for n := MaxReminders; n > r.Reminded(); n-- {
		if !now.Before(r.RemindAt(n)) {
			return n
		}
	}
	return 0
}

// Reminded is the number of the last posted reminder, or 0 if there is none.
func (r Run) Reminded() int {
	if len(r.Reminders) == 0 {
		return 0
	}
	return r.Reminders[len(r.Reminders)-1].N
}

// Quiet reports whether reminder n mentions no one, because an approver has reported since the
// previous reminder that they are looking. The last reminder always mentions people, because the
// run expires after it.
func (r Run) Quiet(n int) bool {
	return r.Looking != nil && r.Looking.Round == r.Reminded() && n < MaxReminders
}

// looking applies LookingBy: the run shows this approver as looking, and no longer an earlier
// approver.
func (t *transition) looking(e LookingBy) error {
	r := &t.run
	switch {
	case r.State != Waiting:
		return settled(*r)
	case e.By.Person == "":
		return refusal.New(NeedsPerson, "Nothing was recorded: it is not known who is looking at %s.", r.ID)
	case sameActor(e.By, r.Asked):
		return refusal.New(OwnRequest, "Not allowed: %s requested %s; another person has to look at it.", r.Asked.Person, r.ID)
	case r.Looking != nil && r.Looking.Person == e.By.Person && r.Looking.Round == r.Reminded():
		return refusal.New(NothingNew, "%s already shows that you have been looking since %s.", r.ID, clock(&r.Looking.At))
	}
	before := r.Looking
	r.Looking = &Look{Actor: e.By, At: t.now, Round: r.Reminded()}
	t.record(audit.Looking, func(rec *audit.Record) {
		by(rec, e.By)
		if before != nil && before.Person != e.By.Person {
			rec.Text = "taken over from " + before.Person
		}
	})
	return nil
}

// reminded applies Reminded: it adds the posted reminder to the run.
func (t *transition) reminded(e Reminded) error {
	r := &t.run
	switch {
	case r.State != Waiting:
		return settled(*r)
	case e.N < 1 || e.N > MaxReminders:
		return refusal.New(NotDue, "%s has no reminder %d.", r.ID, e.N)
	case e.N <= r.Reminded():
		return refusal.New(NothingNew, "Reminder %d of %s was already posted.", e.N, r.ID)
	case !t.now.Before(r.VoteBy):
		return refusal.New(TooLate, "%s expired at %s; there are no more reminders.", r.ID, clock(&r.VoteBy))
	case t.now.Before(stamp(r.RemindAt(e.N))):
		return refusal.New(NotDue, "Reminder %d of %s is not due yet.", e.N, r.ID)
	}
	r.Reminders = append(r.Reminders, Reminder{N: e.N, At: t.now, Message: e.Message, Called: e.Called})
	t.record(audit.Reminded, func(rec *audit.Record) {
		rec.Text = fmt.Sprintf("reminder %d of %d", e.N, MaxReminders)
		switch {
		case len(e.Called) > 0:
			rec.Text += ", mentioned " + names(e.Called)
		case r.Looking != nil:
			rec.Text += ", mentioned no one: " + r.Looking.Person + " is looking"
		default:
			rec.Text += ", mentioned no one"
		}
	})
	return nil
}

// names lists the mentioned people on one line.
func names(called []Callee) string {
	list := make([]string, len(called))
	for i, c := range called {
		list[i] = c.Person
	}
	return strings.Join(list, ", ")
}
