package command

import (
	"regexp"
	"strings"
)

// token is one word of a text.
type token struct {
	raw string // without emphasis marks
	key string // form for comparison
	at  int    // offset in the text
	row int    // line number
}

// quotedValue is a parameter with spaces in its value: grep="No space left".
var quotedValue = regexp.MustCompile(`^(?:--)?[a-z][a-z_-]*=(?:"[^"\n]*"|'[^'\n]*')`)

// tokens splits a normalised text at spaces. It removes quotes and emphasis around a word;
// a quoted parameter value is one token. A comma, ampersand, plus or slash between spaces
// is a token.
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

// unmarked removes quotes, code marks and emphasis around a word.
func unmarked(s string) string {
	for len(s) > 2 && strings.ContainsRune("\"'`*_", rune(s[0])) && s[0] == s[len(s)-1] {
		s = s[1 : len(s)-1]
	}
	if len(s) > 1 && strings.ContainsRune("\"'`*", rune(s[0])) {
		s = s[1:] // the closing mark is at a later word
	}
	if len(s) > 1 && strings.ContainsRune("\"'`", rune(s[len(s)-1])) {
		s = s[:len(s)-1]
	}
	return s
}

// punctuation are signs around a word that do not change it.
const punctuation = " .,!?:;()[]{}`*\"'…"

// word returns the form in which verbs and other words are compared.
func word(s string) string {
	return strings.ToLower(strings.Trim(s, punctuation))
}

// emoji matches Slack's text form, ":pray:", with a skin tone.
var emoji = regexp.MustCompile(`^:[a-z+-][a-z0-9_+-]*:(?::skin-tone-[2-6]:)?`)

// reasonOf returns the text from a token on, on one line, without leading punctuation.
func reasonOf(text string, t []token) string {
	if len(t) == 0 {
		return ""
	}
	rest := strings.Join(strings.Fields(text[t[0].at:]), " ")
	return strings.TrimLeft(rest, "-—:,; ")
}

// joinRaw returns tokens as typed, on one line.
func joinRaw(t []token) string {
	w := make([]string, len(t))
	for i := range t {
		w[i] = t[i].raw
	}
	return strings.Join(w, " ")
}

// name returns the token without a trailing comma or colon.
func (t token) name() string { return strings.TrimRight(t.raw, ",:") }

// tail returns a limited number of words as typed.
func tail(w []token) string {
	const most = 12
	return joinRaw(w[:min(len(w), most)])
}

// Words returns the words of a text as the grammar splits them.
func Words(text string) []string {
	var out []string
	for _, t := range tokens(normalise(text, nil)) {
		out = append(out, t.raw)
	}
	return out
}

// Word returns the form in which words and names are compared.
func Word(s string) string { return strings.Trim(word(s), "_") }

// joined returns the first two words as one verb: "etcd status" is etcd-status, "restart
// everything" is restart-all.
func joined(w []token) string {
	second := w[1].key
	if second == "everything" {
		second = "all"
	}
	return w[0].key + "-" + second
}
