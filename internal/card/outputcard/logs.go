package outputcard

import (
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/observe"
)

// How much of an application log stands in a card.
const (
	logLines    = 10
	logLineMost = 160 // runes of a line
)

// logExcerpt is what a phone shows of an application log.
type logExcerpt struct {
	text  string // lines without days, fractions of a second and zones
	times string // the day and the zone that they are in
	whole bool   // nothing was left out but that
}

// excerpt chooses lines of an application log: the newest errors first and then
// what was logged last, or with inOrder the end of the log as it stands. ok is
// false where the text is no such log.
func excerpt(text string, inOrder bool) (e logExcerpt, ok bool) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	var errs, others []string
	var first, last observe.LogLine
	e.whole = len(lines) <= logLines
	for _, line := range lines {
		l, dated := observe.SplitLogLine(line)
		if !dated && !inOrder { // a stack trace, which stands in the file
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
	e.times = "Times of the log, " + first.Day
	if last.Day != first.Day {
		e.times += " to " + last.Day
	}
	if last.Zone != "" {
		e.times += ", " + last.Zone
	}
	return e, true
}

// lastOf are the last n of a list.
func lastOf(list []string, n int) []string { return list[max(0, len(list)-n):] }
