package runbooks

import "time"

// An approval ends: what was right when it was given may be wrong hours later.
const (
	minValidity    = 30 * time.Minute
	maxValidity    = 8 * time.Hour
	manualValidity = 30 * time.Minute // what a step by hand may take
)

// Validity is how long an approval of the plan holds: the time that its steps
// may take in all, within bounds.
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

// TakesDown says that step i stops something, be it to start it again: what the
// steps after it wait for tells.
func (p Plan) TakesDown(i int) bool {
	switch p.outcome(i) {
	case Stopped, Gone, AllIdle, Restarted:
		return true
	default:
		return false
	}
}

// Restarts says that step i brings back itself what it stops.
func (p Plan) Restarts(i int) bool { return p.outcome(i) == Restarted }

// outcome is what the first telling wait step after step i, about the same
// target and before its next change, waits for; "" where none tells.
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
		default: // it proves something else: look on
		}
	}
	return ""
}

// Covers says that steps i and j are about the same target, or that one is about
// the host of the other.
func (p Plan) Covers(i, j int) bool {
	a, b := p.Steps[i], p.Steps[j]
	return a.aboutHost() == b.aboutHost() && (a.Process == "" || b.Process == "" || a.Process == b.Process)
}

// Subject is what a step is about: steps of one subject tell of each other.
func (s Step) Subject() Target { return Target{Process: s.Process, Host: s.aboutHost()} }

// aboutHost is the host that a step is about, which need not be the one that it
// runs on.
func (s Step) aboutHost() string {
	if s.About != "" {
		return s.About
	}
	return s.Host
}
