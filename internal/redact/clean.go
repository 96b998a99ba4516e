package redact

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text applies Clean and then Secrets. Every output that the bot shows goes through it.
// Text(Text(s)) equals Text(s).
func Text(s string) string { return Secrets(Clean(s)) }

// Clean removes terminal escape sequences, control characters except newline and tab, and invisible
// formatting characters, which can hide or reorder text. It turns a carriage return, alone or
// before a newline, and Unicode's line separators into a newline. It writes bytes that are not
// UTF-8 as \xNN.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	return scrub(s)
}

func scrub(s string) string {
	s = lineEnds.Replace(visible(s))
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		// Each line is cleaned alone, so that an unfinished escape sequence cannot remove the lines
		// that follow.
		lines[i] = strings.Map(printable, withoutEscapes(line))
	}
	return strings.Join(lines, "\n")
}

// plain reports whether a text needs no cleaning, which is true of nearly all output.
func plain(s string) bool {
	for _, r := range s {
		switch {
		case r >= ' ' && r <= '~', r == '\n', r == '\t':
		case r < utf8.RuneSelf, r == utf8.RuneError, r == '\u2028', r == '\u2029', unicode.In(r, unicode.Cc, unicode.Cf):
			return false
		}
	}
	return true
}

// Line returns s as one safe line of at most limit runes, with single spaces between words. If it
// cuts s, the line ends with "…".
func Line(s string, limit int) string {
	one := strings.Join(strings.Fields(Text(s)), " ")
	if limit <= 0 {
		return ""
	}
	if utf8.RuneCountInString(one) <= limit {
		return one
	}
	runes := []rune(one)
	return string(runes[:limit-1]) + "…"
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// visible writes bytes that are not UTF-8 as \xNN. It runs before escape sequences are removed,
// because a broken character must not hide an escape byte.
func visible(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func printable(r rune) rune {
	switch {
	case r == '\t':
		return r
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r):
		return -1
	default:
		return r
	}
}
