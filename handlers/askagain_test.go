package handlers

import (
	"context"
	"strings"
	"testing"

	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
	"dhbot/internal/engine"
)

// A tap on the card of an expired request repeats the request: the same plan in a new
// run, requested by the person who tapped.
func TestAskAgainAfterExpiry(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis disk was full")
	open := h.openRuns(t)
	if len(open) != 1 {
		t.Fatalf("open runs: %+v", open)
	}
	before := open[0].Run
	expired := before
	expired.State = engine.Expired
	buttons := runcard.Run(expired).Buttons
	if len(buttons) != 2 || buttons[0].Label != "Ask again" {
		t.Fatalf("buttons: %+v", buttons)
	}
	if _, err := h.Engine.Apply(t.Context(), before.ID, engine.CancelledBy{By: before.Asked, Reason: "as if it had expired"}, ""); err != nil {
		t.Fatal(err)
	}
	tap := h.message("UBEN", "")
	tap.Via, tap.Tap = call.Button, call.Tap{Action: buttons[0].Action, Value: buttons[0].Value}
	h.handleMessage(tap)
	open = h.openRuns(t)
	if len(open) != 1 || open[0].Run.Plan.Digest != before.Plan.Digest || open[0].Run.Reason != before.Reason || open[0].Run.Asked.Person != "ben" {
		t.Errorf("open runs after the tap: %+v", open)
	}
}

// A vote typed in another channel counts, and is answered there.
func TestVoteTypedElsewhereIsAnswered(t *testing.T) {
	h := newTestService(t)
	h.CardLink = func(context.Context, string) (string, error) { return "https://slack.example/card", nil }
	h.say("UANNA", "restart db_dis disk was full")
	run := h.openRuns(t)[0].Run
	vote := h.message("UBEN", "approve "+run.ID+" db_dis")
	vote.Via, vote.Channel = call.Mention, "C0ELSE"
	said := h.handleMessage(vote).all()
	if !strings.Contains(said, "approve "+run.ID+": recorded") || !strings.Contains(said, "https://slack.example/card") {
		t.Errorf("the voter was shown %q", said)
	}
}
