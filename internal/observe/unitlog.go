package observe

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dhbot/internal/redact"
)

var (
	// journalHead is journalctl's prefix of a line: "Nov 29 05:56:45 infra etcd[452]: ".
	journalHead = regexp.MustCompile(`^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ ([^\s\[:]+)(?:\[\d+\])?: (.*)$`)
	// etcdPlain is a log line of etcd before 3.4: "2026-11-29 05:56:43.276157 E | rafthttp: …".
	etcdPlain = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) ([A-Z]) \| `)
	// sqlLines are log lines of MariaDB and of MySQL (with a zone), each in the current and an
	// older format.
	sqlLines = []*regexp.Regexp{
		regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)) \d+ \[(\w+)\] `),
		regexp.MustCompile(`^(\d{4}-\d\d-\d\d +\d{1,2}:\d\d:\d\d) (?:\d+ )?\[(\w+)\] `),
		regexp.MustCompile(`^(\d{6} +\d{1,2}:\d\d:\d\d) (?:\d+ )?\[(\w+)\] `),
	}
	// unitTimes are the time formats without a zone in these lines.
	unitTimes = []string{"2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05", "060102 15:04:05"}
	// unitErrors are the levels that count as errors: words in etcd's JSON, letters in the plain
	// format of older etcd, ERROR in MariaDB. unitFatals are the levels after which a process ends.
	unitErrors = []string{"error", "dpanic", "panic", "fatal", "E", "C", "ERROR"}
	unitFatals = []string{"dpanic", "panic", "fatal", "C"}
)

// ParseUnitLog parses the log of etcd or MariaDB, from journalctl or a file. The log may have times
// without a zone. The function place converts such a time to the bot's clock, or returns false if
// it cannot.
func ParseUnitLog(out string, place func(time.Time) (time.Time, bool)) LogSpan {
	var span LogSpan
	for line := range strings.Lines(redact.Clean(out)) {
		line = strings.TrimRight(line, "\n ")
		if m := journalHead.FindStringSubmatch(line); m != nil {
			if line = m[2]; m[1] == "systemd" {
				continue // the unit's status covers it
			}
		}
		at, level, ok := unitLine(line)
		if !ok {
			continue
		}
		if at.Location() == unplaced {
			if at, ok = place(at); !ok {
				span.Undated++
				continue
			}
		}
		span.Last = at
		if span.First.IsZero() {
			span.First = at
		}
		if slices.Contains(unitErrors, level) {
			e := LogEvent{At: at, Error: true, Fatal: slices.Contains(unitFatals, level), Line: redact.Line(line, LineLimit)}
			span.Events = append(span.Events, e)
		}
	}
	return span
}

// unplaced marks times that were logged without a zone.
var unplaced = time.FixedZone("unknown", 0)

// unitLine returns the time and the level of a line.
func unitLine(line string) (at time.Time, level string, ok bool) {
	if strings.HasPrefix(line, "{") {
		return etcdLine(line)
	}
	for _, form := range append(slices.Clone(sqlLines), etcdPlain) {
		m := form.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		when := strings.Join(strings.Fields(m[1]), " ")
		if at, err := time.Parse(time.RFC3339Nano, when); err == nil {
			return at, m[2], true
		}
		for _, layout := range unitTimes {
			if at, err := time.ParseInLocation(layout, when, unplaced); err == nil {
				return at, m[2], true
			}
		}
	}
	return time.Time{}, "", false
}

// etcdLine parses a line of etcd from 3.4 on, which is JSON. The time of a line is text, or
// seconds since 1970.
func etcdLine(line string) (at time.Time, level string, ok bool) {
	var fields struct {
		Level string          `json:"level"`
		TS    json.RawMessage `json:"ts"`
	}
	if json.Unmarshal([]byte(line), &fields) != nil || fields.Level == "" {
		return time.Time{}, "", false
	}
	text := strings.Trim(string(fields.TS), `"`)
	for _, layout := range logTimes {
		if at, err := time.Parse(layout, text); err == nil {
			return at, fields.Level, true
		}
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 && seconds < 1<<40 {
		return time.UnixMilli(int64(seconds * 1000)), fields.Level, true
	}
	return time.Time{}, "", false
}

// Place converts a time of the host's local clock to the bot's clock, or returns false if the
// host's clock is unknown.
func (p Pids) Place(local time.Time) (time.Time, bool) {
	if p.clock.IsZero() {
		return time.Time{}, false
	}
	as := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), p.clock.Location())
	return p.at.Add(as.Sub(p.clock)), true
}
