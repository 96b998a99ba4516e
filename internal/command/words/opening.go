package words

import (
	"slices"
	"strings"
)

// Addressed returns the text of a message that mentions the bot: the text after the mention, or
// the text before it if nothing follows. The result atStart is true if only greetings and
// punctuation precede the mention, or if there is no mention. Only such a message can request a
// change.
func Addressed(message, botID string) (text string, atStart bool) {
	if botID == "" {
		return strings.TrimSpace(message), true
	}
	before, after, found := cutMention(message, botID)
	if !found {
		return strings.TrimSpace(message), true
	}
	for { // the bot is mentioned twice
		between, rest, again := cutMention(after, botID)
		if !again || strings.Trim(between, Punctuation+"-\n") != "" {
			break
		}
		after = rest
	}
	atStart = onlyGreets(before)
	switch after = withoutSeparators(after); {
	case strings.Trim(after, Punctuation+"-") != "" || after == "?":
		return strings.TrimSpace(after), atStart
	case atStart:
		return "", true
	default: // the mention is at the end: "status db_dis @dh"
		return strings.TrimSpace(before), false
	}
}

// withoutSeparators removes the separators that follow the bot's mention, up to a word or an
// emoji.
func withoutSeparators(after string) string {
	for {
		rest := strings.TrimLeft(after, " \n,;.!")
		if strings.HasPrefix(rest, ":") && !emoji.MatchString(rest) {
			rest = rest[1:]
		}
		if rest == after {
			return rest
		}
		after = rest
	}
}

func cutMention(text, botID string) (before, after string, found bool) {
	for _, open := range []string{"<@" + botID + ">", "<@" + botID + "|"} {
		i := strings.Index(text, open)
		if i < 0 {
			continue
		}
		after = text[i+len(open):]
		if strings.HasSuffix(open, "|") {
			_, after, _ = strings.Cut(after, ">")
		}
		return text[:i], after, true
	}
	return text, "", false
}

// onlyGreets reports whether a text contains only greetings and politeness.
func onlyGreets(before string) bool {
	text := normalise(before, nil)
	if quoted(text) {
		return false
	}
	text = bullet.ReplaceAllString(text, "")
	t := Split(text)
	return len(WithoutOpening(t)) == 0
}

// Words at the start of a message that carry no meaning.
var (
	greetings = []string{
		"hey", "hi", "hello", "hallo", "yo", "morning", "dear", "ok", "okay", "so", "thanks", "thx", "good",
		"afternoon", "evening", "there",
	}
	asking = []string{"can", "could", "would", "will"}
	asked  = []string{"you", "u", "we", "i"}
)

// WithoutOpening removes greetings, politeness and the bot's own name from the front.
func WithoutOpening(t []Token) []Token {
	for len(t) > 0 && t[0].Raw == ">" && t[0].At == 0 {
		t = t[1:] // a quote mark: Parse has handled it
	}
	for len(t) > 0 {
		k := t[0].Key
		name := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(t[0].Raw), "/"), "@")
		switch {
		case t[0].IsMark() && t[0].Raw != "?" &&
			!strings.Contains(t[0].Raw, ">"), slices.Contains(greetings, k), t[0].IsCourtesy():
			t = t[1:]
		case slices.Contains(asking, k) && len(t) > 1 && slices.Contains(asked, t[1].Key):
			t = t[2:]
		case strings.Trim(name, Punctuation) == "dh":
			t = t[1:]
		default:
			return t
		}
	}
	return t
}

// WithoutClosing removes politeness and punctuation from the end.
func WithoutClosing(t []Token) []Token {
	for len(t) > 0 && (t[len(t)-1].IsMark() || t[len(t)-1].IsCourtesy()) {
		t = t[:len(t)-1]
	}
	return t
}

// Asks reports whether a text is a question: "can you restart db_dis?".
func Asks(t []Token) bool {
	for i := 0; i+1 < len(t) && i < 6; i++ {
		if slices.Contains(asking, t[i].Key) && slices.Contains(asked, t[i+1].Key) {
			return true
		}
	}
	return false
}

// Negated reports whether the words before a verb negate it: "don't restart", "can you not
// restart".
func Negated(t []Token) bool {
	for i := 0; i < len(t) && i < 4; i++ {
		switch t[i].Key {
		case "no", "not", "don't", "dont", "never", "nobody", "no-one", "won't", "wont", "cannot", "can't", "cant",
			"shouldn't", "shouldnt", "avoid":
			return true
		}
	}
	return false
}
