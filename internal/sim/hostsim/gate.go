package hostsim

import (
	"net"
	"sync"
)

// gate stops a host's traffic while the host is frozen. The kernel still
// accepts connections and bytes, but the host reads and answers nothing until
// the gate opens. Then it processes what has arrived.
type gate struct {
	mu   sync.Mutex
	held chan struct{} // nil while the gate is open; closed when a shut gate opens
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held == nil {
		g.held = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held != nil {
		close(g.held)
		g.held = nil
	}
}

// pass returns when the gate is open or done is closed.
func (g *gate) pass(done <-chan struct{}) {
	g.mu.Lock()
	held := g.held
	g.mu.Unlock()
	if held == nil {
		return
	}
	select {
	case <-held:
	case <-done:
	}
}

// gatedConn is a connection that waits while its host is frozen.
type gatedConn struct {
	net.Conn
	gate  *gate
	once  sync.Once
	ended chan struct{}
}

func newGatedConn(c net.Conn, g *gate) *gatedConn {
	return &gatedConn{Conn: c, gate: g, ended: make(chan struct{})}
}

func (c *gatedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.gate.pass(c.ended)
	return n, err
}

func (c *gatedConn) Write(b []byte) (int, error) {
	c.gate.pass(c.ended)
	return c.Conn.Write(b)
}

func (c *gatedConn) Close() error {
	c.once.Do(func() { close(c.ended) })
	return c.Conn.Close()
}
