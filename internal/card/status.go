package card

import (
	"fmt"
	"slices"
	"time"

	"dhbot/internal/command"
	"dhbot/internal/fleet"
	"dhbot/internal/incident"

	"dhbot/internal/status"
	"dhbot/runbooks"
)

func rowIcon(r status.Row) string  { return levelIcon(r.Severity(), r.WorstCase()) }
func rowWords(r status.Row) string { return levelWords(r.Severity(), r.WorstCase()) }

// Status is the answer to a status command: a process in full where one was
// asked about, a table otherwise.
func Status(b status.Board) Card {
	if b.Needs != "" {
		return depsCard(b)
	}
	if oneProcess(b) {
		return processCard(b)
	}
	return boardCard(b)
}

// Verified is the answer to `verify`: the board of a cluster under a verdict.
func Verified(b status.Board) Card {
	c := boardCard(b)
	verdict := "Verified: all as expected"
	if b.Worst() != runbooks.None {
		verdict = "Not as expected"
	}
	c.Head = append(Line{T(levelIcon(b.Worst(), b.WorstCase()) + " "), B(verdict), T(" · ")}, c.Head[1:]...)
	c.Push = levelIcon(b.Worst(), b.WorstCase()) + " " + verdict + " · " + PlainLine(c.Head[3:])
	return c
}

func oneProcess(b status.Board) bool {
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

func processCard(b status.Board) Card {
	p := b.Rows[0].Process
	level := levelWords(b.Worst(), b.WorstCase())
	where := hostsOf(b.Rows)
	head := Line{
		T(levelIcon(b.Worst(), b.WorstCase()) + " "),
		B(upperFirst(level) + " · " + headline(b.Rows)),
		T(fmt.Sprintf(" · %s (%s) on %s · %s", p.Title, p.ID, where, b.Cluster)),
	}
	c := Card{Head: head}
	rows := worstRows(b.Rows)
	for _, r := range rows[:min(mostBad, len(rows))] {
		c.Body = append(c.Body, Text{Lines: rowLines(r, len(b.Rows) > 1)})
	}
	if n := len(rows) - mostBad; n > 0 {
		c.Body = append(c.Body, Text{Lines: []Line{{B(fmt.Sprintf("… and %d more", n)), T(": " + tally(rows[mostBad:]))}}})
	}
	c.Body = append(c.Body, paragraphs(capped(hostFindings(b), mostLines, "more host"), upstreamLines(b), outageImpact(b.Rows))...)
	c.Buttons = append(causeTaps(b), nextTaps(b, p)...)
	c.Foot = append(c.Foot, evidence(b.Rows)...)
	return finish(b, c, fmt.Sprintf("%s · %s · %s on %s · %s", level, headline(b.Rows), p.ID, where, b.Cluster)+because(b))
}

// outageImpact says whom it hits: of an outage, or of one that it might be. What
// runs with errors has no such impact.
func outageImpact(rows []status.Row) []Line {
	var down, perhaps bool
	for _, r := range rows {
		down = down || !r.Pending && r.Finding.Condition == runbooks.Critical
		perhaps = perhaps || r.Severity() == runbooks.Unknown
	}
	impact := rows[0].Process.Impact
	switch {
	case down:
		return []Line{{B("Impact: "), T(impact)}}
	case perhaps:
		return []Line{{B("Impact if it is down: "), T(impact)}}
	default:
		return nil
	}
}

// hostFindings are lines about hosts as a whole.
func hostFindings(b status.Board) []Line {
	var out []Line
	for _, h := range b.Hosts {
		out = append(
			out, Line{T(SeverityIcon(h.Severity) + " "), B(h.Host + ": " + h.Headline), T(" · " + h.Severity.String() + " · " + h.Text)},
		)
	}
	return out
}

// rowLines say how one process is, and why we think so.
func rowLines(r status.Row, withHost bool) []Line {
	lead := ""
	if withHost {
		lead = rowIcon(r) + " " + r.Host + ": "
	}
	if r.Pending {
		return []Line{{T(lead + "no answer yet")}}
	}
	lines := []Line{rowLine(r, lead)}
	if withHost && r.Severity() == runbooks.Unknown {
		lines = append(lines, Line{T(upperFirst(rowWords(r)))})
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
func rowLine(r status.Row, lead string) Line {
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
func evidence(rows []status.Row) []Line {
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
		out = append(out, Line{C(a.command), T(" on " + few(a.hosts, mostNamed))})
	}
	return append(out, unread[:min(1, len(unread))]...)
}

func finish(b status.Board, c Card, push string) Card {
	c.Push = levelIcon(b.Worst(), b.WorstCase()) + " " + push
	foot := Line{T("as of "), At(b.AsOf())}
	if b.Unrecorded {
		foot = append(foot, T(" · unrecorded: my state store does not answer"))
	}
	c.Foot = append(c.Foot, foot)
	c.Facts = factsOfStatus(b)
	return c
}

// headline is what was found in a few words, each once.
func headline(rows []status.Row) string {
	var out []string
	for _, r := range rows {
		switch {
		case r.Pending:
			out = append(out, "no answer yet")
		default:
			out = append(out, r.Finding.Headline)
		}
	}
	return fewBy(unique(out), mostLines, "; ")
}

func hostsOf(rows []status.Row) string { return few(hostOrder(rows), mostNamed) }

func hostOrder(rows []status.Row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.Host)
	}
	return unique(out)
}

// Asking stands where a cluster's board will be, while its hosts are asked.
func Asking(cluster string) Card {
	what := cluster + " · asking its hosts …"
	return Card{Push: what, Head: Line{T("⚪ "), B(what)}}
}

// maintenanceLine says on a status that people work on it.
func maintenanceLine(m fleet.Maintenance) Line {
	return Line{T("🛠 In maintenance until "), until(m), T(announcedBy(m))}
}

// quietLines are what is not running and not an incident, which a count of
// what is as it should be would hide.
func quietLines(rows []status.Row, withHost bool) []Line {
	var lines []Line
	for _, r := range rows {
		if !quiet(r) {
			continue
		}
		l := Line{T(SeverityIcon(r.Severity()) + " "), B(r.Process.ID)}
		if withHost {
			l = append(l, T(" on "+r.Host))
		}
		l = append(l, T(" · "+r.Finding.Headline))
		if r.Maintenance != nil {
			l = append(l, T(" until "), until(*r.Maintenance), T(announcedBy(*r.Maintenance)))
		}
		lines = append(lines, l)
	}
	return lines
}

// nextTaps offer what a person would type next about a process that is not
// well: to bring it back, to read its log, to see what it needs, to follow it.
// What is in work offers nothing that changes it.
func nextTaps(b status.Board, p runbooks.Process) []Button {
	for _, r := range b.Rows {
		if r.Pending || r.Severity() == runbooks.None {
			continue
		}
		at := runbooks.Target{Process: p.ID, Host: r.Host}
		var out []Button
		if verb := status.NextVerb(r); verb != "" {
			out = append(out, changeTap(verb, at, b.Cluster, p.Impact))
		} else if r.InWork == "" {
			out = append(out, commandTap("About "+p.ID, command.Fields{Verb: "help", Topic: p.ID, Cluster: b.Cluster}))
		}
		if r.Observation.Known() {
			out = append(out, logsTap(p, at, b.Cluster, time.Time{})...)
		}
		if len(p.Needs) > 0 {
			out = append(out, needsTap(at, b.Cluster))
		}
		return append(out, watchTap(incident.Scope{Cluster: b.Cluster, Process: p.ID, Host: r.Host}))
	}
	return nil
}
