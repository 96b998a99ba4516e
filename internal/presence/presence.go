package presence

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// Absence says how a person is away.
type Absence struct {
	Away bool
	// DND is when the person's Do Not Disturb ends, or zero.
	DND time.Time
}

// Source is the platform.
type Source interface {
	// Absences returns what is known about the users, by user id. A user who is missing in the
	// result is unknown.
	Absences(ctx context.Context, users []string) (map[string]Absence, error)
}

const (
	// askBudget is the default time limit of a query. A mention waits no longer than this.
	askBudget = 1500 * time.Millisecond
	// mostAsked limits the number of people in one query.
	mostAsked = 10
	// freshFor is how long an answer is reused. shownFor is how long a card may show an answer.
	freshFor = 30 * time.Second
	shownFor = 15 * time.Minute
)

// Board caches absences.
type Board struct {
	source Source
	budget time.Duration
	now    func() time.Time
	log    *slog.Logger

	mu   sync.Mutex
	seen map[string]answer // by user id, for people in the config
}

type answer struct {
	Absence
	at time.Time
}

// New makes a Board. The argument budget is the time limit of a query; 0 means the default.
func New(source Source, budget time.Duration, now func() time.Time, log *slog.Logger) *Board {
	return &Board{source: source, budget: cmp.Or(budget, askBudget), now: now, log: log, seen: map[string]answer{}}
}

// Ask returns those of the people who are away now. It queries the platform about people without a
// fresh answer.
func (b *Board) Ask(ctx context.Context, called []engine.Callee) []card.Absent {
	ask := b.unknown(called)
	if len(ask) > 0 {
		ctx, cancel := context.WithTimeout(ctx, b.budget)
		defer cancel()
		found, err := b.source.Absences(ctx, ask)
		if err != nil {
			b.log.InfoContext(ctx, "absences are unknown", "err", err)
		}
		b.learn(found)
	}
	return b.Known(called)
}

// Known returns those of the people who were away at the last query. It asks nobody.
func (b *Board) Known(called []engine.Callee) []card.Absent {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []card.Absent
	now := b.now()
	for _, c := range called {
		a, ok := b.seen[c.Account.User]
		if !ok || now.Sub(a.at) > shownFor {
			continue
		}
		if a.DND.After(now) || a.Away {
			absent := card.Absent{Person: c.Person}
			if a.DND.After(now) {
				absent.DND = a.DND
			}
			out = append(out, absent)
		}
	}
	return out
}

// unknown returns the accounts without a fresh answer.
func (b *Board) unknown(called []engine.Callee) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, c := range called[:min(mostAsked, len(called))] {
		if a, ok := b.seen[c.Account.User]; !ok || b.now().Sub(a.at) > freshFor {
			out = append(out, c.Account.User)
		}
	}
	return out
}

func (b *Board) learn(found map[string]Absence) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for user, a := range found {
		b.seen[user] = answer{a, b.now()}
	}
}
