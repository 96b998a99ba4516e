package observe

import (
	"regexp"
	"strings"

	"dhbot/internal/redact"
)

// Row is a line of `monit summary`. It shows which services monit knows, and gives an overview. It
// does not prove a state, because monit cuts the status to 26 characters.
type Row struct {
	Name, Type, Status string
	// State is Unseen if the status was cut and is not certain.
	State State
	// Pending means that a request is not finished.
	Pending bool
}

const serviceTypes = `Process|System|Program|File|Directory|Filesystem|Fifo|Network|Remote Host`

var (
	summaryRow = regexp.MustCompile(`^ *(\S+) +(\S+(?: \S+)*) {2,}(` + serviceTypes + `) *$`)
	// summaryOld is the form of monit before 5.15: Process 'db_dis'  Running
	summaryOld = regexp.MustCompile(`^(` + serviceTypes + `) '([^']+)' +(\S+(?: \S+)*) *$`)
	// summaryHead matches the first line of a summary. summaryFrame matches the other lines that
	// show no service.
	summaryHead  = regexp.MustCompile(`^(The )?Monit (daemon )?\S+ uptime: `)
	summaryFrame = regexp.MustCompile(`^[ ─┌┬┐├┼┤└┴┘│]*$|^ *Service Name +Status +Type *$`)
	// summaryCut is the end of a status that was cut after its first word.
	summaryCut = regexp.MustCompile(`^(.*?)(?: - ([a-z]*)[a-z ]*)?\.\.\.$`)
)

// ParseSummary parses `monit summary`, also in the format with boxes for terminals. It skips lines
// that are not rows.
func ParseSummary(out string) []Row {
	var rows []Row
	for line := range strings.Lines(redact.Clean(out)) {
		line = strings.TrimRight(strings.ReplaceAll(line, "│", " "), "\n ")
		var row Row
		if m := summaryRow.FindStringSubmatch(line); m != nil {
			row = Row{Name: m[1], Status: m[2], Type: m[3]}
		} else if m := summaryOld.FindStringSubmatch(line); m != nil {
			row = Row{Name: m[2], Status: m[3], Type: m[1]}
		} else {
			continue
		}
		base, pending := splitPending(row.Status)
		row.Pending = pending != ""
		if m := summaryCut.FindStringSubmatch(base); m != nil {
			base = m[1]
			row.Pending = row.Pending || m[2] != ""
			if first, _, joined := strings.Cut(base, " | "); joined {
				base = first // the cut part only adds problems
			}
		}
		// The summary has no pid; any number stands for "unknown".
		row.State = monitState(base, 1)
		if row.State == Trouble && strings.HasPrefix(base, "Execution failed") {
			row.State = Failed
		}
		rows = append(rows, row)
	}
	return rows
}

// UnreadRows are the lines of a summary, from its head on, that ParseSummary cannot parse: each may
// be a service.
func UnreadRows(out string) []string {
	var unread []string
	inside := false
	for line := range strings.Lines(redact.Clean(out)) {
		line = strings.TrimRight(strings.ReplaceAll(line, "│", " "), "\n ")
		switch {
		case summaryHead.MatchString(line):
			inside = true
		case !inside, summaryFrame.MatchString(line), summaryRow.MatchString(line), summaryOld.MatchString(line):
		default:
			unread = append(unread, redact.Line(line, LineLimit))
		}
	}
	return unread
}
