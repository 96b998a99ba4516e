package etcdstore

// crew runs functions, each on a goroutine of its own while it runs. A goroutine
// that is done takes the next function: a call of an embedded server goes deep,
// and to grow a fresh stack for each costs a good part of the call (measured).
type crew struct {
	next chan func()
	over chan struct{}
}

func newCrew() *crew { return &crew{next: make(chan func()), over: make(chan struct{})} }

// run never waits: where nobody is idle somebody new is taken on.
func (c *crew) run(f func()) {
	select {
	case c.next <- f:
	default:
		go c.work(f)
	}
}

func (c *crew) work(f func()) {
	for {
		f()
		select {
		case f = <-c.next:
		case <-c.over:
			return
		}
	}
}

// dismiss ends those who are idle, and the others when they are done.
func (c *crew) dismiss() { close(c.over) }
