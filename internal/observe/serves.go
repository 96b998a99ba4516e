package observe

import (
	"strings"
)

// Out reports whether the process was observed not to serve: it does not run, is not monitored, is
// starting or stopping, or does not answer on its port. An unknown state is not out.
func (o Observation) Out() bool {
	switch o.State {
	case Starting, Stopping, Recovering, Down, Failed, NotMonitored, Missing:
		return true
	case Trouble:
		return o.PortSilent()
	case Unseen, Up:
		return false
	default:
		return false
	}
}

// PortSilent reports whether the supervisor's connection check fails.
func (o Observation) PortSilent() bool {
	return o.State == Trouble && strings.Contains(strings.ToLower(o.Status), "connection failed")
}
