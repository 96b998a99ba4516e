package observe

import (
	"fmt"
	"strings"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// ObserveListed returns the observation of one service from `monit status` without a name, which
// lists every service. If a complete answer lacks the service, monit does not know the service.
// An answer is complete if it was not cut and ends with the block of the host itself.
func ObserveListed(service string, r remote.Result) Observation {
	o := Observe(runbooks.Monit, service, r)
	if o.Known() || r.Outcome != remote.Answered || r.Exit != 0 {
		return o
	}
	named, complete := false, false
	for line := range strings.Lines(redact.Clean(r.Stdout.String())) {
		head := monitHead.FindStringSubmatch(strings.TrimRight(line, "\n "))
		if head == nil {
			continue
		}
		named = named || head[1] == "Process" && head[2] == service
		complete = complete || head[1] == "System"
	}
	switch {
	case named:
	case r.Stdout.Truncated() || !complete:
		o.Why = "monit's answer for all services is not complete" // one reason for all of them
	default:
		o.State, o.Why = Missing, ""
		o.Status = fmt.Sprintf("monit's answer for all services names no process %s", service)
		o.Line = o.Status
	}
	return o
}
