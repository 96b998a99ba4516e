package command

import (
	"slices"
	"strings"
	"unicode"
)

// courtesy are words of politeness, which carry no meaning anywhere in a command.
var courtesy = []string{"please", "pls", "plz", "kindly", "bitte"}

// isCourtesy reports whether a token is a word of politeness.
func (t token) isCourtesy() bool { return slices.Contains(courtesy, t.key) }

// marksReason reports whether a word marks the rest as the reason: `because` or `reason:`.
func (t token) marksReason() bool {
	return t.key == "because" || strings.EqualFold(t.raw, "reason:")
}

// states are words of a question about a state.
var states = []string{
	"down", "up", "wrong", "broken", "failing", "failed", "bad", "problems", "problem", "issues", "red", "dead",
	"running", "ok", "healthy", "stuck", "sev", "sev1", "sev2", "sev3", "critical",
}

// isState reports whether a token is a word of a question about a state.
func (t token) isState() bool { return slices.Contains(states, t.key) }

// doubtSigns are signs of doubt or refusal as typed; Slack's names for them follow.
const doubtSigns = "?？❓❔❌🚫⛔🛑✋🙅👎🤔⏳⌛⏰"

var doubtNames = []string{
	"x", "no_entry", "no_entry_sign", "octagonal_sign", "stop_sign", "raised_hand", "hand", "no_good", "-1", "thumbsdown", "question",
	"grey_question", "thinking_face", "hourglass", "hourglass_flowing_sand", "alarm_clock", "negative_squared_cross_mark",
}

// isDoubt reports whether a token is a sign of doubt or refusal.
func (t token) isDoubt() bool {
	name, _, _ := strings.Cut(strings.Trim(t.raw, ":"), ":")
	return t.isMark() && (strings.ContainsAny(t.raw, doubtSigns) || slices.Contains(doubtNames, name))
}

// isMark reports whether a token is only punctuation or an emoji.
func (t token) isMark() bool {
	if t.raw != "" && emoji.FindString(t.raw) == t.raw {
		return true
	}
	return strings.IndexFunc(t.raw, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0
}

// beginsWithEmoji reports whether a token begins with an emoji.
func (t token) beginsWithEmoji() bool { return emoji.MatchString(t.raw) }
