package runcard

import (
	"dhbot/internal/card"
	"dhbot/internal/card/statuscard"
	"dhbot/internal/engine"
	"dhbot/internal/status"
)

// ByHand reports what a person did by hand after a request expired or was refused. The board b has
// the current state of the targets, nil without targets.
func ByHand(r engine.Run, person, note string, b *status.Board) card.Card {
	text := person + " did " + r.ID + " by hand: " + RunTitle(r)
	if note != "" {
		text += ": “" + note + "”"
	}
	head := card.Line{card.T("✋ "), card.B(person + " did " + r.ID + " by hand"), card.T(" · " + RunTitle(r))}
	if b == nil {
		return card.Card{Push: "✋ " + card.Clip(text, card.PushMost), Head: head}
	}
	c := statuscard.Status(*b)
	lines := []card.Line{head}
	if note != "" {
		lines = append(lines, card.Line{card.T("“" + note + "”")})
	}
	c.Body = append([]card.Element{card.Text{Lines: lines}}, c.Body...)
	c.Push = card.Clip("✋ "+text+" · "+c.Push, card.PushMost)
	return c
}
