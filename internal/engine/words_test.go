package engine

import (
	"fmt"
	"testing"
	"time"

	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// story applies events one minute apart, but a DeadlineCheck another hour later. It prints each
// refusal, and then the records and the final state of the run.
func story(r Run, events ...Event) {
	p := Policy{VoteTTL: 15 * time.Minute, StartTTL: 10 * time.Minute}
	c, err := first(r, noon, p)
	if err != nil {
		fmt.Println("refused:", err)
		return
	}
	run, now := c.Run, noon
	records := c.Records
	for _, e := range events {
		now = now.Add(time.Minute)
		if _, tick := e.(DeadlineCheck); tick {
			now = now.Add(time.Hour)
		}
		c, err := Next(run, e, now, p)
		if err != nil {
			fmt.Println("refused:", err)
			continue
		}
		run = c.Run
		records = append(records, c.Records...)
	}
	for _, rec := range records {
		fmt.Printf("%d %s %s", rec.Seq, rec.At.Format("15:04"), rec.Kind)
		if rec.Person != "" {
			fmt.Print(" by ", rec.Person)
		}
		if rec.Step > 0 {
			fmt.Print(" ", rec.Step)
		}
		if rec.Text != "" {
			fmt.Print(": ", rec.Text)
		}
		fmt.Println()
	}
	fmt.Println(run.ID, "is", run.State)
	if run.Why != "" {
		fmt.Println(run.Why)
	}
}

func sev1() Run {
	return asked(runbooks.Critical, runbooks.Disruptive, step(runbooks.Exec, "infra-1"), step(runbooks.Wait, "infra-1"))
}

func ended(i int, s StepState, text string) StepEnds {
	return StepEnds{w1, i, Step{State: s, Text: text}}
}

func Example_approved() {
	story(sev1(),
		Voted{anna, digest}, Voted{ben, digest}, Voted{chris, digest},
		Begin{w1, digest}, StepBegins{w1, 0, digest, nil}, ended(0, StepDone, "accepted"),
		WithdrawnVote{ben}, DeniedBy{chris, "no"},
		StepBegins{w1, 1, digest, nil}, ended(1, StepDone, "pid 40211 → 51877"), Voted{chris, digest})
	// Output:
	// refused: Not allowed: anna can't approve R-7F3K, their own request; another approver has to.
	// refused: R-7F3K was already approved by ben at 14:08 UTC; it is approved.
	// refused: R-7F3K started at 14:10 UTC; an approval can be withdrawn only before the start. `cancel R-7F3K` stops it after the current step.
	// refused: R-7F3K was already approved by ben at 14:08 UTC and started at 14:10 UTC. `cancel R-7F3K` stops it after the current step.
	// refused: R-7F3K was already approved by ben at 14:08 UTC; it ended at 14:16 UTC: done.
	// 1 14:06 requested by anna: disk was full, freed 40 GB
	// 2 14:08 approved by ben: vote 1 of 1
	// 3 14:10 started: carried out by replica-1
	// 4 14:11 step started 1: exec on infra-1
	// 5 14:12 step ended 1: accepted
	// 6 14:15 step started 2: wait on infra-1
	// 7 14:16 step ended 2: pid 40211 → 51877
	// 8 14:16 ended
	// R-7F3K is done
}

func Example_denied() {
	story(sev1(), DeniedBy{ben, ""}, DeniedBy{anna, "changed my mind"}, CancelledBy{ben, ""}, DeniedBy{ben, "traffic is high"}, Voted{chris, digest})
	// Output:
	// refused: Say why R-7F3K is denied: `deny R-7F3K REASON`. Nothing was denied.
	// refused: anna requested R-7F3K and can only cancel it: `cancel R-7F3K`.
	// refused: Only anna can cancel R-7F3K before it starts. To stop it, `deny R-7F3K REASON`.
	// refused: R-7F3K was already denied by ben at 14:10 UTC: traffic is high.
	// 1 14:06 requested by anna: disk was full, freed 40 GB
	// 2 14:10 denied by ben: traffic is high
	// R-7F3K is denied
	// traffic is high
}

func Example_expired() {
	story(sev1(), DeadlineCheck{}, Voted{ben, digest})
	// Output:
	// refused: R-7F3K expired at 15:07 UTC; request it again if you still need it.
	// 1 14:06 requested by anna: disk was full, freed 40 GB
	// 2 15:07 expired: expired: 0 of 1 approvals by 14:21 UTC
	// R-7F3K is expired
	// expired: 0 of 1 approvals by 14:21 UTC
}

func Example_votedTwice() {
	r := sev1()
	r.Plan.Class = runbooks.Destructive
	story(r, Voted{ben, digest}, Voted{ben, digest}, Voted{chris, "another"}, WithdrawnVote{ben}, WithdrawnVote{ben}, CancelledBy{anna, "not needed"}, Voted{ben, digest})
	// Output:
	// refused: ben has already approved R-7F3K; the run has 1 of 2 approvals.
	// refused: The plan of R-7F3K has changed since you saw it. Check its message again before you approve.
	// refused: ben has not approved R-7F3K; there is nothing to withdraw.
	// refused: R-7F3K was already cancelled by anna at 14:12 UTC.
	// 1 14:06 requested by anna: disk was full, freed 40 GB
	// 2 14:07 approved by ben: vote 1 of 2
	// 3 14:10 withdrawn by ben: 0 of 2 approvals left
	// 4 14:12 cancelled by anna: cancelled by anna: not needed
	// R-7F3K is cancelled
	// cancelled by anna: not needed
}

func Example_unknown() {
	story(sev1(),
		Voted{ben, digest}, Begin{w1, digest}, StepBegins{w1, 0, digest, nil}, WorkerLost{w1}, ended(0, StepDone, "accepted"),
		Probed{"pid 40211 → 51877"}, CancelledBy{ben, ""}, ClosedBy{anna, "it runs"}, ClosedBy{ben, "it runs"})
	// Output:
	// refused: R-7F3K was already approved by ben at 14:07 UTC; it is stopped, and its outcome is unknown.
	// refused: R-7F3K has stopped, and its outcome is unknown. Check the target, then `close R-7F3K REASON`.
	// refused: Not allowed: anna requested R-7F3K. Another person has to close a Sev 1 run.
	// 1 14:06 requested by anna: disk was full, freed 40 GB
	// 2 14:07 approved by ben: vote 1 of 1
	// 3 14:08 started: carried out by replica-1
	// 4 14:09 step started 1: exec on infra-1
	// 5 14:10 unknown: unknown: replica-1 was lost after it may have sent this command, and the end of the command was not observed
	// 6 14:12 note: pid 40211 → 51877
	// 7 14:15 closed by ben: it runs
	// R-7F3K is closed
	// it runs
}

func Example_queued() {
	r := asked(runbooks.Low, runbooks.Disruptive, step(runbooks.Exec, "infra-1"))
	story(r, Blocked{"prod/infra-1/monit", "R-2222"}, Blocked{"prod/infra-1/monit", "R-2222"}, Voted{ben, digest}, DeadlineCheck{})
	// Output:
	// refused: R-7F3K already waits for R-2222.
	// refused: R-7F3K was already approved (no approval was needed) at 14:06 UTC; it is queued.
	// 1 14:06 requested by anna: disk was full, freed 40 GB
	// 2 14:07 queued: queued behind R-2222, which holds prod/infra-1/monit
	// 3 15:10 expired: expired: not started by 14:16 UTC, it waited for R-2222
	// R-7F3K is expired
	// expired: not started by 14:16 UTC, it waited for R-2222
}

// TestEndings: the final state of a run follows from the results of its steps.
func TestEndings(t *testing.T) {
	exec, wait := runbooks.Exec, runbooks.Wait
	one := []runbooks.Step{step(wait, "a"), step(exec, "a"), step(wait, "a")}
	two := append(one[:3:3], step(wait, "b"), step(exec, "b"), step(wait, "b"))
	for _, tt := range []struct {
		name  string
		steps []runbooks.Step
		ends  []StepState
		state State
		why   string
	}{
		{"all done", one, []StepState{StepDone, StepDone, StepNoted}, Done, ""},
		{"no answer before the change", one, []StepState{StepFailed}, Failed, "as seen"},
		{"the change was not accepted", one, []StepState{StepDone, StepFailed}, Failed, "as seen"},
		{"the change did not help", one, []StepState{StepDone, StepDone, StepFailed}, Failed, "as seen"},
		{"the outcome is unknown", one, []StepState{StepDone, StepUnknown}, Unknown, "as seen"},
		{"the first of two did not help", two, []StepState{StepDone, StepDone, StepFailed}, Failed, "as seen"},
		{"the second did not answer", two, []StepState{StepDone, StepDone, StepDone, StepFailed}, Partly, "as seen; not done: db_dis on b"},
		{"the second did not help", two, []StepState{StepDone, StepDone, StepDone, StepDone, StepDone, StepFailed}, Partly, "as seen"},
		{"one change of two was refused", []runbooks.Step{step(exec, "a"), step(exec, "a")}, []StepState{StepDone, StepFailed}, Partly, "as seen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := begin(t, asked(runbooks.Low, runbooks.Disruptive, tt.steps...))
			do := func(e Event) {
				t.Helper()
				var ok bool
				if w, ok = w.take(t, e); !ok {
					t.Fatalf("%T was refused", e)
				}
			}
			do(Begin{w1, digest})
			for i, s := range tt.ends {
				do(StepBegins{w1, i, digest, nil})
				do(StepEnds{w1, i, Step{State: s, Text: "as seen"}})
			}
			if w.Run.State != tt.state || w.Run.Why != tt.why {
				t.Errorf("is %s, %q, want %s, %q", w.Run.State, w.Run.Why, tt.state, tt.why)
			}
		})
	}
}

// TestUnknownEvent: an event outside the closed set changes nothing.
func TestUnknownEvent(t *testing.T) {
	type foreign struct{ Event }
	_, err := Next(begin(t, sev1()).Run, foreign{}, noon, policy)
	if !refusal.Is(err, UnknownEvent) {
		t.Errorf("got %v", err)
	}
}
