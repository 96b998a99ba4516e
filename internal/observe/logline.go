package observe

import "regexp"

// logStamp is the time of a log line in separate parts.
var logStamp = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)? ?(Z|[+-]\d\d:?\d\d)?$`)

// LogLine is a line of an application log in parts, each as written.
type LogLine struct {
	Day, Clock, Zone string // 2026-11-21, 02:38:46 and +0000; Zone may be ""
	Level, Text      string
	Error            bool // its level is ERROR or above
}

// SplitLogLine splits a line of an application log; ok is false for any other line.
func SplitLogLine(line string) (l LogLine, ok bool) {
	m := logLine.FindStringSubmatch(line)
	if m == nil {
		return LogLine{}, false
	}
	at := logStamp.FindStringSubmatch(m[1])
	if at == nil {
		return LogLine{}, false
	}
	return LogLine{Day: at[1], Clock: at[2], Zone: at[3], Level: m[2], Text: m[3], Error: logErrors[m[2]]}, true
}
