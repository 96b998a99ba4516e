package blockkit

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"dhbot/internal/redact"
)

// Joiner is an invisible character without width. Between two characters it keeps Slack from
// reading them as one token.
const Joiner = "\u2060"

var (
	// entities is used before inert, which inserts no & < or >.
	entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	// inert replaces the characters with a meaning in Slack's mrkdwn. mrkdwn has no escape
	// character, and an invisible character can even start formatting, so marks become similar
	// characters.
	inert = strings.NewReplacer("*", "∗", "~", "∼", "`", "ˋ", "@", "@"+Joiner, "://", ":"+Joiner+"//", "#", "#"+Joiner)
	emoji = regexp.MustCompile(`:([a-zA-Z0-9_+'-]+):`)
)

// Clean returns content that may be shown. It removes escape sequences, control characters and
// any secrets that the handlers have missed.
func Clean(s string) string { return redact.Text(s) }

// Escape makes content inert in Slack's mrkdwn and in the top-level text of a message. No
// mention, link, emoji or format in the content then has an effect.
func Escape(s string) string { return escapeClean(Clean(s)) }

func escapeClean(s string) string {
	if strings.ContainsAny(s, "&<>*~`@:#") { // this check costs a tenth of the replacements, and most texts need none
		s = inert.Replace(entities.Replace(s))
	}
	s = underscores(s)
	// The replacement costs a hundred times as much as this check, and nearly no text needs it.
	// The replacement runs twice, because the colon at the end of one emoji name can be the start
	// of the next.
	for i := 0; i < 2 && strings.Count(s, ":") > 1; i++ {
		s = emoji.ReplaceAllString(s, ":"+Joiner+"$1:")
	}
	if !strings.Contains(s, "&gt;") {
		return s
	}
	return quoteMarks.ReplaceAllString(s, "$1"+Joiner+"&gt;")
}

// quoteMarks matches the mark that makes a line a quotation.
var quoteMarks = regexp.MustCompile(`(?m)^(\s*)&gt;`)

// underscores keeps underscores within a word, as in db_dis, because they format nothing. It
// replaces all other underscores.
func underscores(s string) string {
	var b strings.Builder
	for {
		start := strings.IndexByte(s, '_')
		if start < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := start + len(s[start:]) - len(strings.TrimLeft(s[start:], "_"))
		before, _ := utf8.DecodeLastRuneInString(s[:start])
		after, _ := utf8.DecodeRuneInString(s[end:])
		b.WriteString(s[:start])
		if wordRune(before) && wordRune(after) {
			b.WriteString(s[start:end])
		} else {
			b.WriteString(strings.Repeat("＿", end-start))
		}
		s = s[end:]
	}
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// Cut returns at most limit runes of s; "…" marks a cut.
func Cut(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	if limit <= 0 {
		return ""
	}
	n := 0
	for i := range s {
		if n == limit-1 {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// EscapeTo escapes and cuts content so that the result has at most limit runes and no escape
// sequence is split.
func EscapeTo(s string, limit int) string {
	s = Clean(s)
	for n := limit; ; n = n * 3 / 4 {
		if e := escapeClean(Cut(s, n)); utf8.RuneCountInString(e) <= limit {
			return e
		}
	}
}
