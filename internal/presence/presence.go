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

// Absence describes how a person is away.
type Absence struct {
	Away bool
	// DND is the end of the person's Do Not Disturb time, zero for none.
	DND time.Time
}

// Source is the platform.
type Source interface {
	// Absences returns the known absences, by user id. A missing account is unknown.
	Absences(ctx context.Context, users []string) (map[string]Absence, error)
}

const (
	// askBudget is the default limit of a query: a mention does not wait longer.
	askBudget = 1500 * time.Millisecond
	// mostAsked limits the number of people in one query.
	mostAsked = 10
	// freshFor is how long an answer is reused, and shownFor how long a card shows it.
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

// New makes a Board, whose queries take at most budget; 0 means the default.
func New(source Source, budget time.Duration, now func() time.Time, log *slog.Logger) *Board {
	return &Board{source: source, budget: cmp.Or(budget, askBudget), now: now, log: log, seen: map[string]answer{}}
}

// Ask returns which of the people are away now.
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

// Known returns which of the people were away at the last query.
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

// unknown are the accounts without a fresh answer.
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
