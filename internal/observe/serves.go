package observe

// Out says that the process was seen not to serve: it does not run, is not
// supervised, is starting or stopping, or does not answer on its port. What
// could not be observed is not out.
func (o Observation) Out() bool {
	switch o.State {
	case Starting, Stopping, Recovering, Down, Failed, NotMonitored, Missing:
		return true
	case Trouble:
		return portSilent(o)
	case Unseen, Up:
		return false
	default:
		return false
	}
}
