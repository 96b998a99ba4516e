package etcdconn

import (
	"fmt"
	"sync"
)

// Trouble is something wrong that lasts until it is over.
type Trouble struct {
	mu  sync.Mutex
	err error
}

// Set replaces the trouble, nil for none, and says whether there is a new one.
func (n *Trouble) Set(err error) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	fresh := err != nil && fmt.Sprint(err) != fmt.Sprint(n.err)
	n.err = err
	return fresh
}

// Get is the trouble, nil for none.
func (n *Trouble) Get() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}
