package incident

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

func handling() *Handling {
	return &Handling{V: HandlingVersion, Cluster: "prod", ID: "prod-7", Opened: began}
}

func owner(name string) Owner { return Owner{Person: name, Since: began} }

// An incident has one owner at a time. Each change is recorded with its author and the
// person whom it concerns.
func TestOwnership(t *testing.T) {
	h := handling()
	var got []string
	do := func(r audit.Record, err error) {
		t.Helper()
		if err != nil {
			got = append(got, "no: "+err.Error())
			return
		}
		if r.Cluster != "prod" || r.Target != "prod-7" || r.Action != "incident" {
			t.Errorf("record %+v", r)
		}
		if _, err := audit.Canonical(audit.Link(r, 0, "")); err != nil {
			t.Error(err)
		}
		got = append(got, r.Person+" "+r.Outcome)
	}
	do(h.Release("anna", began, ""))
	do(h.Take(owner("anna"), ""))
	do(h.Take(owner("anna"), ""))
	do(h.Take(owner("ben"), ""))
	do(h.HandOver("anna", owner("ben"), "end of shift"))
	do(h.HandOver("anna", owner("ben"), ""))
	do(h.Release("", began, "ben left"))
	do(h.Take(owner("chris"), ""))
	want := []string{
		"no: prod-7 has no owner.", "anna took", "no: You own prod-7 already.",
		"no: anna has owned prod-7 since 14:00 UTC. To take it over: `handover prod-7 ben`.",
		"anna handed over to ben", "no: ben owns prod-7 already.", " released from ben", "chris took",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if h.Owner == nil || h.Owner.Person != "chris" || len(h.Updates) != 4 {
		t.Errorf("%+v", h)
	}
}

// A mute lasts at most an hour, and ends early if the level changes.
func TestMute(t *testing.T) {
	h := handling()
	for _, d := range []time.Duration{0, LeastMute - 1, MostMute + 1} {
		if _, err := h.MuteUntil("anna", began, began.Add(d), runbooks.Critical); err == nil {
			t.Errorf("muted for %s", d)
		}
	}
	if h.IsMuted(runbooks.Critical, began) {
		t.Error("a refused mute took effect")
	}
	if _, err := h.MuteUntil("anna", began, began.Add(MostMute), runbooks.Moderate); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		worst runbooks.Severity
		after time.Duration
		muted bool
	}{
		{runbooks.Moderate, 0, true},
		{runbooks.Moderate, MostMute - 1, true},
		{runbooks.Moderate, MostMute, false},
		{runbooks.Critical, time.Minute, false},
		{runbooks.Low, time.Minute, false},
		{runbooks.None, time.Minute, false},
		{runbooks.Unknown, time.Minute, false},
	} {
		if got := h.IsMuted(tt.worst, began.Add(tt.after)); got != tt.muted {
			t.Errorf("%s after %s: muted %t", tt.worst, tt.after, got)
		}
	}
	if _, err := h.Unmute("anna", began, ""); err != nil || h.Mute != nil {
		t.Errorf("unmuted: %v", err)
	}
	var no *refusal.Error
	if _, err := h.Unmute("anna", began, ""); !errors.As(err, &no) {
		t.Errorf("unmuted twice: %v", err)
	}
}

// At most mostNotes updates are kept. Dropping older updates does not change the numbers of the
// others.
func TestUpdates(t *testing.T) {
	h := handling()
	for range mostNotes + 3 {
		if _, err := h.Note("anna", began, "x"); err != nil {
			t.Fatal(err)
		}
	}
	_, n, _ := h.NextUpdate()
	if n != 4 || len(h.Updates) != mostNotes {
		t.Errorf("next is %d of %d", n, len(h.Updates))
	}
	h.UpdatePosted(n)
	h.UpdatePosted(n) // again, by a leader with an older state: this must drop nothing
	if _, n, _ := h.NextUpdate(); n != 5 {
		t.Errorf("then %d", n)
	}
	if _, err := h.Note("anna", began, ""); err == nil {
		t.Error("an empty note was accepted")
	}
}

// The handling of an earlier incident with the same id is not used for a later
// incident.
func TestHandlingOfAnotherIncident(t *testing.T) {
	h := StoredHandling{Handling: *handling(), Rev: 9}
	h.Owner = &Owner{Person: "anna"}
	list := map[string]StoredHandling{"prod-7": h}
	if got := HandlingOf(list, "prod", Incident{ID: "prod-7", Opened: began}); got.Owner == nil {
		t.Error("the incident's own handling is not found")
	}
	if got := HandlingOf(list, "prod", Incident{ID: "prod-7", Opened: began.Add(time.Hour)}); got.Owner != nil || got.Rev != 9 {
		t.Errorf("the handling of another incident is used: %+v", got)
	}
}
