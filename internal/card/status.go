package card

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/probe"
	"dhbot/internal/watch"
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

// boardCard shows what is wrong first, worst on top, then a line for each
// host: at 3 a.m. nobody reads a list of what is well.
func boardCard(b Board) Card {
	worst := b.Worst()
	name := b.Cluster
	if b.Host != "" {
		name = b.Host + " · " + b.Cluster
	}
	c := Card{Head: Line{T(Mark(worst) + " "), B(upperFirst(worst.String())), T(" · " + name + " · " + tally(b.Rows))}}
	bad := badRows(b.Rows)
	c.Body = paragraphs(badLines(bad, b.Host == ""), quietLines(b.Rows, b.Host == ""), hostsLines(b))
	c.Buttons = boardTaps(b, bad)
	return b.finish(c, fmt.Sprintf("%s · %s: %s", worst, name, tally(b.Rows)))
}

// badRows are the rows that are not as they should be, worst first.
func badRows(rows []Row) []Row {
	var bad []Row
	for _, r := range rows {
		if !r.Pending && r.severity() != runbooks.None {
			bad = append(bad, r)
		}
	}
	sort.SliceStable(bad, func(i, j int) bool { return bad[i].severity().Worse(bad[j].severity()) })
	return bad
}

func badLines(bad []Row, withHost bool) []Line {
	var lines []Line
	for _, r := range bad {
		if unasked(r) || len(r.Causes) > 0 {
			continue
		}
		l := Line{T(Mark(r.severity()) + " "), B(r.Process.ID)}
		if withHost {
			l = append(l, T(" on "+r.Host))
		}
		l = append(l, T(" · "+r.severity().String()+" · "+r.Finding.Headline))
		if r.InWork != "" {
			l = append(l, T(" · in work: "), B(r.InWork))
		}
		lines = append(lines, l)
	}
	lines = append(lines, heldLines(bad, withHost)...)
	return append(lines, unaskedLines(bad)...)
}

// unasked says that a row's host could not be asked.
func unasked(r Row) bool {
	return r.severity() == runbooks.Unknown && r.Observation.State == probe.Unseen && r.Observation.Why != ""
}

// unaskedLines tell of hosts that could not be asked: one cause is one line,
// not one for each process.
func unaskedLines(bad []Row) []Line {
	type cause struct{ host, why string }
	var order []cause
	names := map[cause][]string{}
	for _, r := range bad {
		if !unasked(r) {
			continue
		}
		at := cause{r.Host, r.Observation.Why}
		if names[at] == nil {
			order = append(order, at)
		}
		names[at] = append(names[at], r.Process.ID)
	}
	var lines []Line
	for _, at := range order {
		lines = append(lines, Line{T(Mark(runbooks.Unknown) + " "), B(fmt.Sprintf("%d unknown on %s", len(names[at]), at.host)), T(": " + strings.Join(names[at], ", ") + " — " + at.why)})
	}
	return lines
}

// hostsLines are a line for each host: how many are well, and who has not
// answered yet. Where one host was asked about, its processes are named.
func hostsLines(b Board) []Line {
	var lines []Line
	for _, host := range hostOrder(b.Rows) {
		var up, waiting []string
		for _, r := range b.Rows {
			switch {
			case r.Host != host:
			case r.Pending:
				waiting = append(waiting, r.Process.ID)
			case r.severity() == runbooks.None && r.Maintenance == nil:
				up = append(up, r.Process.ID)
			}
		}
		if len(up) > 0 {
			l := Line{T(Mark(runbooks.None) + " "), B(host), T(fmt.Sprintf(" %d as they should be", len(up)))}
			if b.Host != "" {
				l = append(l, T(": "+strings.Join(up, ", ")))
			}
			lines = append(lines, l)
		}
		if len(waiting) > 0 {
			lines = append(lines, Line{T("⏳ "), B(host), T(" no answer yet: " + strings.Join(waiting, ", "))})
		}
	}
	return lines
}

// boardTaps open the worst few.
func boardTaps(b Board, bad []Row) []Button {
	const most = 3
	if len(bad) == 0 {
		return nil
	}
	var out []Button
	seen := map[string]bool{}
	for _, r := range bad {
		if seen[r.Process.ID] || len(out) == most || unasked(r) || len(r.Causes) > 0 {
			continue
		}
		seen[r.Process.ID] = true
		out = append(out, Button{Action: TapCommand, Label: r.Process.ID, Value: fmt.Sprintf("status %s in %s", r.Process.ID, b.Cluster)})
	}
	return append(out, watchTap(watch.Scope{Cluster: b.Cluster, Host: b.Host}))
}

// tally counts the rows by severity, worst first, in words that can stand
// after a number.
func tally(rows []Row) string {
	count := map[string]int{}
	for _, r := range rows {
		if r.Pending {
			count[waitingWord]++
			continue
		}
		if r.Maintenance != nil && r.severity() == runbooks.None {
			count[maintenanceWord]++
			continue
		}
		if len(r.Causes) > 0 {
			count[heldWord]++
			continue
		}
		count[tallyWord(r.severity())]++
	}
	var parts []string
	for _, k := range []string{"critical", "moderate", "unknown", "low", heldWord, waitingWord, maintenanceWord, wellWord} {
		if count[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[k], k))
		}
	}
	return strings.Join(parts, ", ")
}

const (
	waitingWord = "with no answer yet"
	heldWord    = "behind that"
	wellWord    = "as they should be"

	maintenanceWord = "in maintenance"
)

func tallyWord(s runbooks.Severity) string {
	switch s {
	case runbooks.Critical:
		return "critical"
	case runbooks.Moderate:
		return "moderate"
	case runbooks.Low:
		return "low"
	case runbooks.None:
		return wellWord
	default:
		return "unknown"
	}
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
