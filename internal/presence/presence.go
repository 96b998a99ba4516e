// Package presence says who of the people that are called is away or in Do Not
// Disturb, as the platform says. Where it does not say, nothing is said.
package presence

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// Absence is how a person is away.
type Absence struct {
	Away bool
	// DND is until when they are in Do Not Disturb, zero for not.
	DND time.Time
}

// Source is the platform.
type Source interface {
	// Absences returns what is known of accounts, by user id. Of those that are
	// missing nothing is known.
	Absences(ctx context.Context, users []string) (map[string]Absence, error)
}

const (
	// askBudget bounds a question: a call for people does not wait for longer.
	askBudget = 1500 * time.Millisecond
	// mostAsked bounds the people of one question.
	mostAsked = 10
	// freshFor is how long an answer is asked for by no one else, and shownFor how
	// long a card shows it.
	freshFor = 30 * time.Second
	shownFor = 15 * time.Minute
)

// Board remembers who is away.
type Board struct {
	source Source
	now    func() time.Time
	log    *slog.Logger

	mu   sync.Mutex
	seen map[string]answer // by user id, of people in the config
}

type answer struct {
	Absence
	at time.Time
}

// New makes a Board.
func New(source Source, now func() time.Time, log *slog.Logger) *Board {
	return &Board{source: source, now: now, log: log, seen: map[string]answer{}}
}

// Ask returns who of those called is away right now.
func (b *Board) Ask(ctx context.Context, called []engine.Callee) []card.Absent {
	ask := b.unknown(called)
	if len(ask) > 0 {
		ctx, cancel := context.WithTimeout(ctx, askBudget)
		defer cancel()
		found, err := b.source.Absences(ctx, ask)
		if err != nil {
			b.log.InfoContext(ctx, "who is away is not known", "err", err)
		}
		b.learn(found)
	}
	return b.Known(called)
}

// Known returns who of those called was away when it was last asked.
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

// unknown are the accounts of which there is no fresh answer.
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
