package engine

import (
	"testing"
	"time"

	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// TestSettled: the refusal of a late vote says what happened to the run, and nothing that is not
// known.
func TestSettled(t *testing.T) {
	minor := asked(runbooks.Low, runbooks.Disruptive, step(runbooks.Exec, "a"), step(runbooks.Manual, "a"), step(runbooks.Exec, "b"))
	destructive := sev1()
	destructive.Plan.Class = runbooks.Destructive
	p := Policy{VoteTTL: 15 * time.Minute, StartTTL: 10 * time.Minute}
	restored := BroughtBack{"from before the restore", "pid 1"}
	const closedByRestore = "R-7F3K was closed at 14:08 UTC, because the bot's state was restored. Before you request it again, check its target."
	begun := func(events ...Event) []Event {
		return append([]Event{Voted{ben, digest}, Begin{w1, digest}, StepBegins{w1, 0, digest, nil}}, events...)
	}
	for name, tt := range map[string]struct {
		run    Run
		events []Event // all at 14:07, the last at 14:08
		code   refusal.Code
		want   string
	}{
		"waiting":               {sev1(), nil, NotNow, "R-7F3K is still waiting for approval."},
		"denied":                {sev1(), []Event{DeniedBy{ben, "wrong host."}}, AlreadyEnded, "R-7F3K was already denied by ben at 14:08 UTC: wrong host."},
		"denied after approval": {sev1(), []Event{Voted{ben, digest}, DeniedBy{chris, "no"}}, AlreadyEnded, "R-7F3K was already denied by chris at 14:08 UTC: no."},
		"cancelled":             {sev1(), []Event{CancelledBy{anna, ""}}, AlreadyEnded, "R-7F3K was already cancelled by anna at 14:08 UTC."},
		"approved":              {sev1(), []Event{Voted{ben, digest}}, AlreadyApproved, "R-7F3K was already approved by ben at 14:08 UTC; it is approved."},
		"queued":                {minor, []Event{Blocked{"prod/a/monit", "R-2222"}}, AlreadyApproved, "R-7F3K was already approved (no approval was needed) at 14:06 UTC; it is queued."},
		"running":               {sev1(), begun(), AlreadyApproved, "R-7F3K was already approved by ben at 14:07 UTC; it is running."},
		"unknown":               {sev1(), begun(ended(0, StepUnknown, "lost")), AlreadyApproved, "R-7F3K was already approved by ben at 14:07 UTC; it is stopped, and its outcome is unknown."},
		"failed":                {sev1(), begun(ended(0, StepFailed, "no")), AlreadyEnded, "R-7F3K was already approved by ben at 14:07 UTC; it ended at 14:08 UTC: failed."},
		"refused":               {sev1(), []Event{Voted{ben, digest}, RecheckFailed{"ben left"}}, AlreadyEnded, "R-7F3K was already approved by ben at 14:07 UTC; it ended at 14:08 UTC: refused."},
		"partly": {minor, []Event{Begin{w1, digest}, StepBegins{w1, 0, digest, nil}, ended(0, StepDone, ""), StepBegins{w1, 1, digest, nil}, CancelledBy{anna, ""}}, AlreadyEnded,
			"R-7F3K was already approved (no approval was needed) at 14:06 UTC; it ended at 14:08 UTC: partly done."},
		"closed by a person":            {sev1(), begun(ended(0, StepUnknown, "lost"), ClosedBy{ben, "it runs"}), AlreadyEnded, "R-7F3K was already approved by ben at 14:07 UTC; it ended at 14:08 UTC: closed."},
		"restored while waiting":        {sev1(), []Event{restored}, AlreadyEnded, closedByRestore},
		"restored with one of two":      {destructive, []Event{Voted{ben, digest}, restored}, AlreadyEnded, closedByRestore},
		"restored while running":        {sev1(), begun(restored), AlreadyEnded, closedByRestore},
		"restored, no approval needed":  {minor, []Event{restored}, AlreadyEnded, closedByRestore},
		"restored with unknown outcome": {sev1(), begun(ended(0, StepUnknown, "lost"), restored), AlreadyEnded, closedByRestore},
	} {
		c, err := first(tt.run, noon, p)
		if err != nil {
			t.Fatal(err)
		}
		run := c.Run
		for i, e := range tt.events {
			at := noon.Add(time.Minute)
			if i == len(tt.events)-1 {
				at = noon.Add(2 * time.Minute)
			}
			c, err := Next(run, e, at, p)
			if err != nil {
				t.Fatalf("%s: %T: %v", name, e, err)
			}
			run = c.Run
		}
		if err := Settled(run); !refusal.Is(err, tt.code) || err.Error() != tt.want {
			t.Errorf("%s:\n got %v\nwant %s (%s)", name, err, tt.want, tt.code)
		}
	}
}
