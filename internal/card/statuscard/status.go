package statuscard

import (
	"fmt"
	"slices"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/incident"
	"dhbot/internal/status"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

func rowIcon(r status.Row) string  { return card.LevelIcon(r.Severity(), r.WorstCase()) }
func rowWords(r status.Row) string { return card.LevelWords(r.Severity(), r.WorstCase()) }

// Status answers a status command: in full for one process, otherwise with a
// board.
func Status(b status.Board) card.Card {
	if b.Needs != "" {
		return depsCard(b)
	}
	if oneProcess(b) {
		return processCard(b)
	}
	return boardCard(b)
}

// Verified answers `verify`: the board of a cluster under a verdict.
func Verified(b status.Board) card.Card {
	c := boardCard(b)
	verdict := "Verified: all as expected"
	if b.Worst() != runbooks.None {
		verdict = "Not as expected"
	}
	c.Head = append(card.Line{card.T(card.LevelIcon(b.Worst(), b.WorstCase()) + " "), card.B(verdict), card.T(" · ")}, c.Head[1:]...)
	c.Push = card.LevelIcon(b.Worst(), b.WorstCase()) + " " + verdict + " · " + card.PlainLine(c.Head[3:])
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

func processCard(b status.Board) card.Card {
	p := b.Rows[0].Process
	level := card.LevelWords(b.Worst(), b.WorstCase())
	where := hostsOf(b.Rows)
	head := card.Line{
		card.T(card.LevelIcon(b.Worst(), b.WorstCase()) + " "),
		card.B(card.UpperFirst(level) + " · " + headline(b.Rows)),
		card.T(fmt.Sprintf(" · %s (%s) on %s · %s", p.Title, p.ID, where, b.Cluster)),
	}
	c := card.Card{Head: head}
	rows := worstRows(b.Rows)
	for _, r := range rows[:min(mostBad, len(rows))] {
		c.Body = append(c.Body, card.Text{Lines: rowLines(r, len(b.Rows) > 1)})
	}
	if n := len(rows) - mostBad; n > 0 {
		c.Body = append(
			c.Body,
			card.Text{Lines: []card.Line{{card.B(fmt.Sprintf("… and %d more", n)), card.T(": " + tally(rows[mostBad:]))}}},
		)
	}
	c.Body = append(
		c.Body,
		card.Paragraphs(card.Capped(hostFindings(b), mostLines, "more host"), upstreamLines(b), outageImpact(b.Rows))...)
	c.Buttons = append(causeTaps(b), nextTaps(b, p)...)
	c.Foot = append(c.Foot, evidence(b.Rows)...)
	return finish(b, c, fmt.Sprintf("%s · %s · %s on %s · %s", level, headline(b.Rows), p.ID, where, b.Cluster)+because(b))
}

// outageImpact shows the impact of an outage or a possible outage. A process
// that runs with errors has no such impact.
func outageImpact(rows []status.Row) []card.Line {
	var down, perhaps bool
	for _, r := range rows {
		down = down || !r.Pending && r.Finding.Condition == runbooks.Critical
		perhaps = perhaps || r.Severity() == runbooks.Unknown
	}
	impact := rows[0].Process.Impact
	switch {
	case down:
		return []card.Line{{card.B("Impact: "), card.T(impact)}}
	case perhaps:
		return []card.Line{{card.B("Impact if it is down: "), card.T(impact)}}
	default:
		return nil
	}
}

// hostFindings returns the findings about hosts as a whole.
func hostFindings(b status.Board) []card.Line {
	var out []card.Line
	for _, h := range b.Hosts {
		out = append(
			out,
			card.Line{
				card.T(card.SeverityIcon(h.Severity) + " "),
				card.B(h.Host + ": " + h.Headline),
				card.T(" · " + h.Severity.String() + " · " + h.Text),
			},
		)
	}
	return out
}

// rowLines shows the state of one process and the reason for it.
func rowLines(r status.Row, withHost bool) []card.Line {
	lead := ""
	if withHost {
		lead = rowIcon(r) + " " + r.Host + ": "
	}
	if r.Pending {
		return []card.Line{{card.T(lead + "no answer yet")}}
	}
	lines := []card.Line{rowLine(r, lead)}
	if withHost && r.Severity() == runbooks.Unknown {
		lines = append(lines, card.Line{card.T(card.UpperFirst(rowWords(r)))})
	}
	if r.InWork != "" {
		lines = append(lines, card.Line{card.T("Open run: "), card.B(r.InWork)})
	}
	if r.Maintenance != nil {
		lines = append(lines, MaintenanceLine(*r.Maintenance))
	}
	return lines
}

// rowLine shows the finding. For a single row, the first line of the card has
// the headline already.
func rowLine(r status.Row, lead string) card.Line {
	text := r.Finding.Text
	if lead == "" && text != "" {
		return card.Line{card.T(text)}
	}
	l := card.Line{card.T(lead), card.B(r.Finding.Headline)}
	if text != "" && text != r.Finding.Headline {
		l = append(l, card.T(" · "+text))
	}
	return l
}

// evidence names the commands whose output the rows are based on. A command that ran on several
// hosts is named once.
func evidence(rows []status.Row) []card.Line {
	const most = 3
	type asked struct {
		command string
		hosts   []string
	}
	var list []*asked
	var unread []card.Line // logs
	for _, r := range rows {
		if r.Pending {
			continue
		}
		if r.LogWhy != "" {
			unread = append(unread, card.Line{card.T(r.LogWhy)})
		}
		i := slices.IndexFunc(list, func(a *asked) bool { return a.command == r.Command })
		if i < 0 {
			list = append(list, &asked{command: r.Command})
			i = len(list) - 1
		}
		list[i].hosts = append(list[i].hosts, r.Host)
	}
	var out []card.Line
	for _, a := range list[:min(most, len(list))] {
		out = append(out, card.Line{card.C(a.command), card.T(" on " + card.Few(a.hosts, mostNamed))})
	}
	return append(out, unread[:min(1, len(unread))]...)
}

func finish(b status.Board, c card.Card, push string) card.Card {
	c.Push = card.LevelIcon(b.Worst(), b.WorstCase()) + " " + push
	foot := card.Line{card.T("as of "), card.At(b.AsOf())}
	if b.Unrecorded {
		foot = append(foot, card.T(" · this read is not recorded: my state store does not answer"))
	}
	c.Foot = append(c.Foot, foot)
	c.Facts = factsOfStatus(b)
	return c
}

// headline joins the headlines of the findings, without duplicates.
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
	return card.FewBy(card.Unique(out), mostLines, "; ")
}

func hostsOf(rows []status.Row) string { return card.Few(hostOrder(rows), mostNamed) }

func hostOrder(rows []status.Row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.Host)
	}
	return card.Unique(out)
}

