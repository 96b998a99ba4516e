package reads

// hostLimiter limits the concurrent commands on each host. Only one goroutine may call
// its method of; any goroutine may use a semaphore that of returned.
type hostLimiter struct {
	atOnce int
	hosts  map[string]chan struct{}
}

func newHostLimiter(atOnce int) *hostLimiter {
	return &hostLimiter{atOnce: atOnce, hosts: map[string]chan struct{}{}}
}

// of returns the semaphore of a host: send to acquire, receive to release.
func (t *hostLimiter) of(host string) chan struct{} {
	turn, ok := t.hosts[host]
	if !ok {
		turn = make(chan struct{}, t.atOnce)
		t.hosts[host] = turn
	}
	return turn
}
