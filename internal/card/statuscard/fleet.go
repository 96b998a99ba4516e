package statuscard

import (
	"fmt"
	"sort"

	"dhbot/internal/card"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// worstRows sorts rows by severity, the worst first.
func worstRows(rows []status.Row) []status.Row {
	out := append([]status.Row(nil), rows...)
	sort.SliceStable(out, func(i, j int) bool { return rank(out[i]).Worse(rank(out[j])) })
	return out
}

// rank returns a row's severity. A row without an answer comes last.
func rank(r status.Row) runbooks.Severity {
	if r.Pending {
		return runbooks.None
	}
	return r.Severity()
}

// hostsLines returns lines for each host: how many processes are as expected, and which have not
// answered yet. The board of a single host also names the processes that are as expected. Many
// hosts are only counted.
func hostsLines(b status.Board) []card.Line {
	hosts := hostOrder(b.Rows)
	well, waiting := map[string][]string{}, map[string][]string{}
	for _, r := range b.Rows {
		switch {
		case r.Pending:
			waiting[r.Host] = append(waiting[r.Host], r.Process.ID)
		case r.Severity() == runbooks.None && r.Maintenance == nil:
			well[r.Host] = append(well[r.Host], r.Process.ID)
		}
	}
	if len(hosts) > mostHosts {
		return append(allHosts(card.SeverityIcon(runbooks.None), well, wellWord), allHosts("⏳", waiting, waitingWord)...)
	}
	var lines []card.Line
	for _, host := range hosts {
		if up := well[host]; len(up) > 0 {
			l := card.Line{card.T(card.SeverityIcon(runbooks.None) + " "), card.B(host), card.T(fmt.Sprintf(" · %d as expected", len(up)))}
			if b.Host != "" {
				l = append(l, card.T(": "+card.Few(up, onOneBoard)))
			}
			lines = append(lines, l)
		}
		if late := waiting[host]; len(late) > 0 {
			lines = append(lines, card.Line{card.T("⏳ "), card.B(host), card.T(" no answer yet: " + card.Few(late, mostNamed))})
		}
	}
	return lines
}

// allHosts summarizes the same state on many hosts in one line.
func allHosts(icon string, on map[string][]string, words string) []card.Line {
	n := 0
	for _, ids := range on {
		n += len(ids)
	}
	if n == 0 {
		return nil
	}
	return []card.Line{{card.T(icon + " "), card.B(card.Count(len(on), "host")), card.T(fmt.Sprintf(": %d %s", n, words))}}
}
