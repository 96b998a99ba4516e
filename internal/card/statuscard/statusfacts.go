package statuscard

import (
	"dhbot/internal/card"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// factsOfStatus returns the facts of a board.
func factsOfStatus(b status.Board) *card.Facts {
	f := &card.StatusFacts{Cluster: b.Cluster, Host: b.Host, Severity: b.Worst(), AsOf: b.AsOf(), Findings: []card.FindingFacts{}}
	for _, r := range b.Rows {
		f.Findings = append(f.Findings, factsOfRow(r))
	}
	for _, h := range b.Hosts {
		f.Findings = append(f.Findings, card.FindingFacts{
			Host: h.Host, Code: h.Code, Severity: h.Severity, Headline: h.Headline, Text: h.Text, At: b.At,
		})
	}
	return &card.Facts{Status: f}
}

func factsOfRow(r status.Row) card.FindingFacts {
	f := card.FindingFacts{
		Host:     r.Host,
		Process:  r.Process.ID,
		Severity: r.Severity(),
		Pending:  r.Pending,
		Code:     r.Finding.Code,
		Headline: r.Finding.Headline,
		Text:     r.Finding.Text,
		Run:      r.InWork,
		At:       r.Observation.At,
	}
	if f.Severity == runbooks.Unknown {
		worst := r.WorstCase()
		f.WorstCase = &worst
	}
	if r.Maintenance != nil {
		f.Maintenance = r.Maintenance.Until
	}
	for _, c := range r.Causes {
		f.Causes = append(f.Causes, c.Process)
	}
	return f
}
