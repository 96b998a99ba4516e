package statuscard

import (
	"fmt"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// because returns words that name the causes, for the end of a push text or a first line. It
// returns "" if there are none.
func because(b status.Board) string {
	causes := b.Causes()
	if len(causes) == 0 {
		return ""
	}
	return " · because " + status.Because(causes)
}

// upstreamLines names the failed dependencies of one process, or reports that
// all are running.
func upstreamLines(b status.Board) []card.Line {
	if causes := b.Causes(); len(causes) > 0 {
		return []card.Line{{card.B("Because " + status.Because(causes)), card.T(". Check that dependency first.")}}
	}
	var up []string
	for _, r := range b.Upstream {
		if r.Severity() == runbooks.Unknown || r.Finding.Down || r.Observation.Out() {
			return nil // not every dependency is known to be up
		}
		up = append(up, r.Process.ID)
	}
	if len(up) == 0 {
		return nil
	}
	return []card.Line{{card.T("Dependencies running: " + strings.Join(card.Unique(up), ", "))}}
}

// causeTaps returns buttons for the status of the causes.
func causeTaps(b status.Board) []card.Button {
	var out []card.Button
	for _, c := range b.Causes() {
		if len(out) < 2 {
			out = append(out, card.CommandTap(c.Process, command.On("status", c.Process, "", b.Cluster)))
		}
	}
	return out
}

// heldLines lists processes that failed because of a dependency: one line for
// each cause, not for each process.
func heldLines(bad []status.Row, withHost bool) []card.Line {
	var order []string
	held := map[string][]status.Row{}
	for _, r := range bad {
		if len(r.Causes) == 0 {
			continue
		}
		why := status.Because(r.Causes)
		if held[why] == nil {
			order = append(order, why)
		}
		held[why] = append(held[why], r)
	}
	var lines []card.Line
	for _, why := range order {
		lines = append(lines, card.Line{
			card.T(card.SeverityIcon(held[why][0].Severity()) + " "), card.B(fmt.Sprintf("%d affected", len(held[why]))),
			card.T(": " + card.Few(names(held[why], withHost), mostNamed) + ", because " + why),
		})
	}
	return lines
}

// names returns the processes of rows without duplicates, with their hosts if
// withHost is set.
func names(rows []status.Row, withHost bool) []string {
	var order []string
	hosts := map[string][]string{}
	for _, r := range rows {
		if hosts[r.Process.ID] == nil {
			order = append(order, r.Process.ID)
		}
		hosts[r.Process.ID] = append(hosts[r.Process.ID], r.Host)
	}
	for i, id := range order {
		if withHost {
			order[i] = id + " on " + card.FewBy(hosts[id], mostNamed, "+")
		}
	}
	return order
}

// depsCard shows the dependencies of a process in start order, the process
// itself last.
func depsCard(b status.Board) card.Card {
	worst := runbooks.None
	for _, r := range b.Rows {
		if r.Process.ID != b.Needs && r.Severity().Worse(worst) {
			worst = r.Severity()
		}
	}
	if len(b.Absent) > 0 && runbooks.Unknown.Worse(worst) {
		worst = runbooks.Unknown // a process without a host was not observed
	}
	verdict := "all up"
	switch {
	case len(b.Unmet) > 0:
		verdict = status.Because(b.Unmet)
	case worst == runbooks.Unknown:
		verdict = "not all observed"
	case worst != runbooks.None:
		verdict = "all up, but not all as expected"
	}
	c := card.Card{
		Head: card.Line{
			card.T(card.SeverityIcon(worst) + " "),
			card.B("Dependencies of " + b.Needs + " · " + verdict),
			card.T(" · " + b.Cluster),
		},
	}
	var lines []card.Line
	for _, r := range b.Rows {
		lines = append(lines, depLine(r))
	}
	for _, absent := range b.Absent {
		lines = append(
			lines,
			card.Line{card.T(card.SeverityIcon(runbooks.Unknown) + " "), card.B(absent), card.T(" runs on no host that the config names")},
		)
	}
	c.Body = []card.Element{card.Text{Lines: lines}}
	c.Buttons = causeTaps(b)
	c.Foot = evidence(b.Rows)
	return finish(b, c, fmt.Sprintf("dependencies of %s · %s · %s", b.Needs, verdict, b.Cluster))
}

func depLine(r status.Row) card.Line {
	if r.Pending {
		return card.Line{card.T("⏳ "), card.B(r.Process.ID), card.T(" on " + r.Host + " · no answer yet")}
	}
	l := card.Line{card.T(rowIcon(r) + " "), card.B(r.Process.ID), card.T(" on " + r.Host + " · " + r.Finding.Headline)}
	if r.Severity() != runbooks.None {
		l = append(l, card.T(" · "+rowWords(r)))
	}
	if r.InWork != "" {
		l = append(l, card.T(" · open run: "), card.B(r.InWork))
	}
	return l
}
