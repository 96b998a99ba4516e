package runbooks

import (
	"fmt"
	"slices"
)

// Continuation says which unfinished run a plan continues, and from which step.
type Continuation struct {
	Run    string `json:"run"`
	From   int    `json:"from"`   // the first step of that run's plan to execute, from 1
	Digest string `json:"digest"` // the digest of that run's plan
}

// ContinueError is the reason why a run cannot be continued.
type ContinueError struct{ Run, Why string }

func (e *ContinueError) Error() string {
	return fmt.Sprintf("%s cannot be continued: %s; request the action again", e.Run, e.Why)
}

// Continued returns the rest of a plan, from step c.From. Of the steps before, it keeps only the
// reads, except reads of something that one of these steps changed.
func (p Plan) Continued(c Continuation) (Plan, error) {
	switch {
	case len(p.Discover) > 0:
		return p, &ContinueError{c.Run, "the results of its discovery reads are not stored"}
	case p.Digest != c.Digest:
		return p, &ContinueError{c.Run, "the catalog or the config has changed since then, so its plan would now be different"}
	case c.From < 1 || c.From > len(p.Steps):
		return p, &ContinueError{c.Run, fmt.Sprintf("its plan has no step %d", c.From)}
	}
	rest := p
	rest.Steps = nil
	for i, s := range p.Steps {
		if i >= c.From-1 || s.Kind == Wait && !p.changedBefore(i, c.From-1) {
			rest.Steps = append(rest.Steps, s)
		}
	}
	if !slices.ContainsFunc(rest.Steps, func(s Step) bool { return s.Kind != Wait }) {
		return p, &ContinueError{c.Run, "its remaining steps change nothing"}
	}
	rest.Targets = slices.DeleteFunc(slices.Clone(p.Targets), func(t Target) bool {
		return !slices.ContainsFunc(p.Steps[c.From-1:], func(s Step) bool {
			return s.Kind != Wait && (s.aboutHost() == t.Host || s.Host == t.Host) && (t.Process == "" || s.Process == t.Process)
		})
	})
	if len(rest.Targets) == 0 {
		rest.Targets = p.Targets
	}
	rest.Title = fmt.Sprintf("%s, continued from step %d of %s", p.Title, c.From, c.Run)
	rest.Digest = rest.ComputeDigest()
	return rest, nil
}

// changedBefore reports whether one of the first n steps changes the subject of step i.
func (p Plan) changedBefore(i, n int) bool {
	for j := range n {
		if p.Steps[j].Kind != Wait && p.Covers(j, i) {
			return true
		}
	}
	return false
}
