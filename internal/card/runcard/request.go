package runcard

import (
	"dhbot/internal/card"
	"dhbot/internal/engine"
)

// Request shows a waiting run in one line, with its buttons. A tap on Approve opens a question that
// names the impact. The button Details shows the rest.
func Request(r engine.Run) card.Card {
	head := append(runHead(r), card.T(" · "+votesWanted(r)+" · expires "), card.At(r.VoteBy), card.T(" · asked by "), card.Name(r.Asked))
	if r.Reason != "" {
		head = append(head, card.T(": “"+card.Clip(r.Reason, card.PushReason)+"”"))
	}
	return card.Card{Push: runPush(r), Head: head, Buttons: voteButtons(r)}
}
