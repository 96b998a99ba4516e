package engine

import (
	"testing"
	"time"
)

// TestReminders: the reminders are due after 3, 7.5 and 12 of 15 minutes, and each is sent once.
// After an outage only the last missed reminder is sent.
func TestReminders(t *testing.T) {
	w := begin(t, sev1())
	r := w.Run
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 0}, {3*time.Minute - time.Millisecond, 0}, {3 * time.Minute, 1}, {7 * time.Minute, 1}, {450 * time.Second, 2}, {12 * time.Minute, 3}, {15 * time.Minute, 0}} {
		if got := r.ReminderDue(noon.Add(c.after)); got != c.want {
			t.Errorf("after %s reminder %d is due, want %d", c.after, got, c.want)
		}
	}
	at := func(e Event, after time.Duration) {
		t.Helper()
		c, err := Next(r, e, noon.Add(after), policy)
		if err != nil {
			t.Fatal(err)
		}
		r = c.Run
	}
	if _, err := Next(r, Reminded{N: 1}, noon.Add(time.Minute), policy); err == nil {
		t.Error("a reminder was accepted before its time")
	}
	at(Reminded{N: 1}, 3*time.Minute)
	if n := r.ReminderDue(noon.Add(4 * time.Minute)); n != 0 {
		t.Errorf("reminder %d is due again", n)
	}
	at(Reminded{N: 3}, 13*time.Minute)
	if n := r.ReminderDue(noon.Add(14 * time.Minute)); n != 0 {
		t.Errorf("reminder %d after the last", n)
	}
}

// TestLookingSuppressesOneReminder: after an approver reports that they are looking, only the
// next reminder mentions no one. The last reminder always mentions people.
func TestLookingSuppressesOneReminder(t *testing.T) {
	r := begin(t, sev1()).Run
	at := func(e Event, after time.Duration) {
		t.Helper()
		c, err := Next(r, e, noon.Add(after), policy)
		if err != nil {
			t.Fatal(err)
		}
		r = c.Run
	}
	if r.Quiet(1) {
		t.Error("quiet although no approver is looking")
	}
	at(LookingBy{ben}, time.Minute)
	if !r.Quiet(1) || r.Quiet(MaxReminders) {
		t.Errorf("quiet: the next %v, the last %v", r.Quiet(1), r.Quiet(MaxReminders))
	}
	at(Reminded{N: 1}, 3*time.Minute)
	if r.Quiet(2) {
		t.Error("one report made two reminders quiet")
	}
	at(LookingBy{ben}, 4*time.Minute)
	at(LookingBy{chris}, 5*time.Minute)
	if !r.Quiet(2) || r.Looking.Person != "chris" {
		t.Errorf("looking %+v", r.Looking)
	}
}

func Example_looking() {
	story(sev1(), LookingBy{anna}, LookingBy{ben}, LookingBy{ben}, LookingBy{chris}, Reminded{N: 1, Called: []Callee{{Person: "dana"}}}, Voted{ben, digest}, LookingBy{chris})
	// Output:
	// refused: Not allowed: anna requested R-7F3K; another person has to look at it.
	// refused: R-7F3K already shows that you have been looking since 14:08 UTC.
	// refused: R-7F3K was already approved by ben at 14:12 UTC; it is approved.
	// 1 14:06 requested by anna: disk was full, freed 40 GB
	// 2 14:08 looking by ben
	// 3 14:10 looking by chris: taken over from ben
	// 4 14:11 reminded: reminder 1 of 3, mentioned dana
	// 5 14:12 approved by ben: vote 1 of 1
	// R-7F3K is approved
}
