package card

import (
	"slices"
	"time"
)

// Absent is a mentioned person who is away, or who does not want to be disturbed until a given
// time.
type Absent struct {
	Person string
	DND    time.Time
}

// WithAbsent adds a note to a card that says which of the mentioned people are away.
func WithAbsent(c Card, list []Absent) Card {
	if len(list) == 0 {
		return c
	}
	line := Line{T("💤 ")}
	for i, a := range list {
		if i > 0 {
			line = append(line, T(" · "))
		}
		if a.DND.IsZero() {
			line = append(line, T(a.Person+" is away"))
			continue
		}
		line = append(line, T(a.Person+": Do Not Disturb until "), At(a.DND))
	}
	c.Body = append(slices.Clone(c.Body), Text{Lines: []Line{line}})
	return c
}
