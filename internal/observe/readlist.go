package observe

import (
	"fmt"

	"dhbot/internal/observe/complaint"
	"dhbot/internal/remote"
	"dhbot/runbooks"
	"dhbot/runbooks/planner"
)

// ReadList returns the lines of a discovery read in the form of runbooks.Inputs.Listed. The error
// says why there are no lines.
func ReadList(step runbooks.Step, r remote.Result) ([]string, error) {
	where := step.Title
	if where == "" {
		where = "the list"
	}
	switch {
	case r.Outcome != remote.Answered:
		return nil, fmt.Errorf("%s on %s: %s", where, step.Host, complaint.NotAnswered(r))
	case r.Signal != "" || r.Exit != 0:
		return nil, fmt.Errorf("%s on %s failed with exit code %d: %s", where, step.Host, r.Exit, complaint.Of(r))
	case r.Stdout.Truncated():
		return nil, fmt.Errorf("%s on %s is too long: %d bytes", where, step.Host, r.Stdout.Total)
	default:
		return planner.ListLines(r.Stdout.String()), nil
	}
}
