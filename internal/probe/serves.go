package probe

// Out says that the process was seen not to serve: it does not run, is not
// watched, is on its way up or down, or does not answer on its port. What
// could not be observed is not out: nobody knows.
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
