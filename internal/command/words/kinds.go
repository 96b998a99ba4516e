package words

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// OneOf reports whether a word is one of several.
func OneOf(word string, list ...string) bool { return slices.Contains(list, word) }

// courtesy are words of politeness, which carry no meaning anywhere in a command.
var courtesy = []string{"please", "pls", "plz", "kindly", "bitte"}

// IsCourtesy reports whether a token is a word of politeness.
func (t Token) IsCourtesy() bool { return slices.Contains(courtesy, t.Key) }

// MarksReason reports whether a word marks the rest as the reason: `because` or `reason:`.
func (t Token) MarksReason() bool {
	return t.Key == "because" || strings.EqualFold(t.Raw, "reason:")
}

// states are words of a question about a state.
var states = []string{
	"down", "up", "wrong", "broken", "failing", "failed", "bad", "problems", "problem", "issues", "red", "dead",
	"running", "ok", "healthy", "stuck", "sev", "sev1", "sev2", "sev3", "critical",
}

// IsState reports whether a token is a word of a question about a state.
func (t Token) IsState() bool { return slices.Contains(states, t.Key) }

// doubtSigns are characters that people type as signs of doubt or refusal.
const doubtSigns = "?？❓❔❌🚫⛔🛑✋🙅👎🤔⏳⌛⏰"

var doubtNames = []string{
	"x", "no_entry", "no_entry_sign", "octagonal_sign", "stop_sign", "raised_hand", "hand", "no_good", "-1", "thumbsdown", "question",
	"grey_question", "thinking_face", "hourglass", "hourglass_flowing_sand", "alarm_clock", "negative_squared_cross_mark",
}

// IsDoubt reports whether a token is a sign of doubt or refusal.
func (t Token) IsDoubt() bool {
	name, _, _ := strings.Cut(strings.Trim(t.Raw, ":"), ":")
	return t.IsMark() && (strings.ContainsAny(t.Raw, doubtSigns) || slices.Contains(doubtNames, name))
}

// IsMark reports whether a token is only punctuation or an emoji.
func (t Token) IsMark() bool {
	if t.Raw != "" && emoji.FindString(t.Raw) == t.Raw {
		return true
	}
	return strings.IndexFunc(t.Raw, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0
}

// BeginsWithEmoji reports whether a token begins with an emoji.
func (t Token) BeginsWithEmoji() bool { return emoji.MatchString(t.Raw) }

// JoinerSigns are the characters that join names or commands, either for the bot or in a shell.
const JoinerSigns = "&/+>|<"

// placeWords stand before a host or cluster.
var placeWords = []string{"on", "in", "at", "@"}

// IsPlaceWord reports whether a token stands before a host or cluster.
func (t Token) IsPlaceWord() bool { return slices.Contains(placeWords, t.Key) }

// placeOption is a place as an option: host=query-1, cluster=prod.
var placeOption = regexp.MustCompile(`(?i)^(?:--)?(hosts?|on|node|cluster|in)=(.+)$`)

// PlaceOption splits a place that is given as an option, such as host=query-1, into its key
// and the names.
func PlaceOption(word string) (key, names string, ok bool) {
	m := placeOption.FindStringSubmatch(word)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}
