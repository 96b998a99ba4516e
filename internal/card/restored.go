package card

import "dhbot/internal/engine"

// Restored tells the requester of a run that a restore of the state closed it. It
// stands beside the run's message and mentions them.
func Restored(r engine.Run) Card {
	what := r.ID + " · " + runTitle(r) + " was closed: the bot's state was restored"
	return Card{
		Push: "☑️ " + clip(what, pushMost),
		Head: Line{T("☑️ "), B(what)},
		Body: []Element{Text{Lines: []Line{
			{P(r.Asked.Person, r.Asked.Account), T(": nothing of it is carried on. What it had done by then is not in the restored state, so look at its target before you ask again: "),
				C("status " + Target(r))},
		}}},
	}
}
