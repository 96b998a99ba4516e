package words

import (
	"regexp"
	"strings"
)

// Token is one word of a text.
type Token struct {
	Raw string // without emphasis marks
	Key string // form for comparison
	At  int    // offset in the text
	Row int    // line number
}

// quotedValue matches a parameter whose value is in quotes, so that it may contain spaces:
// grep="No space left".
var quotedValue = regexp.MustCompile(`^(?:--)?[a-z][a-z_-]*=(?:"[^"\n]*"|'[^'\n]*')`)

// Split splits a cleaned text at spaces. It removes quotes and emphasis around a word;
// a quoted parameter value is one token. A comma, ampersand, plus or slash between spaces
// is a token.
func Split(text string) []Token {
	var out []Token
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
		out = append(out, Token{Raw: raw, Key: Key(raw), At: i, Row: row})
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
		s = s[1:] // the closing mark is at the end of a later word
	}
	if len(s) > 1 && strings.ContainsRune("\"'`", rune(s[len(s)-1])) {
		s = s[:len(s)-1]
	}
	return s
}

// Punctuation has the characters around a word that are not part of it.
const Punctuation = " .,!?:;()[]{}`*\"'…"

// Key returns the form in which verbs and other words are compared.
func Key(s string) string {
	return strings.ToLower(strings.Trim(s, Punctuation))
}

// emoji matches an emoji in Slack's text form, such as ":pray:", with an optional skin tone.
var emoji = regexp.MustCompile(`^:[a-z+-][a-z0-9_+-]*:(?::skin-tone-[2-6]:)?`)

// Rest returns the part of the text that begins with the first token of t. The result is on one
// line and has no leading punctuation.
func Rest(text string, t []Token) string {
	if len(t) == 0 {
		return ""
	}
	rest := strings.Join(strings.Fields(text[t[0].At:]), " ")
	return strings.TrimLeft(rest, "-—:,; ")
}

// Join returns tokens as typed, on one line.
func Join(t []Token) string {
	w := make([]string, len(t))
	for i := range t {
		w[i] = t[i].Raw
	}
	return strings.Join(w, " ")
}

// Name returns the token without a trailing comma or colon.
func (t Token) Name() string { return strings.TrimRight(t.Raw, ",:") }

// Tail returns the first few of the words, as typed.
func Tail(w []Token) string {
	const most = 12
	return Join(w[:min(len(w), most)])
}

// Of returns the words of a text, as Split splits them.
func Of(text string) []string {
	var out []string
	for _, t := range Split(normalise(text, nil)) {
		out = append(out, t.Raw)
	}
	return out
}

// Plain returns the form in which names are compared: Key without emphasis.
func Plain(s string) string { return strings.Trim(Key(s), "_") }

// Joined returns the first two words as one verb: "etcd status" is etcd-status, "restart
// everything" is restart-all.
func Joined(w []Token) string {
	second := w[1].Key
	if second == "everything" {
		second = "all"
	}
	return w[0].Key + "-" + second
}
