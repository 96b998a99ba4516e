package suggest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

const (
	maxSpelling = 64 // runes; a longer word is not a misspelt name
	Most        = 3
)

// Near returns up to three names that resemble a word, the likeliest first. A name resembles the
// word if it is a few keystrokes away, if one begins with the other, or if the name contains the
// word.
func Near(word string, among []string) []string {
	return UpTo(word, among, Most)
}

// UpTo is Near with another limit.
func UpTo(word string, among []string, most int) []string {
	w := squash(word)
	n := utf8.RuneCountInString(w)
	if n == 0 || n > maxSpelling {
		return nil
	}
	type scored struct {
		name  string
		score int
	}
	var found []scored
	for _, name := range among {
		if s, ok := likeness(w, squash(name)); ok {
			found = append(found, scored{name, s})
		}
	}
	slices.SortFunc(found, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.name, b.name))
	})
	var out []string
	for _, f := range found[:min(len(found), most)] {
		out = append(out, f.name)
	}
	return out
}

// squash is like Fold, but also removes the separators, for comparisons.
func squash(s string) string { return strings.ReplaceAll(Fold(s), "_", "") }

// likeness scores how much a name resembles a word, both squashed. A lower score is nearer. The
// second result is false if they do not resemble each other.
func likeness(word, name string) (int, bool) {
	d := levenshtein.ComputeDistance(word, name)
	if d == 2 && transposed(word, name) {
		d = 1 // one typing mistake, though two edits
	}
	n := utf8.RuneCountInString(word)
	switch {
	case d <= max(1, (n+1)/3): // one mistake in up to four letters, two in five to seven, three in eight to ten, …
		return d, true
	case n >= 2 && strings.HasPrefix(name, word), len(name) >= 3 && strings.HasPrefix(word, name):
		return 10 + d, true
	case n >= 3 && strings.Contains(name, word):
		return 100 + d, true
	default:
		return 0, false
	}
}

// transposed reports whether a and b differ only in two neighbouring letters that are swapped.
func transposed(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) != len(y) {
		return false
	}
	for i := 0; i+1 < len(x); i++ {
		if x[i] != y[i] {
			return x[i] == y[i+1] && x[i+1] == y[i] && string(x[i+2:]) == string(y[i+2:])
		}
	}
	return false
}

// Fold returns a name in a common form: in lower case, with "_" in place of "-" and space.
func Fold(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return '_'
		}
		return r
	}, s)
}

// Short quotes a typed text for a message. It shortens the text, and escapes what is not printable.
func Short(s string) string {
	const most = 40
	clipped := strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(clipped) > most {
		clipped = string([]rune(clipped)[:most]) + "…"
	}
	if strings.IndexFunc(clipped, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return `"` + clipped + `"`
	}
	return strconv.Quote(clipped)
}

// Hint returns the end of a sentence about an unknown name. It lists the suggestions, or all names
// if there are no suggestions.
func Hint(suggestions, all []string) string {
	switch {
	case len(suggestions) > 0:
		return ". Did you mean " + Either(suggestions) + "?"
	case len(all) > 0:
		all = slices.Sorted(slices.Values(all))
		return ". Known: " + strings.Join(all, ", ") + "."
	default:
		return "."
	}
}

// Either joins names with "or", as in "a, b or c".
func Either(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
