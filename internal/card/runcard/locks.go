package runcard

import (
	"slices"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// Locks lists each lock with its run, reason and age. If a run that holds a lock is paused or has
// an unknown result, the card says what a person must type, because nothing else releases the
// lock.
func Locks(held []engine.Lock, open []engine.Stored, now time.Time) card.Card {
	if len(held) == 0 {
		return card.Card{Push: "Nothing is locked", Head: card.Line{card.T("🔓 "), card.B("Nothing is locked")}}
	}
	what := card.Count(len(held), "lock") + " held"
	c := card.Card{Push: "🔒 " + what, Head: card.Line{card.T("🔒 "), card.B(what)}}
	var lines []card.Line
	for _, l := range held {
		age := now.Sub(time.UnixMilli(l.Since))
		lines = append(
			lines,
			card.Line{card.C(l.Name), card.T(" by "), card.B(l.Run), card.T(" · held for " + card.Duration(age) + " · " + l.Reason)},
		)
	}
	c.Body = append(c.Body, card.Text{Lines: lines})
	var stuck []card.Line
	for _, s := range open {
		if holds := slices.ContainsFunc(held, func(l engine.Lock) bool { return l.Run == s.Run.ID }); holds {
			stuck = append(stuck, freed(s.Run)...)
		}
	}
	if len(stuck) > 0 {
		c.Body = append(c.Body, card.Text{Lines: stuck})
	}
	return c
}

// freed explains what a person must type so that a waiting run releases its locks.
func freed(r engine.Run) []card.Line {
	switch r.State {
	case engine.Unknown:
		return []card.Line{
			{
				card.B(r.ID),
				card.T(" · outcome unknown. " + card.UpperFirst(closer(r)) + " must check the target and then type "),
				card.C("close " + r.ID + " WHAT YOU FOUND"),
			},
		}
	case engine.Paused:
		return []card.Line{
			{
				card.B(r.ID),
				card.T(" · waits for a person: "),
				card.C("done " + r.ID),
				card.T(" when the step is done, or "),
				card.C("cancel " + r.ID),
			},
		}
	default:
		return nil
	}
}

// closer says who may close a run whose outcome is unknown. The gate and the engine check it.
func closer(r engine.Run) string {
	if r.Plan.Severity.Minor() {
		return "the requester or an approver"
	}
	return "an approver other than " + r.Asked.Person
}