// Asking is shown while the hosts of a cluster are queried; the board replaces
// it.
func Asking(cluster string) card.Card {
	what := cluster + " · querying its hosts …"
	return card.Card{Push: what, Head: card.Line{card.T("⚪ "), card.B(what)}}
}

// nextTaps offers the likely next commands for a process that is not as
// expected: start or restart, logs, dependencies, watch. A process with an open
// run gets no button for a change.
func nextTaps(b status.Board, p catalogs.Process) []card.Button {
	for _, r := range b.Rows {
		if r.Pending || r.Severity() == runbooks.None {
			continue
		}
		at := runbooks.Target{Process: p.ID, Host: r.Host}
		var out []card.Button
		if verb := status.NextVerb(r); verb != "" {
			out = append(out, card.ChangeTap(verb, at, b.Cluster, p.Impact))
		} else if r.InWork == "" {
			out = append(out, card.CommandTap("About "+p.ID, command.Fields{Verb: "help", Topic: p.ID, Cluster: b.Cluster}))
		}
		if r.Observation.Known() {
			out = append(out, card.LogsTap(p, at, b.Cluster, time.Time{})...)
		}
		if len(p.Needs) > 0 {
			out = append(out, card.NeedsTap(at, b.Cluster))
		}
		return append(out, card.WatchTap(incident.Scope{Cluster: b.Cluster, Process: p.ID, Host: r.Host}))
	}
	return nil
}
