package command

import (
	"regexp"
	"strings"
	"unicode"
)

// What phones and chats make of plain typing: a link around anything with a
// dot or underscore, an id for a person or channel, one dash for two, curly
// quotes, spaces that do not break, full-width letters.
var (
	person   = regexp.MustCompile(`<@([A-Z0-9]+)(?:\|([^>]*))?>`)
	channel  = regexp.MustCompile(`<#([A-Z0-9]+)(?:\|([^>]*))?>`)
	special  = regexp.MustCompile(`<!(?:subteam\^[A-Z0-9]+\|@?([^>]*)|(here|channel|everyone)(?:\|[^>]*)?)>`)
	labelled = regexp.MustCompile(`<(?:https?://|mailto:)[^|>]*\|([^>]*)>`)
	bareName = regexp.MustCompile(`<(?:https?://|mailto:)([^|>/]*)/?>`)
	bareLink = regexp.MustCompile(`<((?:https?://|mailto:)[^|>]*)>`)

	// flagDash is a dash of a keyboard's making right before a letter, where a
	// word begins: what was typed is a flag.
	flagDash = regexp.MustCompile(`(^|\s)[—–‒―]([A-Za-z])`)

	// gluedComma is a comma that a thumb put to the next word.
	gluedComma = regexp.MustCompile(`(\s),(\S)`)

	typed = strings.NewReplacer(
		"“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`,
		"‘", "'", "’", "'", "‚", "'",
		"–", "-", "‑", "-", "−", "-", "‒", "-",
		"&lt;", "<", "&gt;", ">", "&amp;", "&",
	)
)

// normalise undoes what keyboards and chats do to a typed command, so that
// `status “db_dis”` and `status <http://db_dis|db_dis>` both read status
// db_dis. It never makes a name out of anything but the characters typed. Line
// breaks stay. names gives the names of people by their id.
func normalise(text string, names map[string]string) string {
	if strings.Contains(text, "<") {
		text = person.ReplaceAllStringFunc(text, func(s string) string { return "@" + shownID(person.FindStringSubmatch(s), names) })
		text = channel.ReplaceAllStringFunc(text, func(s string) string { return "#" + shownID(channel.FindStringSubmatch(s), nil) })
		text = special.ReplaceAllString(text, "@$1$2")
		text = labelled.ReplaceAllString(text, "$1")
		text = bareName.ReplaceAllString(text, "$1")
		text = bareLink.ReplaceAllString(text, "$1")
	}
	text = flagDash.ReplaceAllString(text, "$1--$2")
	text = typed.Replace(text)
	text = gluedComma.ReplaceAllString(text, ",$1$2")
	return strings.Map(plain, text)
}

// shownID is the label of an id that a chat put into a text, else the name
// that is known for it, else the id.
func shownID(m []string, names map[string]string) string {
	if m[2] != "" {
		return m[2]
	}
	if name, ok := names[m[1]]; ok {
		return name
	}
	return m[1]
}

// plain maps one character to what was meant by it, or drops it.
func plain(r rune) rune {
	const fullWidth, asciiFirst, asciiLast = 0xFEE0, 0x21, 0x7E
	switch {
	case r == '\n':
		return r
	case r-fullWidth >= asciiFirst && r-fullWidth <= asciiLast:
		return r - fullWidth
	case unicode.Is(unicode.Cf, r), r >= 0xFE00 && r <= 0xFE0F: // marks and variation selectors that are invisible
		return -1
	case unicode.IsSpace(r), unicode.IsControl(r):
		return ' '
	default:
		return r
	}
}

// withoutEmphasis takes marks of emphasis from around the whole text.
func withoutEmphasis(text string) string {
	t := strings.TrimSpace(text)
	if n := len(t); n > 2 && strings.ContainsRune("*_`\"'", rune(t[0])) && t[0] == t[n-1] {
		return " " + t[1:n-1]
	}
	return text
}

// bullet is a list's mark before a line.
var bullet = regexp.MustCompile(`^\s*(?:[•◦▪‣*-]|\d{1,2}[.)])\s+`)

// quoted says that a text shows a quote or a block of code: another person's
// words, or an example.
func quoted(text string) bool {
	if strings.Contains(text, "```") {
		return true
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimLeft(line, " "), ">") {
			return true
		}
	}
	return false
}
