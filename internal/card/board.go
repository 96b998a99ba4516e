package card

import (
	"cmp"
	"fmt"
	"sort"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/incident"
	"dhbot/internal/observe"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// boardCard shows what is wrong first, worst on top, then a line for each
// host: at 3 a.m. no one reads a list of what is well.
func boardCard(b status.Board) Card {
	worst := b.Worst()
	name := b.Cluster
	if about := cmp.Or(b.Host, b.Several); about != "" {
		name = about + " · " + b.Cluster
	}
	level := levelWords(worst, b.WorstCase())
	c := Card{Head: Line{T(levelIcon(worst, b.WorstCase()) + " "), B(upperFirst(level)), T(" · " + name + " · " + tally(b.Rows))}}
	bad := badRows(b.Rows)
	c.Body = paragraphs(
		capped(hostFindings(b), mostLines, "more host"), badLines(bad, b.Host == ""),
		capped(quietLines(b.Rows, b.Host == ""), mostQuiet, "more in maintenance or as scheduled"), hostsLines(b))
	c.Buttons = boardTaps(b, bad)
	return finish(b, c, fmt.Sprintf("%s · %s: %s", level, name, tally(b.Rows)))
}

// badRows are the rows that are not as expected, worst first.
func badRows(rows []status.Row) []status.Row {
	var bad []status.Row
	for _, r := range rows {
		if !r.Pending && r.Severity() != runbooks.None {
			bad = append(bad, r)
		}
	}
	sort.SliceStable(bad, func(i, j int) bool { return bad[i].Severity().Worse(bad[j].Severity()) })
	return bad
}

func badLines(bad []status.Row, withHost bool) []Line {
	var lines []Line
	var rest []status.Row
	for _, r := range bad {
		if unasked(r) || len(r.Causes) > 0 {
			continue
		}
		if len(lines) == mostBad {
			rest = append(rest, r)
			continue
		}
		l := Line{T(rowIcon(r) + " "), B(r.Process.ID)}
		if withHost {
			l = append(l, T(" on "+r.Host))
		}
		l = append(l, T(" · "+rowWords(r)+" · "+r.Finding.Headline))
		if r.InWork != "" {
			l = append(l, T(" · in work: "), B(r.InWork))
		}
		lines = append(lines, l)
	}
	if len(rest) > 0 {
		lines = append(lines, Line{B(fmt.Sprintf("… and %d more", len(rest))), T(": " + tally(rest) + ". status and a host's or a process's name shows them")})
	}
	lines = append(lines, capped(heldLines(bad, withHost), mostLines, "more cause")...)
	return append(lines, unaskedLines(bad)...)
}

// unasked says that a row's host could not be asked.
func unasked(r status.Row) bool {
	return r.Severity() == runbooks.Unknown && r.Observation.State == observe.Unseen && r.Observation.Why != ""
}

// mostUnasked is how many hosts that could not be asked have lines of their
// own.
const mostUnasked = 4

// unaskedLines tell of hosts that could not be asked: one cause is one line,
// not one for each process, and many hosts are one line too.
func unaskedLines(bad []status.Row) []Line {
	type cause struct{ host, why string }
	var order []cause
	behind := map[cause][]status.Row{}
	var hosts []string
	worst := runbooks.None
	for _, r := range bad {
		if !unasked(r) {
			continue
		}
		at := cause{r.Host, r.Observation.Why}
		if behind[at] == nil {
			order = append(order, at)
		}
		behind[at] = append(behind[at], r)
		hosts = append(hosts, r.Host)
		worst = worseOf(worst, r.WorstCase())
	}
	if hosts = unique(hosts); len(hosts) > mostUnasked {
		return []Line{{
			T(levelIcon(runbooks.Unknown, worst) + " "),
			B(fmt.Sprintf("Cannot see %d hosts", len(hosts))),
			T(": " + few(hosts, mostNamed) + " — " + order[0].why),
		}}
	}
	var lines []Line
	for _, at := range order {
		var ids []string
		worst := runbooks.None
		for _, r := range behind[at] {
			ids = append(ids, r.Process.ID)
			worst = worseOf(worst, r.WorstCase())
		}
		lines = append(lines, Line{
			T(levelIcon(runbooks.Unknown, worst) + " "),
			B(fmt.Sprintf("%d %s on %s", len(ids), levelWords(runbooks.Unknown, worst), at.host)),
			T(": " + few(ids, mostNamed) + " — " + at.why),
		})
	}
	return lines
}

func worseOf(a, b runbooks.Severity) runbooks.Severity {
	if b.Worse(a) {
		return b
	}
	return a
}

// boardTaps open the worst few.
func boardTaps(b status.Board, bad []status.Row) []Button {
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
		out = append(out, commandTap(r.Process.ID, command.On("status", r.Process.ID, "", b.Cluster)))
	}
	return append(out, watchTap(incident.Scope{Cluster: b.Cluster, Host: b.Host}))
}

// tally counts the rows by severity, worst first, in words that can stand
// after a number.
func tally(rows []status.Row) string {
	count := map[string]int{}
	for _, r := range rows {
		if r.Pending {
			count[waitingWord]++
			continue
		}
		if r.Maintenance != nil && r.Severity() == runbooks.None {
			count[maintenanceWord]++
			continue
		}
		if len(r.Causes) > 0 {
			count[heldWord]++
			continue
		}
		count[tallyWord(r.Severity())]++
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
	wellWord    = "as expected"

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
