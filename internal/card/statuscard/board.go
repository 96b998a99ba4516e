package statuscard

import (
	"cmp"
	"fmt"
	"sort"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/incident"
	"dhbot/internal/observe"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// boardCard shows the rows that are not as expected first, the worst on top,
// and then one line for each host, so that a failure stands out.
func boardCard(b status.Board) card.Card {
	worst := b.Worst()
	name := b.Cluster
	if about := cmp.Or(b.Host, b.Several); about != "" {
		name = about + " · " + b.Cluster
	}
	level := card.LevelWords(worst, b.WorstCase())
	c := card.Card{Head: card.Line{card.T(card.LevelIcon(worst, b.WorstCase()) + " "), card.B(card.UpperFirst(level)), card.T(" · " + name + " · " + tally(b.Rows))}}
	bad := badRows(b.Rows)
	c.Body = card.Paragraphs(
		card.Capped(hostFindings(b), mostLines, "more host"), badLines(bad, b.Host == ""),
		cappedQuiet(QuietLines(b.Rows, b.Host == "")), hostsLines(b))
	c.Buttons = boardTaps(b, bad)
	return finish(b, c, fmt.Sprintf("%s · %s: %s", level, name, tally(b.Rows)))
}

// cappedQuiet returns the first lines of QuietLines, and the number of the others.
func cappedQuiet(lines []card.Line) []card.Line {
	n := len(lines) - mostQuiet
	if n <= 0 {
		return lines
	}
	return append(lines[:mostQuiet:mostQuiet], card.Line{card.T(fmt.Sprintf("… and %d more in maintenance or down as scheduled", n))})
}

// badRows returns the rows that are not as expected, the worst first.
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

func badLines(bad []status.Row, withHost bool) []card.Line {
	var lines []card.Line
	var rest []status.Row
	for _, r := range bad {
		if unasked(r) || len(r.Causes) > 0 {
			continue
		}
		if len(lines) == mostBad {
			rest = append(rest, r)
			continue
		}
		l := card.Line{card.T(rowIcon(r) + " "), card.B(r.Process.ID)}
		if withHost {
			l = append(l, card.T(" on "+r.Host))
		}
		l = append(l, card.T(" · "+rowWords(r)+" · "+r.Finding.Headline))
		if r.InWork != "" {
			l = append(l, card.T(" · open run: "), card.B(r.InWork))
		}
		lines = append(lines, l)
	}
	if len(rest) > 0 {
		lines = append(lines, card.Line{card.B(fmt.Sprintf("… and %d more", len(rest))), card.T(": " + tally(rest) + ". `status HOST` or `status PROCESS` shows them")})
	}
	lines = append(lines, card.Capped(heldLines(bad, withHost), mostLines, "more cause")...)
	return append(lines, unaskedLines(bad)...)
}

// unasked reports whether the query to a row's host failed.
func unasked(r status.Row) bool {
	return r.Severity() == runbooks.Unknown && r.Observation.State == observe.Unseen && r.Observation.Why != ""
}

// unaskedLines lists the hosts whose query failed: one line for each cause, not
// for each process, and one line in total for many hosts.
func unaskedLines(bad []status.Row) []card.Line {
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
	if hosts = card.Unique(hosts); len(hosts) > mostUnasked {
		return []card.Line{{
			card.T(card.LevelIcon(runbooks.Unknown, worst) + " "),
			card.B(fmt.Sprintf("Could not query %d hosts", len(hosts))),
			card.T(": " + card.Few(hosts, mostNamed) + " — " + order[0].why),
		}}
	}
	var lines []card.Line
	for _, at := range order {
		var ids []string
		worst := runbooks.None
		for _, r := range behind[at] {
			ids = append(ids, r.Process.ID)
			worst = worseOf(worst, r.WorstCase())
		}
		lines = append(lines, card.Line{
			card.T(card.LevelIcon(runbooks.Unknown, worst) + " "),
			card.B(fmt.Sprintf("%d unknown on %s", len(ids), at.host) + card.UpTo(worst)),
			card.T(": " + card.Few(ids, mostNamed) + " — " + at.why),
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

// boardTaps returns buttons that show the worst few processes.
func boardTaps(b status.Board, bad []status.Row) []card.Button {
	const most = 3
	if len(bad) == 0 {
		return nil
	}
	var out []card.Button
	seen := map[string]bool{}
	for _, r := range bad {
		if seen[r.Process.ID] || len(out) == most || unasked(r) || len(r.Causes) > 0 {
			continue
		}
		seen[r.Process.ID] = true
		out = append(out, card.CommandTap(r.Process.ID, command.On("status", r.Process.ID, "", b.Cluster)))
	}
	return append(out, card.WatchTap(incident.Scope{Cluster: b.Cluster, Host: b.Host}))
}

// tally counts the rows by severity, the worst first, such as "2 critical, 1 unknown".
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
	heldWord    = "affected"
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
