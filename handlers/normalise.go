package handlers

import (
	"regexp"
	"strings"
	"unicode"
)

// What phones and Slack make of plain typing: a link around anything with a
// dot or underscore, one dash for two, curly quotes, spaces that do not break.
var (
	autoLink = regexp.MustCompile(`<(?:https?://|mailto:)[^|>]*\|([^>]*)>`)
	bareLink = regexp.MustCompile(`<(?:https?://|mailto:)([^|>]*)>`)

	typed = strings.NewReplacer(
		"“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`,
		"‘", "'", "’", "'", "‚", "'",
		"—", "--", "–", "-", "‑", "-", "−", "-",
		"&lt;", "<", "&gt;", ">", "&amp;", "&",
		"\u200b", "", "\u200c", "", "\u200d", "", "\ufeff", "", "\u2060", "",
	)
)

// normalise undoes what keyboards and Slack do to a typed command, so that
// `status “db_dis”` and `status <http://db_dis|db_dis>` both say status
// db_dis. It never makes a name out of anything but the characters typed.
func normalise(text string) string {
	text = autoLink.ReplaceAllString(text, "$1")
	text = bareLink.ReplaceAllString(text, "$1")
	text = typed.Replace(text)
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// words splits a normalised text at spaces; quotes around a word fall away.
func words(text string) []string {
	fields := strings.Fields(text)
	for i, f := range fields {
		if len(f) > 1 && (f[0] == '"' || f[0] == '\'' || f[0] == '`') {
			fields[i] = strings.Trim(f, "\"'`")
		}
	}
	return fields
}

// word is the form in which verbs and names are compared.
func word(s string) string {
	return strings.ToLower(strings.Trim(s, " .,!?:`*_\"'"))
}
