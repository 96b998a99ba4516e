package card

import (
	"fmt"
	"sort"
	"strings"
	"time"

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
	head := Line{T(Mark(worst) + " "), B(worst.String()), T(fmt.Sprintf("  %s (%s) on %s · %s", p.Title, p.ID, where, b.Cluster))}
	c := Card{Head: head}
	for _, r := range b.Rows {
		c.Body = append(c.Body, Text{Lines: rowLines(r, len(b.Rows) > 1)})
	}
	if worst != runbooks.None {
		c.Body = append(c.Body, Text{Lines: []Line{{B("Impact: "), T(p.Impact)}}})
	}
	if act := nextTaps(b, p); act != nil {
		c.Buttons = act
	}
	c.Foot = append(c.Foot, evidence(b.Rows)...)
	return b.finish(c, fmt.Sprintf("%s %s on %s: %s", worst, p.ID, where, headline(b.Rows)))
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
	first := Line{T(lead), B(r.Finding.Headline)}
	if r.Finding.Text != "" && r.Finding.Text != r.Finding.Headline {
		first = append(first, T(" · "+r.Finding.Text))
	}
	lines := []Line{first}
	if r.Finding.Severity == runbooks.Unknown && r.Finding.Might != runbooks.Unknown {
		lines = append(lines, Line{T("Not seen, so not green; it could be "), B(r.Finding.Might.String())})
	}
	if r.InWork != "" {
		lines = append(lines, Line{T("In work: "), B(r.InWork)})
	}
	return lines
}

// evidence names the command and the moment behind each row, once where they
// are alike.
func evidence(rows []Row) []Line {
	var out []Line
	for _, r := range rows {
		if r.Pending {
			continue
		}
		l := Line{C(r.Command), T(" on " + r.Host)}
		if !r.Observation.At.IsZero() {
			l = append(l, T(" at "), At(r.Observation.At))
		}
		out = append(out, l)
		if len(out) == 4 && len(rows) > 4 {
			return append(out, Line{T(fmt.Sprintf("… and %d more", len(rows)-4))})
		}
	}
	return out
}

func nextTaps(b Board, p runbooks.Process) []Button {
	for _, r := range b.Rows {
		if r.Pending || r.InWork != "" || r.severity() == runbooks.None {
			continue
		}
		verb := "restart"
		if r.Observation.State == probe.NotMonitored {
			verb = "start"
		}
		cmd := fmt.Sprintf("%s %s on %s in %s", verb, p.ID, r.Host, b.Cluster)
		return []Button{{
			Action: TapCommand, Label: strings.ToUpper(verb[:1]) + verb[1:] + "…", Value: cmd, Style: Danger,
			Confirm: &Confirm{Title: fmt.Sprintf("%s %s on %s?", verb, p.ID, r.Host), Text: p.Impact, Yes: "Ask for it", No: "No"},
		}}
	}
	return nil
}

func boardCard(b Board) Card {
	worst := b.Worst()
	name := b.Cluster
	if b.Host != "" {
		name = b.Host + " · " + b.Cluster
	}
	c := Card{Head: Line{T(Mark(worst) + " "), B(worst.String()), T("  " + name + " · " + tally(b.Rows))}}
	for _, host := range hostOrder(b.Rows) {
		c.Body = append(c.Body, Text{Lines: hostLines(host, b.Rows)})
	}
	return b.finish(c, fmt.Sprintf("%s %s: %s", worst, name, tally(b.Rows)))
}

// hostLines show what is wrong line by line, and what is well in one.
func hostLines(host string, rows []Row) []Line {
	lines := []Line{{B(host)}}
	var up, waiting []string
	var bad []Row
	for _, r := range rows {
		switch {
		case r.Host != host:
		case r.Pending:
			waiting = append(waiting, r.Process.ID)
		case r.severity() == runbooks.None:
			up = append(up, r.Process.ID)
		default:
			bad = append(bad, r)
		}
	}
	sort.SliceStable(bad, func(i, j int) bool { return bad[i].severity().Worse(bad[j].severity()) })
	unseen, bad := unasked(bad)
	lines = append(lines, unseen...)
	for _, r := range bad {
		l := Line{T(Mark(r.severity()) + " "), B(r.Process.ID), T(" " + r.severity().String() + " · " + r.Finding.Headline)}
		if r.InWork != "" {
			l = append(l, T(" · in work: "+r.InWork))
		}
		lines = append(lines, l)
	}
	if len(up) > 0 {
		lines = append(lines, Line{T(fmt.Sprintf("🟢 %d as they should be: %s", len(up), strings.Join(up, ", ")))})
	}
	if len(waiting) > 0 {
		lines = append(lines, Line{T("⏳ no answer yet: " + strings.Join(waiting, ", "))})
	}
	return lines
}

// unasked takes out the rows of a host that could not be asked: one cause is
// one line, not one for each process.
func unasked(rows []Row) (lines []Line, rest []Row) {
	names := map[string][]string{}
	var causes []string
	for _, r := range rows {
		why := r.Observation.Why
		if r.severity() != runbooks.Unknown || r.Observation.State != probe.Unseen || why == "" {
			rest = append(rest, r)
			continue
		}
		if names[why] == nil {
			causes = append(causes, why)
		}
		names[why] = append(names[why], r.Process.ID)
	}
	for _, why := range causes {
		lines = append(lines, Line{T(Mark(runbooks.Unknown) + " "), B(fmt.Sprintf("%d unknown", len(names[why]))), T(": " + strings.Join(names[why], ", ") + " — " + why)})
	}
	return lines, rest
}

// tally counts the rows by severity, worst first.
func tally(rows []Row) string {
	count := map[string]int{}
	for _, r := range rows {
		switch {
		case r.Pending:
			count["no answer yet"]++
		case r.severity() == runbooks.None:
			count["as they should be"]++
		default:
			count[r.severity().String()]++
		}
	}
	var parts []string
	for _, k := range []string{runbooks.Critical.String(), runbooks.Moderate.String(), runbooks.Unknown.String(), runbooks.Low.String(), "no answer yet", "as they should be"} {
		if count[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[k], k))
		}
	}
	return strings.Join(parts, ", ")
}

func (b Board) finish(c Card, push string) Card {
	c.Push = Mark(b.Worst()) + " " + push
	foot := Line{T("as of "), At(b.At)}
	if b.Unrecorded {
		foot = append(foot, T(" · unrecorded: my state store does not answer"))
	}
	c.Foot = append(c.Foot, foot)
	return c
}

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
