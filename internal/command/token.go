package command

import (
	"regexp"
	"strings"
	"unicode"
)

// token is one word of a text.
type token struct {
	raw string // without the marks of emphasis around it
	key string // the form in which words are compared
	at  int    // where it begins in the text
	row int    // the line that it stands in
}

// quotedValue is a parameter's value with spaces in it: grep="No space left".
var quotedValue = regexp.MustCompile(`^(?:--)?[a-z][a-z_-]*=(?:"[^"\n]*"|'[^'\n]*')`)

// tokens splits a normalised text at spaces. Quotes and emphasis around a word
// fall away, and quotes around a parameter's value keep it together. A comma,
// ampersand, plus or slash between spaces is a token of its own.
func tokens(text string) []token {
	var out []token
	row := 0
	for i := 0; i < len(text); {
		r := rune(text[i])
		if r == '\n' {
			row++
		}
		if r == '\n' || r == ' ' {
			i++
			continue
		}
		end := i + wordEnd(text[i:])
		raw := text[i:end]
		if kv := quotedValue.FindString(text[i:]); kv != "" {
			end = i + len(kv)
			key, value, _ := strings.Cut(kv, "=")
			raw = key + "=" + strings.TrimSpace(value[1:len(value)-1])
		}
		raw = unmarked(raw)
		out = append(out, token{raw: raw, key: word(raw), at: i, row: row})
		i = end
	}
	return out
}

func wordEnd(text string) int {
	if i := strings.IndexAny(text, " \n"); i >= 0 {
		return i
	}
	return len(text)
}

// unmarked takes quotes, code marks and emphasis from around a word.
func unmarked(s string) string {
	for len(s) > 2 && strings.ContainsRune("\"'`*_", rune(s[0])) && s[0] == s[len(s)-1] {
		s = s[1 : len(s)-1]
	}
	if len(s) > 1 && strings.ContainsRune("\"'`*", rune(s[0])) {
		s = s[1:] // the other mark stands around a later word
	}
	if len(s) > 1 && strings.ContainsRune("\"'`", rune(s[len(s)-1])) {
		s = s[:len(s)-1]
	}
	return s
}

// punctuation is what may stand around a word without changing it.
const punctuation = " .,!?:;()[]{}`*\"'…"

// word is the form in which verbs and words of the language are compared.
func word(s string) string {
	return strings.ToLower(strings.Trim(s, punctuation))
}

// emoji is one as Slack writes it in a text, ":pray:", with its tone.
var emoji = regexp.MustCompile(`^:[a-z+-][a-z0-9_+-]*:(?::skin-tone-[2-6]:)?`)

// isMark says that a token is punctuation or an emoji alone.
func (t token) isMark() bool {
	if t.raw != "" && emoji.FindString(t.raw) == t.raw {
		return true
	}
	return strings.IndexFunc(t.raw, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0
}

// reasonOf is the text from a token on, on one line, without the punctuation
// that people put before a reason.
func reasonOf(text string, t []token) string {
	if len(t) == 0 {
		return ""
	}
	rest := strings.Join(strings.Fields(text[t[0].at:]), " ")
	return strings.TrimLeft(rest, "-—:,; ")
}

// joinRaw is tokens as they were typed, on one line.
func joinRaw(t []token) string {
	w := make([]string, len(t))
	for i := range t {
		w[i] = t[i].raw
	}
	return strings.Join(w, " ")
}
