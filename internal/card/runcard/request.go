package runcard

import (
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// Request is a waiting run in one line, with its buttons. The question after a tap on
// Approve names the impact; Details has the rest.
func Request(r engine.Run) card.Card {
	head := append(runHead(r), card.T(" · "+votesWanted(r)+" · expires "), card.At(r.VoteBy), card.T(" · asked by "), card.Name(r.Asked))
	if r.Reason != "" {
		head = append(head, card.T(": “"+card.Clip(r.Reason, card.PushReason)+"”"))
	}
	return card.Card{Push: runPush(r), Head: head, Buttons: voteButtons(r)}
}
