package reads

// hostLimiter lets a few commands at a time onto each host. It is asked for turns by
// one goroutine, and these are taken by any.
type hostLimiter struct {
	atOnce int
	hosts  map[string]chan struct{}
}

func newHostLimiter(atOnce int) *hostLimiter {
	return &hostLimiter{atOnce: atOnce, hosts: map[string]chan struct{}{}}
}

// of is where a host's turns are taken, by sending, and given back.
func (t *hostLimiter) of(host string) chan struct{} {
	turn, ok := t.hosts[host]
	if !ok {
		turn = make(chan struct{}, t.atOnce)
		t.hosts[host] = turn
	}
	return turn
}
