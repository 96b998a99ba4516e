package observe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"dhbot/internal/redact"
)

// ClockSlack is how far a host's clock may be behind the bot's.
const ClockSlack = 5 * time.Second

var (
	// logLine is a line of an application log:
	// [2026-11-21T02:38:46.956532+0000] - INFO - db_dis RUNNING
	logLine = regexp.MustCompile(`^\[([^\]]+)\] - ([A-Z]+) - (.*)$`)
	// logWord is a line in which a process reports its own state. The words come from the public
	// pages on application logs.
	logWord = regexp.MustCompile(`^\S+ (INITIALIZING|RUNNING|ALIVE|SHUTTING_DOWN)\b`)
	// logFrame matches a line of a stack trace. Each line of a stack trace on STDERR is a log line
	// of its own.
	logFrame = regexp.MustCompile(`^(\s+at \S|\s*\.\.\. \d+ |Caused by: |\s+Suppressed: |\s+- (locked|waiting) )`)
)

// logErrors are Deephaven's levels from ERROR up; FATAL is the highest (deephaven-core,
// LogLevel.java). Standard error of a process has the level STDERR.
var logErrors = map[string]bool{"ERROR": true, "STDERR": true, "EMAIL": true, "FATAL": true}

// logTimes are the formats of a log line's time. All have a zone, because a time without a zone
// could be hours off and proves nothing.
var logTimes = []string{"2006-01-02T15:04:05.999999999-0700", time.RFC3339Nano}

// Log summarizes the part of an application log that begins at some time.
type Log struct {
	// Errors counts lines of the levels from ERROR up, except FATAL. Fatals counts lines of level
	// FATAL. A stack trace counts once.
	Errors, Fatals int
	// FirstError is the first line that Errors or Fatals counts, redacted and shortened.
	FirstError string
	// Word is the last state that the process logged: INITIALIZING, RUNNING or SHUTTING_DOWN, or ""
	// for none. The heartbeat ALIVE does not count. At is the time of that line.
	Word string
	At   time.Time
	// First and Last are the times of the first and the last line that has a time, even if these
	// lines are older than the summarized part.
	First, Last time.Time
	// Undated counts lines that look like log lines but have an unreadable time.
	Undated int
}

// ReadLog summarizes the lines that are not older than since. A zero since means all lines.
func ReadLog(out string, since time.Time) Log { return ParseLog(out).Since(since) }

// LogEvent is a relevant line of an application log: an error, or a state of the process.
type LogEvent struct {
	At           time.Time
	Error, Fatal bool   // a fatal line is also an error
	Frame        bool   // a stack trace follows
	Line         string // the line of an error, redacted and shortened
	Word         string // INITIALIZING, RUNNING or SHUTTING_DOWN
}

// LogSpan is a part of an application log.
type LogSpan struct {
	// First and Last are the times of its first and last line.
	First, Last time.Time
	Events      []LogEvent
	// Undated counts lines that look like log lines but have an unreadable time.
	Undated int
}

// ParseLog parses a part of an application log.
func ParseLog(out string) LogSpan {
	var span LogSpan
	for line := range strings.Lines(redact.Clean(out)) {
		m := logLine.FindStringSubmatch(strings.TrimRight(line, "\n "))
		if m == nil {
			continue
		}
		at, ok := logTime(m[1])
		if !ok {
			span.Undated++
			continue
		}
		span.Last = at
		if span.First.IsZero() {
			span.First = at
		}
		e := LogEvent{At: at, Error: logErrors[m[2]], Fatal: m[2] == "FATAL", Frame: logFrame.MatchString(m[3])}
		if e.Error {
			e.Line = redact.Line(line, LineLimit)
		}
		if w := logWord.FindStringSubmatch(m[3]); w != nil && w[1] != "ALIVE" {
			e.Word = w[1]
		}
		if e.Line != "" || e.Word != "" {
			span.Events = append(span.Events, e)
		}
	}
	return span
}

// Since summarizes the lines that are not older than since.
func (s LogSpan) Since(since time.Time) Log {
	log := Log{First: s.First, Last: s.Last, Undated: s.Undated}
	for _, e := range s.Events {
		if e.At.Before(since) {
			continue
		}
		switch {
		case e.Frame && log.Errors+log.Fatals > 0: // a stack trace counts once
		case e.Fatal:
			log.Fatals++
		case e.Error:
			log.Errors++
		}
		if log.FirstError == "" {
			log.FirstError = e.Line
		}
		if e.Word != "" {
			log.Word, log.At = e.Word, e.At
		}
	}
	return log
}

// Join adds a part of the log that was read later. If the two parts overlap, it takes only the
// events after the end of s, so no event is counted twice.
func (s *LogSpan) Join(later LogSpan) {
	for _, e := range later.Events {
		if e.At.After(s.Last) {
			s.Events = append(s.Events, e)
		}
	}
	if s.First.IsZero() {
		s.First = later.First
	}
	if later.Last.After(s.Last) {
		s.Last = later.Last
	}
	s.Undated += later.Undated
}

// mostEvents limits the number of events kept of a log.
const mostEvents = 4000

// Forget drops everything before a time, and the oldest events beyond mostEvents. The span then
// begins at the end of the dropped part.
func (s *LogSpan) Forget(before time.Time) {
	i := slices.IndexFunc(s.Events, func(e LogEvent) bool { return !e.At.Before(before) })
	if i < 0 {
		i = len(s.Events)
	}
	i = max(i, len(s.Events)-mostEvents)
	if i > 0 && i < len(s.Events) {
		before = later(before, s.Events[i].At)
	}
	s.Events = slices.Clone(s.Events[i:])
	if s.First.Before(before) && s.Last.After(before) {
		s.First = before
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Clone returns a copy that shares nothing with s.
func (s LogSpan) Clone() LogSpan {
	s.Events = slices.Clone(s.Events)
	return s
}

// Held reports whether the log has at least rate errors in each minute of its last part. The
// argument held is the length of that part. Held returns false if that part begins before the log
// begins, or before the time since. Minutes are counted back from the last line of the log.
func (s LogSpan) Held(rate int, held time.Duration, since time.Time) bool {
	minutes := int(held / time.Minute)
	if from := s.Last.Add(-held); minutes < 1 || from.Before(s.First) || from.Before(since) {
		return false
	}
	counts := make([]int, minutes)
	for _, e := range s.Events {
		if ago := s.Last.Sub(e.At); e.Error && !e.Frame && ago >= 0 && ago < held {
			counts[int(ago/time.Minute)]++
		}
	}
	return slices.Min(counts) >= rate
}

func logTime(s string) (time.Time, bool) {
	for _, layout := range logTimes {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Counted is the number of errors, in words.
func (l Log) Counted() string {
	n := l.Errors + l.Fatals
	switch {
	case n == 0:
		return "no errors"
	case n == 1 && l.Fatals == 1:
		return "1 fatal error"
	case l.Fatals > 0:
		return fmt.Sprintf("%d errors, %d of them fatal", n, l.Fatals)
	case n == 1:
		return "1 error"
	default:
		return fmt.Sprintf("%d errors", n)
	}
}
