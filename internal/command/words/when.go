package words

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

// IsWhen reports whether the words begin with a future time: at, in 10 min, tonight.
func IsWhen(w []Token) bool {
	k := w[0].Key
	if slices.Contains(timeWords, k) || clock.MatchString(k) || LengthAt(w) > 0 {
		return true
	}
	if len(w) < 2 {
		return false
	}
	next := w[1].Key
	time := clock.MatchString(next) || slices.Contains(timeWords, next) || LengthAt(w[1:]) > 0
	switch k {
	case "at", "@", "um", "ab", "gegen":
		return time || hourOnly.MatchString(strings.Trim(w[1].Raw, Punctuation)) && !strings.Contains(w[1].Raw, "%")
	case "in":
		return time || number.MatchString(next) ||
			OneOf(next, "a", "an", "half", "one", "two", "five", "ten", "few") && len(w) > 2 && isUnit(w[2:])
	case "on", "by", "around", "about", "from":
		return time
	case "for":
		return LengthAt(w[1:]) > 0 || OneOf(next, "a", "an", "half", "one", "the") && len(w) > 2 && isUnit(w[2:])
	case "over", "during":
		return time || next == "the" && len(w) > 2 && OneOf(w[2].Key, "weekend", "night", "lunch", "break", "window", "maintenance")
	case "this":
		return OneOf(next, "evening", "afternoon", "night", "weekend", "morning")
	case "as":
		return next == "of"
	case "after":
		return true
	default:
		return false
	}
}

// isUnit reports whether one of the first two words is a unit of time.
func isUnit(w []Token) bool {
	for _, t := range w[:min(2, len(w))] {
		if lengthUnit[t.Key] != "" && len(t.Key) > 1 || OneOf(t.Key, "while", "moment", "second", "seconds", "bit", "night", "weekend") {
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

// UnitOf returns the unit of time that a word names: "m", "h" or "d"; "" for none.
func UnitOf(word string) string { return lengthUnit[word] }

// IsNumber reports whether a word is a number from 1 to 9999.
func IsNumber(word string) bool { return number.MatchString(word) }

// LengthAt returns the number of words at the front that form a duration: "2h", "2 hours";
// 0 for none.
func LengthAt(w []Token) int {
	switch {
	case len(w) > 0 && oneLength.MatchString(w[0].Key):
		return 1
	case len(w) > 1 && number.MatchString(w[0].Key) && lengthUnit[w[1].Key] != "":
		return 2
	default:
		return 0
	}
}

// LengthOf returns the duration that one or two words form, in the format of time.ParseDuration
// or in days ("3d").
func LengthOf(w []Token) string {
	s := w[0].Key
	if len(w) == 2 {
		s += lengthUnit[w[1].Key]
	}
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	if unit := lengthUnit[s[len(digits):]]; unit != "" {
		return digits + unit
	}
	return s
}
