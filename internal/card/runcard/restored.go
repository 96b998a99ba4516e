package runcard

import (
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// DecidedLine mentions the requester of a run that waited a while for its approval.
func DecidedLine(r engine.Run) card.Card {
	names := make([]string, len(r.Votes))
	for i, v := range r.Votes {
		names[i] = v.Person
	}
	what := r.ID + " approved by " + strings.Join(names, " and ")
	if r.ApprovedAt != nil {
		what += " after " + card.Duration(r.ApprovedAt.Sub(r.RequestedAt))
	}
	what += " · " + RunTitle(r)
	return card.Card{
		Push: "👍 " + card.Clip(what, card.PushMost),
		Head: card.Line{card.T("👍 "), card.P(r.Asked.Person, r.Asked.Account), card.T(": " + what)},
	}
}

// EndLine mentions the requester when a run ends. For a Sev 1 run the channel shows it too.
func EndLine(r engine.Run) card.Card {
	push := runPush(r)
	return card.Card{
		Push:      push,
		Head:      card.Line{card.P(r.Asked.Person, r.Asked.Account), card.T(": " + push)},
		Broadcast: r.Plan.Severity == runbooks.Critical,
	}
}

// Restored returns a message for a run's thread. It mentions the requester, and says that a restore
// of the bot's state closed their run.
func Restored(r engine.Run) card.Card {
	what := r.ID + " · " + RunTitle(r) + " was closed: the bot's state was restored"
	return card.Card{
		Push: "☑️ " + card.Clip(what, card.PushMost),
		Head: card.Line{card.T("☑️ "), card.B(what)},
		Body: []card.Element{card.Text{Lines: []card.Line{
			{
				card.P(r.Asked.Person, r.Asked.Account),
				card.T(
					": the run does not continue. The restored state does not include what the run did after the backup. Before you request it again, check the run's target: ",
				),
				card.C("status " + Target(r)),
			},
		}}},
	}
}
