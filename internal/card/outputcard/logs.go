package outputcard

import (
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/observe"
)

// Limits of an application log that is shown in a card.
const (
	logLines    = 10
	logLineMost = 160 // runes of a line
)

// logExcerpt is the part of an application log that fits on a phone.
type logExcerpt struct {
	text  string // lines without date, fractions of a second and zone
	times string // the date and zone of the lines
	whole bool   // no line is missing
}

// excerpt selects lines of an application log: the newest errors first, then the newest other
// lines. If inOrder is set, it returns the last lines of the log in their order instead. Long lines
// are cut. ok is false if the text is not an application log.
func excerpt(text string, inOrder bool) (e logExcerpt, ok bool) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	var errs, others []string
	var first, last observe.LogLine
	e.whole = len(lines) <= logLines
	for _, line := range lines {
		l, dated := observe.SplitLogLine(line)
		if !dated && !inOrder { // a stack trace, which only the file shows
			e.whole = false
			continue
		}
		if dated {
			if first.Day == "" {
				first = l
			}
			last = l
			line = l.Clock + " " + l.Level + " " + l.Text
		}
		short := card.Clip(line, logLineMost)
		e.whole = e.whole && short == line
		if l.Error && !inOrder {
			errs = append(errs, short)
		} else {
			others = append(others, short)
		}
	}
	if first.Day == "" {
		return logExcerpt{}, false
	}
	errs = lastOf(errs, logLines)
	e.text = strings.Join(append(errs, lastOf(others, logLines-len(errs))...), "\n")
	e.times = "Times as in the log, " + first.Day
	if last.Day != first.Day {
		e.times += " to " + last.Day
	}
	if last.Zone != "" {
		e.times += ", time zone " + last.Zone
	}
	return e, true
}

// lastOf returns the last n elements.
func lastOf(list []string, n int) []string { return list[max(0, len(list)-n):] }
