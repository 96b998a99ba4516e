package status

import (
	"context"
	"fmt"
	"strings"

	"dhbot/internal/incident"
	"dhbot/internal/observe/proof"
	"dhbot/internal/redact"
	"dhbot/runbooks"
)

// verdictRunes limits the list of processes that are not up.
const verdictRunes = 300

// AllUp evaluates whether all processes of a host that should be up are up; this check ends a
// sequence. A running process with a Sev 3 finding is only noted and does not block the end: it has
// errors, or it waits for a process on another host that a later step starts.
func (a *Assessor) AllUp(ctx context.Context, cluster, host string) proof.Verdict {
	b, err := a.Assess(ctx, Query{Scope: incident.Scope{Cluster: cluster, Host: host}})
	if err != nil {
		return proof.Verdict{State: proof.Unknown, Text: redact.Line("unknown: "+err.Error(), verdictRunes)}
	}
	var not, noted []string
	for _, r := range b.Rows {
		text := r.Process.ID + " (" + r.Finding.Headline + ")"
		if r.Pending {
			text = r.Process.ID + " (no answer)"
		}
		switch r.Severity() {
		case runbooks.None:
		case runbooks.Low:
			noted = append(noted, text)
		default:
			not = append(not, text)
		}
	}
	switch all := len(b.Rows); {
	case len(not) > 0:
		return proof.Verdict{
			State: proof.NotYet,
			Text:  redact.Line(fmt.Sprintf("%d of %d not as expected: %s", len(not), all, strings.Join(not, ", ")), verdictRunes),
		}
	case len(noted) > 0:
		return proof.Verdict{
			State: proof.Noted,
			Text: redact.Line(
				fmt.Sprintf("all %d up, of which %d with trouble: %s", all, len(noted), strings.Join(noted, ", ")), verdictRunes,
			),
		}
	default:
		return proof.Verdict{State: proof.Met, Text: fmt.Sprintf("all %d as expected", all)}
	}
}
