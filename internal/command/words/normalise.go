package words

import (
	"regexp"
	"strings"
	"unicode"
)

// These values find what phones and chats change in typed text: links, ids for people and
// channels, one dash for two, curly quotes. The function plain handles non-breaking spaces and
// full-width letters.
var (
	person   = regexp.MustCompile(`<@([A-Z0-9]+)(?:\|([^>]*))?>`)
	channel  = regexp.MustCompile(`<#([A-Z0-9]+)(?:\|([^>]*))?>`)
	special  = regexp.MustCompile(`<!(?:subteam\^[A-Z0-9]+\|@?([^>]*)|(here|channel|everyone)(?:\|[^>]*)?)>`)
	labelled = regexp.MustCompile(`<(?:https?://|mailto:)[^|>]*\|([^>]*)>`)
	bareName = regexp.MustCompile(`<(?:https?://|mailto:)([^|>/]*)/?>`)
	bareLink = regexp.MustCompile(`<((?:https?://|mailto:)[^|>]*)>`)

	// flagDash matches a typographic dash that begins a word and stands before a letter. The
	// person typed two dashes for a flag.
	flagDash = regexp.MustCompile(`(^|\s)[—–‒―]([A-Za-z])`)

	// gluedComma is a comma typed directly before the next word.
	gluedComma = regexp.MustCompile(`(\s),(\S)`)

	typed = strings.NewReplacer(
		"“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`,
		"‘", "'", "’", "'", "‚", "'",
		"–", "-", "‑", "-", "−", "-", "‒", "-",
		"&lt;", "<", "&gt;", ">", "&amp;", "&",
	)
)

// normalise reverses the changes of keyboards and chats: `status “db_dis”` and `status
// <http://db_dis|db_dis>` become status db_dis. It adds no characters to a name and keeps
// line breaks. names maps ids to people's names.
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

// shownID returns the label that a text gives to an id. Without a label it returns the known name
// of the id, and otherwise the id itself.
func shownID(m []string, names map[string]string) string {
	if m[2] != "" {
		return m[2]
	}
	if name, ok := names[m[1]]; ok {
		return name
	}
	return m[1]
}

// plain returns the plain form of a character, or -1 to drop the character.
func plain(r rune) rune {
	const fullWidth, asciiFirst, asciiLast = 0xFEE0, 0x21, 0x7E
	switch {
	case r == '\n':
		return r
	case r-fullWidth >= asciiFirst && r-fullWidth <= asciiLast:
		return r - fullWidth
	case unicode.Is(unicode.Cf, r), r >= 0xFE00 && r <= 0xFE0F: // invisible marks and variation selectors
		return -1
	case unicode.IsSpace(r), unicode.IsControl(r):
		return ' '
	default:
		return r
	}
}

// Clean returns a message without the changes of keyboards and chats. It replaces the marks of code
// blocks and a list marker by spaces, and removes emphasis around the whole text. The result quote
// reports whether the message contains a quote or a code block, which may be another person's
// words or an example.
func Clean(message string, names map[string]string) (text string, quote bool) {
	text = normalise(message, names)
	quote = quoted(text)
	text = strings.ReplaceAll(text, "```", "   ")
	text = withoutEmphasis(text)
	if pad := bullet.FindString(text); pad != "" {
		text = strings.Repeat(" ", len(pad)) + text[len(pad):]
	}
	return text, quote
}

// withoutEmphasis removes emphasis marks around the whole text.
func withoutEmphasis(text string) string {
	t := strings.TrimSpace(text)
	if n := len(t); n > 2 && strings.ContainsRune("*_`\"'", rune(t[0])) && t[0] == t[n-1] {
		return " " + t[1:n-1]
	}
	return text
}

// bullet is a list marker before a line.
var bullet = regexp.MustCompile(`^\s*(?:[•◦▪‣*-]|\d{1,2}[.)])\s+`)

// quoted reports whether a text contains a quote or a code block, which may be another
// person's words or an example.
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
