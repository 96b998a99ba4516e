package runbooks

import "time"

// Limits of the time for which an approval is valid. It is limited because the situation may change
// within hours.
const (
	minValidity    = 30 * time.Minute
	maxValidity    = 8 * time.Hour
	manualValidity = 30 * time.Minute // time allowed for a manual step
)

// Validity returns the time for which an approval of the plan is valid. This is the sum of the time
// limits of its steps, but at least minValidity and at most maxValidity.
func (p Plan) Validity() time.Duration {
	var sum time.Duration
	for _, s := range p.Steps {
		switch s.Kind {
		case Manual:
			sum += manualValidity
		case Wait:
			sum += s.Within.D()
		default:
			sum += s.Timeout.D()
		}
	}
	return min(max(sum, minValidity), maxValidity)
}

// TakesDown reports whether step i stops something, even if only to start it again. It finds this
// out from the waits after the step.
func (p Plan) TakesDown(i int) bool {
	switch p.outcome(i) {
	case Stopped, Gone, AllIdle, Restarted:
		return true
	default:
		return false
	}
}

// Restarts reports whether step i is a restart.
func (p Plan) Restarts(i int) bool { return p.outcome(i) == Restarted }

// outcome returns the condition that shows the effect of step i. It is from the first decisive wait
// for the same target, before the next change of that target. The result is "" if there is none.
func (p Plan) outcome(i int) Condition {
	if !p.Steps[i].Changes() {
		return ""
	}
	for j := i + 1; j < len(p.Steps); j++ {
		s := p.Steps[j]
		if s.aboutHost() != p.Steps[i].aboutHost() || s.Process != p.Steps[i].Process {
			continue
		}
		if s.Changes() {
			return ""
		}
		switch s.Until {
		case Stopped, Gone, AllIdle, Restarted, Running, AllUp, EtcdServes:
			return s.Until
		default: // not decisive: continue
		}
	}
	return ""
}

// Covers reports whether steps i and j are about the same target, or one of the two is about the
// whole host of the other.
func (p Plan) Covers(i, j int) bool {
	a, b := p.Steps[i], p.Steps[j]
	return a.aboutHost() == b.aboutHost() && (a.Process == "" || b.Process == "" || a.Process == b.Process)
}

// Subject returns the process and the host that a step is about. Steps with the same subject affect
// each other.
func (s Step) Subject() Target { return Target{Process: s.Process, Host: s.aboutHost()} }

// aboutHost returns the host that a step is about, which is not always the host that it runs on.
func (s Step) aboutHost() string {
	if s.About != "" {
		return s.About
	}
	return s.Host
}
