package card

import "dhbot/internal/engine"

// Request is a run that waits for approvals in one line, with its buttons; the
// question behind Approve names the impact, and Details has the rest.
func Request(r engine.Run) Card {
	head := append(runHead(r), T(" · "+votesWanted(r)+" · expires "), At(r.VoteBy), T(" · asked by "), named(r.Asked))
	if r.Reason != "" {
		head = append(head, T(": “"+clip(r.Reason, pushReason)+"”"))
	}
	return Card{Push: runPush(r), Head: head, Buttons: voteButtons(r)}
}
