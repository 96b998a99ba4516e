package probe

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"dhbot/internal/redact"
)

// clockSlack is how far a host's clock may be behind the bot's.
const clockSlack = 5 * time.Second

var (
	// logLine is a line of an application log:
	// [2026-11-21T02:38:46.956532+0000] - INFO - db_dis RUNNING
	logLine = regexp.MustCompile(`^\[([^\]]+)\] - ([A-Z]+) - (.*)$`)
	// logWord is a line in which a process tells of its own life. The words
	// are those of the public pages on application logs.
	logWord = regexp.MustCompile(`^\S+ (INITIALIZING|RUNNING|ALIVE|SHUTTING_DOWN)\b`)
)

// logTimes are the forms of a log line's time. All name their zone: a time
// without one could be hours off and proves nothing.
var logTimes = []string{"2006-01-02T15:04:05.999999999-0700", time.RFC3339Nano}

// Log is what the lines of an application log since some moment say.
type Log struct {
	// Errors and Fatals count lines of these levels.
	Errors, Fatals int
	// FirstError is the first of them, cleaned and cut.
	FirstError string
	// Word is the last word that the process wrote of its life (INITIALIZING,
	// RUNNING, SHUTTING_DOWN; ALIVE is a heartbeat and does not count), and At
	// when; "" when there was none.
	Word string
	At   time.Time
	// First and Last are the times of the first and the last line that have
	// one, whether or not they are before that moment.
	First, Last time.Time
	// Undated counts lines that look like log lines and whose time cannot be
	// read.
	Undated int
}

// ReadLog reads the lines whose time is not before since; since zero reads
// all.
func ReadLog(out string, since time.Time) Log {
	var log Log
	for line := range strings.Lines(redact.Clean(out)) {
		m := logLine.FindStringSubmatch(strings.TrimRight(line, "\n "))
		if m == nil {
			continue
		}
		at, ok := logTime(m[1])
		if !ok {
			log.Undated++
			continue
		}
		log.Last = at
		if log.First.IsZero() {
			log.First = at
		}
		if at.Before(since) {
			continue
		}
		switch m[2] {
		case "ERROR":
			log.Errors++
		case "FATAL":
			log.Fatals++
		}
		if log.FirstError == "" && log.Errors+log.Fatals > 0 {
			log.FirstError = redact.Line(line, lineLimit)
		}
		if w := logWord.FindStringSubmatch(m[3]); w != nil && w[1] != "ALIVE" {
			log.Word, log.At = w[1], at
		}
	}
	return log
}

func logTime(s string) (time.Time, bool) {
	for _, layout := range logTimes {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// readiness judges the log since a restart.
func (l Log) readiness() (Proof, string) {
	switch {
	case l.Word == "RUNNING":
		return Met, "ready: RUNNING in its log, " + l.errors() + " since"
	case l.Word != "":
		return NotYet, fmt.Sprintf("its log says %s last, %s since", l.Word, l.errors())
	case l.Undated > 0 && l.Last.IsZero():
		return NotYet, "its log's times name no zone, so nothing in it can be placed"
	case l.Last.IsZero():
		return NotYet, "its log has no line that can be read"
	default:
		return NotYet, "its log says nothing of RUNNING since, " + l.errors()
	}
}

func (l Log) errors() string {
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
