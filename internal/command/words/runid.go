package words

import (
	"regexp"
	"strings"
	"unicode"
)

// runID matches a run's id, with or without its dash.
var runID = regexp.MustCompile(`(?i)^R[-_]?([0-9A-Z]{4,8})$`)

// IsRunID reports whether a text is a run's id in any form.
func IsRunID(s string) bool { return runID.MatchString(s) }

// RunID reads a word as a run's id.
func RunID(s string) (id string, ok bool) {
	if m := runID.FindStringSubmatch(strings.Trim(s, "`*_.,;:#()")); m != nil {
		return "R-" + strings.ToUpper(m[1]), true
	}
	return "", false
}

// RunAt reads a run id in any form ("R-7F3K", "r7f3k", "R 7F3K") and returns the number of
// words read.
func RunAt(w []Token) (id string, took int) {
	for n := 1; n <= min(2, len(w)); n++ {
		if n == 2 && !strings.EqualFold(w[0].Raw, "r") {
			break
		}
		typed := strings.Trim(strings.ReplaceAll(Join(w[:n]), " ", "-"), "`*_.,;:#()")
		if m := runID.FindStringSubmatch(typed); m != nil &&
			(n == 2 || strings.ContainsFunc(m[1], unicode.IsDigit) || strings.ContainsAny(typed, "-_")) {
			return "R-" + strings.ToUpper(m[1]), n
		}
	}
	return "", 0
}
