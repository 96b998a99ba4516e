package presence

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

type source struct {
	says  map[string]Absence
	err   error
	asked [][]string
}

func (s *source) Absences(_ context.Context, users []string) (map[string]Absence, error) {
	s.asked = append(s.asked, users)
	return s.says, s.err
}

// TestWhoIsAway checks that only people who are known to be away are reported, and nobody if the
// platform refuses to answer.
func TestWhoIsAway(t *testing.T) {
	now := time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)
	called := []engine.Callee{}
	for _, name := range []string{"anna", "ben", "chris", "dana"} {
		called = append(called, engine.Callee{Person: name, Account: auth.Account{User: name}})
	}
	s := &source{says: map[string]Absence{"anna": {}, "ben": {Away: true}, "chris": {Away: true, DND: now.Add(4 * time.Hour)}}}
	b := New(s, 0, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if got := b.Known(called); got != nil {
		t.Errorf("before the first query: %v", got)
	}
	want := []card.Absent{{Person: "ben"}, {Person: "chris", DND: now.Add(4 * time.Hour)}}
	if got := b.Ask(t.Context(), called); !slices.Equal(got, want) {
		t.Errorf("away %v, want ben and chris", got)
	}
	b.Ask(t.Context(), called[:3])
	if len(s.asked) != 1 {
		t.Errorf("queried again: %q", s.asked)
	}
	now = now.Add(time.Minute)
	s.says, s.err = nil, errors.New("missing_scope")
	if got := b.Ask(t.Context(), called); !slices.Equal(got, want) || len(s.asked) != 2 {
		t.Errorf("a minute later: %v", got)
	}
	now = now.Add(shownFor)
	if got := b.Ask(t.Context(), called); got != nil {
		t.Errorf("long after: %v", got)
	}
}
