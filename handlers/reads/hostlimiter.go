package reads

// hostLimiter limits the concurrent commands on each host. Only one goroutine may call the method
// semaphore, but any goroutine may use the returned semaphores.
type hostLimiter struct {
	atOnce int
	hosts  map[string]chan struct{}
}

func newHostLimiter(atOnce int) *hostLimiter {
	return &hostLimiter{atOnce: atOnce, hosts: map[string]chan struct{}{}}
}

// semaphore returns the semaphore of a host: send to acquire it, receive to release it.
func (t *hostLimiter) semaphore(host string) chan struct{} {
	turn, ok := t.hosts[host]
	if !ok {
		turn = make(chan struct{}, t.atOnce)
		t.hosts[host] = turn
	}
	return turn
}
