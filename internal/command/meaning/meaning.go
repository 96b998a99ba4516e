package meaning

import (
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/words"
)

// Words that, directly after a target, begin a condition, an exception or a negation.
var (
	conditionWords = []string{
		"when", "whenever", "if", "iff", "once", "until", "till", "while", "whilst", "provided", "assuming", "unless",
		"wenn", "falls", "sobald", "bis", "sofern", "während",
	}
	exceptionWords = []string{
		"except", "excluding", "excl", "but", "only", "without", "instead", "minus", "aber", "außer", "ausser", "nur",
		"ohne", "statt",
	}
	negationWords = []string{
		"don't", "dont", "nope", "nvm", "nevermind", "wait", "hold", "oops", "jk", "nicht", "kein", "keine", "keinen",
		"nein", "niemals",
	}

	// negatedStates are words that describe a state after `not`, such as "not ready".
	// Participles such as "responding" also do, and need not be listed.
	negatedStates = []string{
		"ready", "healthy", "up", "ok", "able", "available", "reachable", "enough", "there", "in", "well", "good",
		"working", "alive", "connected", "visible", "stable", "seeing", "getting", "much", "many", "a", "one", "sure",
		"used", "full",
	}
	// negatedOrders are participles that describe no state after `not`, but negate the command:
	// "not needed".
	negatedOrders = []string{
		"needed", "required", "wanted", "allowed", "approved", "agreed", "confirmed", "scheduled", "planned",
		"intended",
	}
)

// Of returns the Code for the first words after a target if these words change what the
// command means, else "".
func Of(g *command.Grammar, w []words.Token) command.Code {
	k, next := w[0].Key, ""
	_, _, isPlace := words.PlaceOption(w[0].Raw)
	if len(w) > 1 {
		next = w[1].Key
	}
	switch {
	case w[0].IsDoubt():
		return command.Negation
	case words.OneOf(k, "maybe", "perhaps", "vielleicht"), len(w) == 1 && words.OneOf(k, "cancel", "abort", "undo"):
		return command.Negation
	case k == "not" || k == "no" || slices.Contains(negationWords, k):
		return negation(g, w)
	case k == "do" && (next == "not" || next == "nothing"), k == "never" && next == "mind",
		k == "just" && next == "kidding", k == "hang" && next == "on":
		return command.Negation
	case slices.Contains(exceptionWords, k), k == "other" && next == "than", k == "rather" && next == "than",
		k == "apart" && next == "from":
		return command.Exception
	case k == "once" && words.OneOf(next, "again", "more"):
		return ""
	case slices.Contains(conditionWords, k), k == "depending", k == "in" && next == "case", k == "should" && next == "it",
		k == "as" && words.OneOf(next, "soon", "long", "needed", "required", "necessary"):
		return command.Condition
	case words.IsWhen(w):
		return command.When
	case words.OneOf(k, "and", "plus", "then", "or", "und", "oder", "sowie", "dann", "including", "incl", "also"),
		k == "as" && next == "well", (k == "along" || k == "together") && next == "with",
		w[0].IsMark() && strings.ContainsAny(w[0].Raw, words.JoinerSigns):
		return joinedHead(g, w)
	case w[0].IsPlaceWord(), isPlace:
		return command.StrayPlace
	default:
		return ""
	}
}

// negation distinguishes words that negate the command ("not yet") from words that describe a state
// ("not responding since 02:10"). The description of a state is a reason.
func negation(g *command.Grammar, w []words.Token) command.Code {
	k := w[0].Key
	if len(w) == 1 {
		return command.Negation
	}
	next := w[1].Key
	switch k {
	case "no":
		if strings.ContainsAny(w[0].Raw, ",!.;") ||
			words.OneOf(next, "wait", "don't", "dont", "do", "stop", "not", "need", "no", "hold", "the", "i", "thats", "that's") {
			return command.Negation
		}
		return ""
	case "not":
	case "wait", "hold":
		return command.Negation
	default:
		return command.Negation
	}
	switch {
	case slices.Contains(negatedOrders, next) && len(w) > 2 && words.OneOf(w[2].Key, "any", "anymore"):
		return ""
	case slices.Contains(negatedOrders, next):
		return command.Negation
	case next == "in" && len(w) > 2 && (g.Knows(w[2].Name()) || words.IsWhen(w[2:])):
		return command.Negation
	case slices.Contains(negatedStates, next), strings.HasSuffix(next, "ing") && len(next) > 4, strings.HasSuffix(next, "ed") && len(next) > 3:
		return ""
	default:
		return command.Negation
	}
}

// joinedHead returns the Code for a word such as "and" directly after the target: TwoCommands if a
// verb follows, otherwise Joined.
func joinedHead(g *command.Grammar, w []words.Token) command.Code {
	if len(w) > 1 {
		if _, ok := g.Named(w[1].Key); ok {
			return command.TwoCommands
		}
	}
	return command.Joined
}

// Text returns the text of the Question about the words after a target.
func Text(code command.Code, typed string) string {
	text := map[command.Code]string{
		command.When:        "I run things now or not at all: I can't schedule a command.",
		command.Condition:   "I run things now or not at all: I can't wait for a condition.",
		command.Negation:    "I read that as “do not”.",
		command.Exception:   "I don't know what that excludes.",
		command.Joined:      "I don't know what that adds.",
		command.StrayPlace:  "I don't know that host or cluster.",
		command.TwoCommands: "I take one command at a time.",
	}[code]
	return text + " You typed: " + words.Shown(typed)
}
