package card

import (
	"slices"
	"time"

	"dhbot/internal/engine"
)

// Locks lists what is locked, by which run, why and since when; and, for each
// of the runs that wait for a person, how its locks are given back: there is no
// other way.
func Locks(held []engine.Lock, open []engine.Stored, now time.Time) Card {
	if len(held) == 0 {
		return Card{Push: "Nothing is locked", Head: Line{T("🔓 "), B("Nothing is locked")}}
	}
	what := count(len(held), "lock") + " held"
	c := Card{Push: "🔒 " + what, Head: Line{T("🔒 "), B(what)}}
	var lines []Line
	for _, l := range held {
		age := now.Sub(time.UnixMilli(l.Since))
		lines = append(lines, Line{C(l.Name), T(" by "), B(l.Run), T(" for " + span(age) + " · " + l.Reason)})
	}
	c.Body = append(c.Body, Text{Lines: lines})
	var stuck []Line
	for _, s := range open {
		if holds := slices.ContainsFunc(held, func(l engine.Lock) bool { return l.Run == s.Run.ID }); holds {
			stuck = append(stuck, freed(s.Run)...)
		}
	}
	if len(stuck) > 0 {
		c.Body = append(c.Body, Text{Lines: stuck})
	}
	return c
}

// freed says how a run gives its locks back that waits for a person.
func freed(r engine.Run) []Line {
	switch r.State {
	case engine.Unknown:
		who := T(" · its fate is unknown: look at the target, then ")
		if !r.Plan.Severity.Minor() { // as the engine has it
			who = T(" · its fate is unknown: somebody other than " + r.Asked.Person + " looks at the target, then ")
		}
		return []Line{{B(r.ID), who, C("close " + r.ID + " WHAT YOU FOUND")}}
	case engine.Paused:
		return []Line{{B(r.ID), T(" · waits for a person: "), C("done " + r.ID), T(" when the step is done, or "), C("cancel " + r.ID)}}
	default:
		return nil
	}
}
