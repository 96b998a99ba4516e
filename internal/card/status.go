package card

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/probe"
	"dhbot/runbooks"
)

// Board is what was found out about one process, one host or a cluster.
type Board struct {
	Cluster string
	Host    string // "" unless one host was asked about
	Rows    []Row
	At      time.Time
	// Unrecorded says that the state store did not answer.
	Unrecorded bool
	// Upstream is what else was asked, to find the cause of what is out.
	Upstream []Row
	// Maintenance is what people work on.
	Maintenance []fleet.Maintenance
	// Needs is the process whose needs the rows are, "" for any other board.
	// Unmet are those that are not met, and Absent those that no host of the
	// config runs.
	Needs  string
	Unmet  []Cause
	Absent []string
}

// Row is one process on one host.
type Row struct {
	Process     runbooks.Process
	Host        string
	Pending     bool   // not answered yet
	InWork      string // the open run that has it in hand, or ""
	Command     string // what was asked
	Observation probe.Observation
	Finding     probe.Finding
	Causes      []Cause // upstream, where it is out because of something else
	// Maintenance is what was announced of it, or nil.
	Maintenance *fleet.Maintenance
	// NotUp is since when it has been on its way up, where somebody has followed
	// it for that long.
	NotUp time.Time
	// Log is what its application log says, nil where it was not read, and
	// LogWhy why it could not be.
	Log    *LogSeen
	LogWhy string
}

// LogSeen is what an application log said.
type LogSeen struct {
	Log   probe.Log
	Since time.Time // from when on its errors count
	// Before is the last line that an earlier look saw while nobody watched
	// the process; zero for none.
	Before time.Time
	At     time.Time // when it was read
}

// severity of a row; what has not answered is unknown.
func (r Row) severity() runbooks.Severity {
	if r.Pending {
		return runbooks.Unknown
	}
	return r.Finding.Severity
}

// Worst is the worst severity on the board.
func (b Board) Worst() runbooks.Severity {
	worst := runbooks.None
	if len(b.Rows) == 0 {
		return runbooks.Unknown
	}
	for _, r := range b.Rows {
		if r.severity().Worse(worst) {
			worst = r.severity()
		}
	}
	return worst
}

// Mark is the sign of a severity; the words always stand beside it.
func Mark(s runbooks.Severity) string {
	switch s {
	case runbooks.Critical:
		return "🔴"
	case runbooks.Moderate:
		return "🟠"
	case runbooks.Low:
		return "🟡"
	case runbooks.None:
		return "🟢"
	default:
		return "⚪"
	}
}

// Status is the answer to a status command: a process in full where one was
// asked about, a table otherwise.
func Status(b Board) Card {
	if b.Needs != "" {
		return depsCard(b)
	}
	if b.oneProcess() {
		return processCard(b)
	}
	return boardCard(b)
}

func (b Board) oneProcess() bool {
	if len(b.Rows) == 0 {
		return false
	}
	for _, r := range b.Rows {
		if r.Process.ID != b.Rows[0].Process.ID {
			return false
		}
	}
	return b.Host == "" || len(b.Rows) == 1
}

func processCard(b Board) Card {
	p := b.Rows[0].Process
	worst := b.Worst()
	where := hostsOf(b.Rows)
	head := Line{T(Mark(worst) + " "), B(upperFirst(worst.String()) + " · " + headline(b.Rows)), T(fmt.Sprintf(" · %s (%s) on %s · %s", p.Title, p.ID, where, b.Cluster))}
	c := Card{Head: head}
	for _, r := range b.Rows {
		c.Body = append(c.Body, Text{Lines: rowLines(r, len(b.Rows) > 1)})
	}
	if up := b.upstreamLines(); up != nil {
		c.Body = append(c.Body, Text{Lines: up})
	}
	if worst != runbooks.None {
		c.Body = append(c.Body, Text{Lines: []Line{{B("Impact: "), T(p.Impact)}}})
	}
	c.Buttons = append(b.causeTaps(), nextTaps(b, p)...)
	c.Foot = append(c.Foot, evidence(b.Rows)...)
	return b.finish(c, fmt.Sprintf("%s · %s · %s on %s · %s", worst, headline(b.Rows), p.ID, where, b.Cluster)+b.because())
}

// rowLines say how one process is, and why we think so.
func rowLines(r Row, withHost bool) []Line {
	lead := ""
	if withHost {
		lead = Mark(r.severity()) + " " + r.Host + ": "
	}
	if r.Pending {
		return []Line{{T(lead + "no answer yet")}}
	}
	lines := []Line{rowLine(r, lead)}
	if r.Finding.Severity == runbooks.Unknown && r.Finding.Might != runbooks.Unknown {
		lines = append(lines, Line{T("Not seen, so not green: it may be "), B(r.Finding.Might.String())})
	}
	if r.InWork != "" {
		lines = append(lines, Line{T("In work: "), B(r.InWork)})
	}
	if r.Maintenance != nil {
		lines = append(lines, maintenanceLine(*r.Maintenance))
	}
	return lines
}

// rowLine is the finding; its headline stands in the card's first line where
// there is one row only.
func rowLine(r Row, lead string) Line {
	text := r.Finding.Text
	if lead == "" && text != "" {
		return Line{T(text)}
	}
	l := Line{T(lead), B(r.Finding.Headline)}
	if text != "" && text != r.Finding.Headline {
		l = append(l, T(" · "+text))
	}
	return l
}

// evidence names the command behind each row, once where it is the same on
// several hosts.
func evidence(rows []Row) []Line {
	const most = 3
	type asked struct {
		command string
		hosts   []string
	}
	var list []*asked
	var unread []Line // logs
	for _, r := range rows {
		if r.Pending {
			continue
		}
		if r.LogWhy != "" {
			unread = append(unread, Line{T(r.LogWhy)})
		}
		i := slices.IndexFunc(list, func(a *asked) bool { return a.command == r.Command })
		if i < 0 {
			list = append(list, &asked{command: r.Command})
			i = len(list) - 1
		}
		list[i].hosts = append(list[i].hosts, r.Host)
	}
	var out []Line
	for _, a := range list[:min(most, len(list))] {
		out = append(out, Line{C(a.command), T(" on " + strings.Join(a.hosts, ", "))})
	}
	return append(out, unread[:min(1, len(unread))]...)
}

func (b Board) finish(c Card, push string) Card {
	c.Push = Mark(b.Worst()) + " " + push
	foot := Line{T("as of "), At(b.asOf())}
	if b.Unrecorded {
		foot = append(foot, T(" · unrecorded: my state store does not answer"))
	}
	c.Foot = append(c.Foot, foot)
	return c
}

// asOf is the time of the oldest observation on the board: nothing shown is
// older than it says.
func (b Board) asOf() time.Time {
	oldest := b.At
	for _, r := range b.Rows {
		if at := r.Observation.At; !r.Pending && !at.IsZero() && at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}

// headline is what was found in a few words, each once.
func headline(rows []Row) string {
	var out []string
	for _, r := range rows {
		switch {
		case r.Pending:
			out = append(out, "no answer yet")
		default:
			out = append(out, r.Finding.Headline)
		}
	}
	return strings.Join(unique(out), "; ")
}

func hostsOf(rows []Row) string { return strings.Join(hostOrder(rows), ", ") }

func hostOrder(rows []Row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.Host)
	}
	return unique(out)
}

// unique keeps the first of each, in order.
func unique(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
