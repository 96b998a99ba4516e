package card

import (
	"fmt"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/engine"
)

// Few returns the first names of a list, at most most, and the number of the
// others.
func Few(list []string, most int) string { return FewBy(list, most, ", ") }

// FewBy is Few with another separator.
func FewBy(list []string, most int, sep string) string {
	if len(list) <= most {
		return strings.Join(list, sep)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], sep), len(list)-most)
}

// Capped returns at most most lines, and a line with the number of the others
// and the noun what.
func Capped(lines []Line, most int, what string) []Line {
	if len(lines) <= most {
		return lines
	}
	return append(lines[:most:most], Line{T("… and " + Count(len(lines)-most, what))})
}

func OrElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// And joins names as "a, b and c".
func And(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Paragraphs returns the non-empty blocks of lines.
func Paragraphs(blocks ...[]Line) []Element {
	var out []Element
	for _, b := range blocks {
		if len(b) > 0 {
			out = append(out, Text{Lines: b})
		}
	}
	return out
}

// Duration formats a duration for people.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return "under 1 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	default:
		return fmt.Sprintf("%d h", int(d.Round(time.Hour).Hours()))
	}
}

// Limits of a reason, and of any other text, on a lock screen.
const (
	PushReason = 80
	PushMost   = 240
)

// Clip cuts s to at most most runes; "…" marks a cut.
func Clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return strings.TrimSpace(string(r[:most-1])) + "…"
	}
	return s
}

// Name returns a person without a mention: the answer to a query mentions no
// one.
func Name(a engine.Actor) Span { return P(a.Person, auth.Account{}) }

// Count formats a number with its noun: "1 record", "3 records".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func UpperFirst(s string) string {
	for i, c := range s {
		if i == 0 {
			return strings.ToUpper(string(c)) + s[len(string(c)):]
		}
	}
	return s
}

// Unique removes duplicates and keeps the order.
func Unique(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// DayAt returns a time with its date.
func DayAt(t time.Time) Span { return Span{Kind: When, At: t} }
