package card

import (
	"fmt"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/engine"
)

// Few joins names with commas. If there are more than limit names, it lists the first few and
// counts the others.
func Few(list []string, limit int) string { return FewBy(list, limit, ", ") }

// FewBy is Few with another separator.
func FewBy(list []string, limit int, sep string) string {
	if len(list) <= limit {
		return strings.Join(list, sep)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:limit], sep), len(list)-limit)
}

// Capped keeps the first limit lines. If there are more, it adds a line that counts the others,
// such as "… and 3 hosts" for the noun "host".
func Capped(lines []Line, limit int, noun string) []Line {
	if len(lines) <= limit {
		return lines
	}
	return append(lines[:limit:limit], Line{T("… and " + Count(len(lines)-limit, noun))})
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

// Maximum lengths of texts on a lock screen, in runes: of a reason, and of any other text.
const (
	PushReason = 80
	PushMost   = 240
)

// Clip cuts s to limit runes if it is longer. The last rune of a cut text is "…".
func Clip(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return strings.TrimSpace(string(r[:limit-1])) + "…"
	}
	return s
}

// Name returns a person's name without mentioning the person, because the answer to a query
// mentions no one.
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
