package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/publish"
	"dhbot/internal/refusal"
)

// alive records whether the context had already ended at the answer.
type alive struct {
	answers
	err error
}

func (a *alive) Ephemeral(ctx context.Context, c card.Card) error {
	a.err = ctx.Err()
	return a.answers.Ephemeral(ctx, c)
}

// TestStoppedInTheMiddle: a replica that stops, or loses the lead, leaves the message to the
// replica that resumes it. The stopping replica neither answers the message nor records it as
// handled.
func TestStoppedInTheMiddle(t *testing.T) {
	h := newTestService(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var a alive
	settled := h.Handle(ctx, h.message("UNOBODY", "restart db_dis"), &a)
	if settled || len(a.whispered) != 0 || len(h.kinds(t)) != 0 {
		t.Errorf("settled %t, answered %q, recorded %v", settled, a.all(), h.kinds(t))
	}
}

// TestOutOfTime: a message whose time limit has passed is still answered.
func TestOutOfTime(t *testing.T) {
	h := newTestService(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	var a alive
	settled := h.Handle(ctx, h.message("UNOBODY", "restart db_dis"), &a)
	if !settled || a.err != nil || a.code() != auth.NotKnown || len(h.kinds(t)) != 1 {
		t.Errorf("settled %t, answered %q with %v, recorded %v", settled, a.all(), a.err, h.kinds(t))
	}
}

func (h *testService) kinds(t *testing.T) (kinds []audit.Kind) {
	t.Helper()
	if err := h.store.Trail(t.Context(), 1, func(s audit.Sealed) error { kinds = append(kinds, s.Record.Kind); return nil }); err != nil {
		t.Fatal(err)
	}
	return kinds
}

// TestLateErrors: an answer that came too late is not reported as an internal error. The report
// of an internal error names a time if the message has no id.
func TestLateErrors(t *testing.T) {
	h := newTestService(t)
	m := h.message("UOPERATOR", "status")
	for want, err := range map[refusal.Code]error{
		call.NotInTime: fmt.Errorf("editing a message: %w", &call.TooLong{After: 5 * time.Minute}),
		call.Internal:  errors.New("something else"),
	} {
		if got := h.refusalOf(t.Context(), m, err); got.Code != want {
			t.Errorf("%v became %q: %s", err, got.Code, got.Text)
		}
	}
	err := fmt.Errorf("posting: %w", publish.ErrNoAnswer)
	if got := h.refusalOf(t.Context(), m, err); got.Code != call.NotInTime {
		t.Errorf("%v became %q: %s", err, got.Code, got.Text)
	}
	m.Key = ""
	if got := h.refusalOf(t.Context(), m, errors.New("something else")); !strings.Contains(got.Text, "at "+h.Now().UTC().Format("15:04")) {
		t.Errorf("without an id: %s", got.Text)
	}
}
