package handlers

import (
	"context"
	"strings"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
)

// alive notes whether it could still be answered.
type alive struct {
	answers
	err error
}

func (a *alive) Ephemeral(ctx context.Context, c card.Card) error {
	a.err = ctx.Err()
	return a.answers.Ephemeral(ctx, c)
}

// TestStoppedInTheMiddle: a replica that is stopped, or loses the lead, leaves the
// message to whoever takes it up: neither an answer nor a record of its own says
// that it was handled.
func TestStoppedInTheMiddle(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var a alive
	settled := h.Handle(ctx, h.message("UNOBODY", "restart db_dis"), &a)
	if settled || len(a.whispered) != 0 || len(h.kinds(t)) != 0 {
		t.Errorf("settled %t, answered %q, recorded %v", settled, a.all(), h.kinds(t))
	}
}

// TestOutOfTime: what took too long is answered, with time to do so.
func TestOutOfTime(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	var a alive
	settled := h.Handle(ctx, h.message("UNOBODY", "restart db_dis"), &a)
	if !settled || a.err != nil || !strings.Contains(a.all(), "Not allowed") || len(h.kinds(t)) != 1 {
		t.Errorf("settled %t, answered %q with %v, recorded %v", settled, a.all(), a.err, h.kinds(t))
	}
}

func (h *house) kinds(t *testing.T) (kinds []audit.Kind) {
	t.Helper()
	if err := h.store.Trail(t.Context(), 1, func(s audit.Sealed) error { kinds = append(kinds, s.Record.Kind); return nil }); err != nil {
		t.Fatal(err)
	}
	return kinds
}
