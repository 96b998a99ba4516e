package command

import (
	"regexp"
	"slices"
	"strings"
)

var (
	clock    = regexp.MustCompile(`^(?:[01]?\d|2[0-3])(?:[:.h][0-5]\d)(?::[0-5]\d)?(?:am|pm|z|h|utc)?$|^(?:1[0-2]|[1-9])(?:am|pm)$|^\d{4}-\d{2}-\d{2}(?:t.*)?$`)
	hourOnly = regexp.MustCompile(`^(?:[01]?\d|2[0-3])$`)

	timeWords = []string{
		"tonight", "tomorrow", "tmrw", "tomorow", "later", "soon", "eventually", "afterwards", "midnight", "noon",
		"overnight", "eod", "eob",
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "weekend", "daily", "hourly",
		"weekly", "nightly", "every", "each",
		"before", "b4", "next", "morgen", "heute", "später", "nachher", "gleich", "erst",
	}
)

// isWhen reports whether the words begin with a future time: at, in 10 min, tonight.
func isWhen(w []token) bool {
	k := w[0].key
	if slices.Contains(timeWords, k) || clock.MatchString(k) || lengthAt(w) > 0 {
		return true
	}
	if len(w) < 2 {
		return false
	}
	next := w[1].key
	time := clock.MatchString(next) || slices.Contains(timeWords, next) || lengthAt(w[1:]) > 0
	switch k {
	case "at", "@", "um", "ab", "gegen":
		return time || hourOnly.MatchString(strings.Trim(w[1].raw, punctuation)) && !strings.Contains(w[1].raw, "%")
	case "in":
		return time || number.MatchString(next) || slices.Contains([]string{"a", "an", "half", "one", "two", "five", "ten", "few"}, next) && len(w) > 2 && isUnit(w[2:])
	case "on", "by", "around", "about", "from":
		return time
	case "for":
		return lengthAt(w[1:]) > 0 || slices.Contains([]string{"a", "an", "half", "one", "the"}, next) && len(w) > 2 && isUnit(w[2:])
	case "over", "during":
		return time || next == "the" && len(w) > 2 && slices.Contains([]string{"weekend", "night", "lunch", "break", "window", "maintenance"}, w[2].key)
	case "this":
		return slices.Contains([]string{"evening", "afternoon", "night", "weekend", "morning"}, next)
	case "as":
		return next == "of"
	case "after":
		return true
	default:
		return false
	}
}

// isUnit reports whether one of the first two words is a unit of time.
func isUnit(w []token) bool {
	for _, t := range w[:min(2, len(w))] {
		if lengthUnit[t.key] != "" && len(t.key) > 1 || slices.Contains([]string{"while", "moment", "second", "seconds", "bit", "night", "weekend"}, t.key) {
			return true
		}
	}
	return false
}

// Forms of a duration.
var (
	oneLength  = regexp.MustCompile(`^(?:[1-9][0-9]{0,3}(?:m|mins?|minutes?|h|hrs?|hours?|d|days?)|[1-9][0-9]?h[1-9][0-9]?m)$`)
	lengthUnit = map[string]string{
		"m":       "m",
		"min":     "m",
		"mins":    "m",
		"minute":  "m",
		"minutes": "m",
		"h":       "h",
		"hr":      "h",
		"hrs":     "h",
		"hour":    "h",
		"hours":   "h",
		"d":       "d",
		"day":     "d",
		"days":    "d",
	}
	number = regexp.MustCompile(`^[1-9][0-9]{0,3}$`)
)

// unitOf returns the unit of time that a word names, as in time.ParseDuration or d for
// days; "" for none.
func unitOf(word string) string { return lengthUnit[word] }

// isNumber reports whether a word is a number from 1 to 9999.
func isNumber(word string) bool { return number.MatchString(word) }

// lengthAt returns the number of words at the front that form a duration: "2h", "2 hours";
// 0 for none.
func lengthAt(w []token) int {
	switch {
	case len(w) > 0 && oneLength.MatchString(w[0].key):
		return 1
	case len(w) > 1 && number.MatchString(w[0].key) && lengthUnit[w[1].key] != "":
		return 2
	default:
		return 0
	}
}

// lengthOf returns a duration in the format of time.ParseDuration, plus days.
func lengthOf(w []token) string {
	s := w[0].key
	if len(w) == 2 {
		s += lengthUnit[w[1].key]
	}
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	if unit := lengthUnit[s[len(digits):]]; unit != "" {
		return digits + unit
	}
	return s
}
