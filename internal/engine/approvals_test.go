package engine

import (
	"errors"
	"testing"
	"time"

	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// TestApprovalsCount: an approval counts if it is for exactly the run's plan
// and from a person other than the requester. Each person counts once, whatever
// is stored.
func TestApprovalsCount(t *testing.T) {
	vote := func(a Actor, digest string) Vote { return Vote{Actor: a, At: noon, Digest: digest} }
	sameAccount := Actor{Person: "anna-too", Account: anna.Account}
	for _, tt := range []struct {
		name  string
		votes []Vote
		want  int
	}{
		{"none", nil, 0},
		{"another person", []Vote{vote(ben, digest)}, 1},
		{"two people", []Vote{vote(ben, digest), vote(chris, digest)}, 2},
		{"one person twice", []Vote{vote(ben, digest), vote(ben, digest)}, 1},
		{"another plan", []Vote{vote(ben, "another plan")}, 0},
		{"one for another plan, one for this", []Vote{vote(ben, "another plan"), vote(chris, digest)}, 1},
		{"the requester", []Vote{vote(anna, digest)}, 0},
		{"the requester's account under another name", []Vote{vote(sameAccount, digest)}, 0},
		{"no name", []Vote{vote(Actor{Account: ben.Account}, digest)}, 0},
	} {
		r := asked(runbooks.Critical, runbooks.Disruptive, step(runbooks.Exec, "a"))
		r.Votes = tt.votes
		if got := r.Approvals(); got != tt.want {
			t.Errorf("%s: %d approvals, want %d", tt.name, got, tt.want)
		}
		if r.approved() != (tt.want > 0) {
			t.Errorf("%s: approved %v", tt.name, r.approved())
		}
	}
	r := asked(runbooks.Critical, runbooks.Destructive, step(runbooks.Exec, "a"))
	r.Need = 0
	if got := r.Needed(); got != 2 {
		t.Errorf("a destructive run stored with Need 0 needs %d approvals, want 2", got)
	}
}

// TestExactDeadline: a deadline passes at its exact time, and not a millisecond earlier. The test
// covers each event that depends on a deadline.
func TestExactDeadline(t *testing.T) {
	waiting := begin(t, asked(runbooks.Critical, runbooks.Disruptive, step(runbooks.Exec, "a"))).Run
	change, err := Next(waiting, Voted{ben, digest}, noon, policy)
	if err != nil {
		t.Fatal(err)
	}
	approved := change.Run
	for _, tt := range []struct {
		name     string
		run      Run
		event    Event
		deadline time.Time
		at       bool // true: refused before the deadline, accepted from then on; false: the reverse
	}{
		{"an approval", waiting, Voted{ben, digest}, waiting.VoteBy, false},
		{"the request expires", waiting, DeadlineCheck{}, waiting.VoteBy, true},
		{"the start", approved, Begin{w1, digest}, *approved.StartBy, false},
		{"a queue", approved, Blocked{"prod/infra-1/monit", "R-2222"}, *approved.StartBy, false},
		{"the start expires", approved, DeadlineCheck{}, *approved.StartBy, true},
	} {
		for _, now := range []struct {
			at   time.Time
			want bool
		}{{tt.deadline.Add(-time.Millisecond), !tt.at}, {tt.deadline, tt.at}, {tt.deadline.Add(time.Millisecond), tt.at}} {
			_, err := Next(tt.run, tt.event, now.at, policy)
			var no *refusal.Error
			if (err == nil) != now.want || err != nil && !errors.As(err, &no) {
				t.Errorf("%s, %s from the deadline: %v", tt.name, now.at.Sub(tt.deadline), err)
			}
		}
	}
}

// TestStoredWithoutApprovals: a run that is stored as approved or running, but
// without its approvals, is neither started nor continued.
func TestStoredWithoutApprovals(t *testing.T) {
	waiting := begin(t, asked(runbooks.Critical, runbooks.Disruptive, step(runbooks.Exec, "a"))).Run
	startBy := noon.Add(time.Minute)
	approved := waiting
	approved.State, approved.ApprovedAt, approved.StartBy = Approved, &noon, &startBy
	running := approved
	running.State, running.StartedAt, running.Worker = Running, &noon, w1
	orphaned := running
	orphaned.Worker = ""
	for name, tt := range map[string]struct {
		run   Run
		event Event
	}{
		"the start": {approved, Begin{w1, digest}}, "a takeover": {orphaned, Begin{w2, digest}}, "a step": {running, StepBegins{w1, 0, digest, nil}},
	} {
		_, err := Next(tt.run, tt.event, noon, policy)
		if !refusal.Is(err, NotApproved) {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
}

// TestClosing: the requester may close a run whose outcome is unknown only if
// its level is known to be 2 or 3.
func TestClosing(t *testing.T) {
	for level, may := range map[runbooks.Severity]bool{runbooks.Critical: false, runbooks.Unknown: false, runbooks.Moderate: true, runbooks.Low: true} {
		r := begin(t, asked(level, runbooks.Disruptive, step(runbooks.Exec, "a"))).Run
		r.State = Unknown
		_, err := Next(r, ClosedBy{anna, "looked, it runs"}, noon, policy)
		if may != (err == nil) || !may && !refusal.Is(err, OwnRequest) {
			t.Errorf("level %s, by the requester: %v", level, err)
		}
		if _, err := Next(r, ClosedBy{ben, "looked, it runs"}, noon, policy); err != nil {
			t.Errorf("level %s, by another person: %v", level, err)
		}
	}
}
