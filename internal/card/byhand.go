package card

import (
	"dhbot/internal/engine"
	"dhbot/internal/status"
)

// ByHand says that a person did what a request asked for, and how its targets are now;
// nil where there is nothing to look at.
func ByHand(r engine.Run, person, note string, b *status.Board) Card {
	text := person + " did " + r.ID + " by hand: " + runTitle(r)
	if note != "" {
		text += ": “" + note + "”"
	}
	head := Line{T("✋ "), B(person + " did " + r.ID + " by hand"), T(" · " + runTitle(r))}
	if b == nil {
		return Card{Push: "✋ " + clip(text, pushMost), Head: head}
	}
	c := Status(*b)
	lines := []Line{head}
	if note != "" {
		lines = append(lines, Line{T("“" + note + "”")})
	}
	c.Body = append([]Element{Text{Lines: lines}}, c.Body...)
	c.Push = clip("✋ "+text+" · "+c.Push, pushMost)
	return c
}
