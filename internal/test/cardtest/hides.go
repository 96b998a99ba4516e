package cardtest

import (
	"fmt"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// Hides returns the problems of a status card: rows of the board that the card hides, or shows as
// less severe than they are. It returns nothing if the card agrees with the board. Hides checks
// severities and codes, not sentences.
func Hides(c card.Card, b status.Board) []string {
	out := hiddenFacts(c, b)
	worst := card.SeverityIcon(b.Worst())
	for what, text := range map[string]string{"the first line": card.PlainLine(c.Head), "the push text": c.Push} {
		if !strings.HasPrefix(text, worst) || b.Worst() != runbooks.None && !strings.Contains(strings.ToLower(text), strings.ToLower(b.Worst().String())) {
			out = append(out, fmt.Sprintf("%s does not begin with %s: %s", what, b.Worst(), text))
		}
	}
	text := card.PlainText(c)
	left := strings.Contains(text, "… and ") || strings.Contains(text, " more")
	green := map[string]int{}
	for _, r := range b.Rows {
		switch {
		case r.Pending, r.Severity() != runbooks.None:
			if !left && !Shows(text, r.Target(), r.Severity(), r.Pending) {
				out = append(out, fmt.Sprintf("%s, %s, is not shown", r.Target(), r.Severity()))
			}
		default:
			green[r.Process.ID]++
		}
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, card.SeverityIcon(runbooks.None)) {
			continue
		}
		for _, r := range b.Rows {
			if green[r.Process.ID] == 0 && strings.Contains(line, r.Process.ID) {
				out = append(out, fmt.Sprintf("%s, %s, is in a green line: %s", r.Target(), r.Severity(), line))
			}
		}
	}
	return out
}

// Shows reports whether a line of a card's text names a target with the icon of its severity, or of
// a worse severity. For a pending target, "no answer yet" is enough.
func Shows(text string, t runbooks.Target, s runbooks.Severity, pending bool) bool {
	first := true
	for line := range strings.Lines(text) {
		about := strings.Contains(line, t.Process) || !first && strings.Contains(line, " "+t.Host+":")
		first = false
		if !about {
			continue
		}
		if pending && strings.Contains(line, "no answer yet") {
			return true
		}
		for _, sign := range []runbooks.Severity{runbooks.Critical, runbooks.Moderate, runbooks.Unknown, runbooks.Low} {
			if strings.HasPrefix(line, card.SeverityIcon(sign)) && !s.Worse(sign) {
				return true
			}
		}
	}
	return false
}

// hiddenFacts returns the differences between a card's data and the board.
func hiddenFacts(c card.Card, b status.Board) (out []string) {
	if c.Facts == nil || c.Facts.Status == nil {
		return []string{"the card has no data"}
	}
	if got := c.Facts.Status.Severity; got != b.Worst() {
		out = append(out, fmt.Sprintf("the data is %s, and the board %s", got, b.Worst()))
	}
	told := map[runbooks.Target]card.FindingFacts{}
	for _, f := range c.Facts.Status.Findings {
		if f.Process != "" {
			told[runbooks.Target{Process: f.Process, Host: f.Host}] = f
		}
	}
	for _, r := range b.Rows {
		f, there := told[r.Target()]
		switch {
		case !there:
			out = append(out, fmt.Sprintf("the data lacks %s", r.Target()))
		case f.Severity != r.Severity() || f.Code != r.Finding.Code || f.Pending != r.Pending,
			f.Severity == runbooks.Unknown && (f.WorstCase == nil || *f.WorstCase != r.WorstCase()):
			out = append(out, fmt.Sprintf("the data has %s as %s, %s, and the board %s, %s", r.Target(), f.Severity, f.Code, r.Severity(), r.Finding.Code))
		}
	}
	return out
}
