package handlers

import (
	"strings"
	"testing"

	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
)

// An operator can record a manual action after a request has expired. The bot then queries
// the target. Nothing is recorded for other runs.
func TestByHand(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis disk was full")
	run := h.openRuns(t)[0].Run
	records := func() (list []string) {
		t.Helper()
		if err := h.store.Trail(t.Context(), 1, func(e audit.Sealed) error {
			if e.Record.Action == "byhand" {
				list = append(list, e.Record.Person+" "+e.Record.Outcome+" "+e.Record.Target+" "+e.Record.Text)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return list
	}
	refused(t, h.say("UBEN", "byhand "+run.ID), call.NotNow)
	if _, err := h.Engine.Apply(t.Context(), run.ID, engine.DeadlineCheck{}, ""); err != nil {
		t.Log(err) // the request has not expired yet
	}
	st, err := h.store.Get(t.Context(), run.ID)
	if err != nil {
		t.Fatal(err)
	}
	change, err := engine.Next(st.Run, engine.DeadlineCheck{}, st.Run.VoteBy, engine.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	change.Rev = st.Rev
	if _, err := h.store.Commit(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	buttons := runcard.Run(change.Run).Buttons
	if len(buttons) != 2 || buttons[1].Label != "I did it by hand" {
		t.Fatalf("buttons: %+v", buttons)
	}
	contains(t, h.say("URITA", "byhand "+run.ID).all(), "not among the operators")
	contains(t, h.say("UCHRIS", "by hand "+run.ID).all(), "not among the operators")
	if got := records(); len(got) != 0 {
		t.Errorf("recorded %q", got)
	}
	h.hosts.sent = nil
	contains(t, h.say("UBEN", "byhand "+run.ID+" restarted it with monit").all(), "ben did "+run.ID+" by hand", "restarted it with monit", "db_dis", "Sev 0")
	if len(h.hosts.sent) == 0 {
		t.Error("the target was not queried")
	}
	tap := h.message("UANNA", "")
	tap.Via, tap.Tap = call.Button, call.Tap{Action: buttons[1].Action, Value: buttons[1].Value}
	h.handleMessage(tap)
	want := "ben did " + run.ID + " by hand db_dis restarted it with monit|anna did " + run.ID + " by hand db_dis "
	if got := strings.Join(records(), "|"); got != want {
		t.Errorf("recorded %q, want %q", got, want)
	}
}
