package handlers

import (
	"context"
	"strings"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// TestLate: a late command is not executed but offered as a button. A tap on the button is
// a new delivery.
func TestLate(t *testing.T) {
	h := newTestService(t)
	m := h.message("UANNA", "restart db_dis disk was full")
	m.At = time.Now().Add(-2 * time.Minute)
	a := &tapped{answers: &answers{}}
	h.Handle(t.Context(), m, a)
	if len(h.openRuns(t)) != 0 || len(a.card.Buttons) != 1 || !strings.Contains(a.card.Buttons[0].Value, `"w":"disk was full"`) {
		t.Fatalf("%d runs, buttons %+v", len(h.openRuns(t)), a.card.Buttons)
	}
	tap := h.message("UANNA", "")
	tap.Via, tap.Tap = call.Button, call.Tap{Action: card.TapCommand, Value: a.card.Buttons[0].Value}
	h.Handle(t.Context(), tap, &answers{})
	runs := h.openRuns(t)
	if len(runs) != 1 {
		t.Fatalf("%d runs after the button", len(runs))
	}
	vote := h.message("UBEN", "")
	vote.Via, vote.At = call.Button, time.Now().Add(-2*time.Minute)
	vote.Tap = call.Tap{Action: card.TapApprove, Value: runs[0].Run.ID + " " + runs[0].Run.Plan.Digest}
	if said := h.handleMessage(vote).all(); !strings.Contains(said, "late") || h.openRuns(t)[0].Run.State != engine.Waiting {
		t.Errorf("a late tap: %q, %s", said, h.openRuns(t)[0].Run.State)
	}
}

// TestReplicasThatDiffer: a replica whose config differs from the leader's refuses changes
// with a reason. Reads work.
func TestReplicasThatDiffer(t *testing.T) {
	h := newTestService(t)
	h.Agrees = func(context.Context) (string, error) {
		return "this replica (b) has another config than the leader, a", nil
	}
	if said := h.say("UANNA", "restart db_dis").all(); !strings.Contains(said, "another config") || len(h.openRuns(t)) != 0 {
		t.Errorf("it said %q, %d runs", said, len(h.openRuns(t)))
	}
	if said := h.say("UANNA", "status db_dis").all(); strings.Contains(said, "another config") {
		t.Errorf("a read was refused: %q", said)
	}
	h.Agrees = func(context.Context) (string, error) { return "", engine.ErrStoreDown }
	if h.say("UANNA", "restart db_dis"); len(h.openRuns(t)) != 0 {
		t.Error("a change was accepted although it is unknown whether the replicas agree")
	}
}

func TestHealthIsShown(t *testing.T) {
	h := newTestService(t)
	h.Health = func(context.Context) (bool, []string) {
		return false, []string{"no socket has received anything from Slack recently"}
	}
	said := h.say("URITA", "health").all()
	if !strings.Contains(said, "Not healthy") || !strings.Contains(said, "no socket has received anything") {
		t.Errorf("it said %q", said)
	}
	if said := h.say("UNOBODY", "health").all(); strings.Contains(said, "socket") {
		t.Errorf("a person without a role was shown %q", said)
	}
}

// TestRefusedThenSettled: a refusal is answered before its record settles the delivery, so
// a crash in between does not lose the answer.
func TestRefusedThenSettled(t *testing.T) {
	h := newTestService(t)
	m := h.message("UNOBODY", "restart db_dis")
	if _, err := h.store.Claim(t.Context(), m.Key, nil); err != nil {
		t.Fatal(err)
	}
	settledBefore := true
	a := &telling{answers: &answers{}, beforeAnswer: func() {
		settledBefore = true
		_ = h.store.Unsettled(t.Context(), func(key string, _ []byte, _ string, _ time.Time) error {
			settledBefore = settledBefore && key != m.Key
			return nil
		})
	}}
	if settled := h.Handle(t.Context(), m, a); !settled || settledBefore || len(a.whispered) != 1 {
		t.Errorf("settled %v, before the answer %v, answered %q", settled, settledBefore, a.whispered)
	}
}

// telling calls the function beforeAnswer, and then shows an ephemeral answer.
type telling struct {
	*answers
	beforeAnswer func()
}

func (a *telling) Ephemeral(ctx context.Context, c card.Card) error {
	a.beforeAnswer()
	return a.answers.Ephemeral(ctx, c)
}
