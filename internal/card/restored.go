package card

import (
	"strings"

	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// DecidedLine mentions the requester of a run that took its time to be approved.
func DecidedLine(r engine.Run) Card {
	names := make([]string, len(r.Votes))
	for i, v := range r.Votes {
		names[i] = v.Person
	}
	what := r.ID + " approved by " + strings.Join(names, " and ")
	if r.ApprovedAt != nil {
		what += " after " + span(r.ApprovedAt.Sub(r.RequestedAt))
	}
	what += " · " + runTitle(r)
	return Card{Push: "👍 " + clip(what, pushMost), Head: Line{T("👍 "), P(r.Asked.Person, r.Asked.Account), T(": " + what)}}
}

// EndLine mentions the requester of a run at its end; that of a Sev 1 is shown in the
// channel as well.
func EndLine(r engine.Run) Card {
	push := runPush(r)
	return Card{Push: push, Head: Line{P(r.Asked.Person, r.Asked.Account), T(": " + push)}, Broadcast: r.Plan.Severity == runbooks.Critical}
}

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
