package status

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/observe"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// summary is the answer of a host to `monit summary`.
type summary struct {
	host   string
	result remote.Result
}

// summarySteps returns the reads of monit's summary on the queried hosts, if the query requests
// summaries.
func (l *look) summarySteps() []runbooks.Step {
	if !l.query.Summaries {
		return nil
	}
	steps, err := l.plan(plannedRead{cluster: l.scope.cluster.Name, action: "verify"})
	if err != nil {
		return nil // status works without summaries: it also queries each process
	}
	var out []runbooks.Step
	for _, st := range steps {
		asked := slices.ContainsFunc(l.scope.rows, func(t runbooks.Target) bool { return t.Host == st.Host })
		if st.Until == runbooks.AllUp && asked {
			out = append(out, st)
		}
	}
	return out
}

// unlisted returns findings about services that are not in the config, and that are not up
// according to a host's monit. About services in the config, a check has more data than the
// summary.
func (l *look) unlisted() []HostFinding {
	var out []HostFinding
	for _, sum := range l.board.summaries {
		var not []string
		for _, row := range observe.ParseSummary(sum.result.Stdout.String()) {
			if row.Type == "Process" && row.State != observe.Up && !l.configured(sum.host, row.Name) {
				not = append(not, row.Name+" ("+row.Status+")")
			}
		}
		if len(not) > 0 {
			slices.Sort(not)
			out = append(out, HostFinding{
				Host:     sum.host,
				Code:     observe.FoundUnlisted,
				Severity: runbooks.Low,
				Headline: fmt.Sprintf("monit reports %d not up, not listed in the config", len(not)),
				Text:     redact.Line(strings.Join(not, ", "), seenRunes),
			})
		}
	}
	slices.SortFunc(out, func(a, b HostFinding) int { return strings.Compare(a.Host, b.Host) })
	return out
}

// configured reports whether a service of monit belongs to a process that the config has on a host.
func (l *look) configured(host, service string) bool {
	h, ok := l.scope.cluster.Host(host)
	return ok && slices.ContainsFunc(h.Processes, func(id string) bool {
		p, known := l.scope.catalog.Process(id)
		return known && p.Service == service
	})
}
