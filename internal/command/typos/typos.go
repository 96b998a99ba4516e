package typos

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Count returns the number of typing mistakes in typed if the person meant verb. ok is false if
// there are too many to suggest the verb.
func Count(typed, verb string) (n int, ok bool) {
	if len(typed) < 2 || len(verb) < 2 {
		return 0, false // one letter is near everything
	}
	n = levenshtein.ComputeDistance(typed, verb)
	if n == 2 && transposed(typed, verb) {
		n = 1
	}
	if n > 1 && len(typed) > 2 && strings.HasPrefix(verb, typed) {
		n = 2
	}
	most := 1
	switch {
	case len(typed) > 8:
		most = 3
	case len(typed) > 4 || len(typed) > 2 && strings.HasPrefix(verb, typed):
		most = 2
	}
	return n, n <= most
}

// transposed reports whether b is a with two neighbouring letters swapped.
func transposed(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i+1 < len(a); i++ {
		if a[i] != b[i] {
			return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		}
	}
	return false
}

// Inflected reports whether a word is a form of a verb for a past or ongoing action:
// "restarted", "stopping".
func Inflected(typed, verb string) bool {
	rest, ok := strings.CutPrefix(typed, verb)
	if ok && len(rest) > 2 && rest[0] == verb[len(verb)-1] {
		rest = rest[1:]
	}
	return ok && (rest == "ed" || rest == "ing")
}
