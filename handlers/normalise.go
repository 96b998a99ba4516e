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
	if strings.Contains(text, "<") {
		text = autoLink.ReplaceAllString(text, "$1")
		text = bareLink.ReplaceAllString(text, "$1")
	}
	text = typed.Replace(text)
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// quotedValue is a parameter's value with spaces in it: grep="No space left".
var quotedValue = regexp.MustCompile(`(^|\s)((?:--)?[a-z][a-z_-]*=)(?:"([^"]*)"|'([^']*)')(\s|$)`)

// noBreak stands for a space within a quoted value until the words are split.
const noBreak = "\u00a0"

// words splits a normalised text at spaces; quotes around a word fall away, and
// those around a parameter's value keep it together.
func words(text string) []string {
	if strings.Contains(text, "=") {
		text = quotedValue.ReplaceAllStringFunc(text, func(kv string) string {
			m := quotedValue.FindStringSubmatch(kv)
			return m[1] + m[2] + strings.ReplaceAll(strings.TrimSpace(m[3]+m[4]), " ", noBreak) + m[5]
		})
	}
	fields := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) && string(r) != noBreak })
	for i, f := range fields {
		fields[i] = strings.ReplaceAll(f, noBreak, " ")
	}
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
