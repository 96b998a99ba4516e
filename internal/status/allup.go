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

// verdictRunes limits the text of a verdict, in characters.
const verdictRunes = 300

// AllUp determines whether all processes of a host are in their expected state. It is the check at
// the end of a sequence. A running process with a Sev 3 finding is noted, but does not fail the
// check. It may have errors, or wait for a process on another host that a later step starts.
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
