package card

import (
	"fmt"
	"sort"
	"strings"

	"dhbot/internal/probe"
	"dhbot/internal/watch"
	"dhbot/runbooks"
)

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
