package etcdconn

import (
	"fmt"
	"sync"
)

// Trouble is the current problem of an operation, if any.
type Trouble struct {
	mu  sync.Mutex
	err error
}

// Set replaces the problem (nil for none), and reports whether err is a new
// problem.
func (n *Trouble) Set(err error) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	fresh := err != nil && fmt.Sprint(err) != fmt.Sprint(n.err)
	n.err = err
	return fresh
}

// Get returns the problem, nil for none.
func (n *Trouble) Get() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}
