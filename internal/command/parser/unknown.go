package parser

import (
	"slices"

	"dhbot/internal/command"
	"dhbot/internal/command/guess"
	"dhbot/internal/command/words"
)

// noVotes are words that sound like a vote on a run, but neither approve nor deny it.
var noVotes = []string{"yes", "y", "yep", "yeah", "ok", "okay", "no", "nope", "nah", "lgtm", "sure", "go", "yup", "+1"}

// unknownVerb returns the Question for a text whose first word is not a known verb.
func (r *reading) unknownVerb(w []words.Token) *command.Question {
	if words.Negated(w) && len(w) > 1 {
		q := &command.Question{Code: command.Negation, Text: "I read that as “do not”; nothing was run."}
		r.suggest(q, guess.StatusOfName(r.g, w)...)
		return q
	}
	if slices.Contains(noVotes, w[0].Key) {
		q := command.Questionf(command.UnknownVerb, "%s is neither an approval nor a denial. Type `approve R-XXXX TARGET` or `deny R-XXXX REASON`.", words.Shown(w[0].Raw))
		if id, took := words.RunAt(w[1:]); took > 0 {
			q.Add(command.Choice{Text: "show " + id, Fields: command.Fields{Verb: "show", Run: id}})
		} else {
			r.suggest(q, "runs")
		}
		return q
	}
	q := command.Questionf(command.UnknownVerb, "I don't know the command %s.", words.Shown(w[0].Raw))
	for texts := range guess.Commands(r.g, w) {
		if r.suggest(q, texts...); len(q.Choices) > 0 {
			break
		}
	}
	if r.quote { // quoted words of another person
		q.Choices = slices.DeleteFunc(q.Choices, func(c command.Choice) bool { return c.Changes })
	}
	return q
}
