package sshexec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"dhbot/internal/remote"
	"dhbot/internal/sshexec/hostkey"
)

// Pool runs commands over warm connections. It dials when needed, and commands with the same login,
// address and jump hosts share connections. Pool implements remote.Runner and is safe for
// concurrent use.
// Maintain keeps the connections warm, and Close ends them.
type Pool struct {
	cfg    Config
	login  credentials
	known  *hostkey.Known
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	lookup func(ctx context.Context, host string) ([]string, error)
	// acknowledge turns on quick TCP acknowledgements for a connection.
	acknowledge func(net.Conn)
	// handshakes limits concurrent logins.
	handshakes *semaphore.Weighted

	ctx  context.Context // limits shared dials; ends when the pool is closed
	stop context.CancelFunc
	wg   sync.WaitGroup // every goroutine of the pool and every call in progress

	mu       sync.Mutex
	hosts    map[key]*host
	closed   bool
	stats    Stats
	renewErr error // why the last renewal of certificates failed
}

var _ remote.Runner = (*Pool)(nil)

// Stats are a pool's counters.
type Stats struct {
	Connections int   // open now and accepting commands
	Sessions    int   // commands in progress
	Dials       int64 // connections attempted
	Failed      int64 // failed attempts
	Commands    int64 // commands sent
	Lost        int64 // connections that ended unexpectedly or became unusable
}

func newPool(c Config, login credentials, known *hostkey.Known) *Pool {
	ctx, stop := context.WithCancel(context.Background())
	dialer := net.Dialer{Timeout: c.DialTimeout}
	return &Pool{
		cfg: c, login: login, known: known,
		dial: dialer.DialContext, lookup: net.DefaultResolver.LookupHost, acknowledge: acknowledgeQuickly,
		handshakes: newSlots(c.Handshakes),
		ctx:        ctx, stop: stop, hosts: make(map[key]*host),
	}
}

// Stats returns the current counters.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	for _, h := range p.hosts {
		s.Connections += len(h.conns)
	}
	return s
}

// begin registers a call, so that Close waits for it. It returns false if the pool is closed.
func (p *Pool) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Add(1)
	return true
}

// Close ends every connection and every running command. It returns when all goroutines of the pool
// have ended. Close may be called again.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.stop()
	var open []*conn
	for _, h := range p.hosts {
		for _, c := range h.conns {
			c.retired = true
			open = append(open, c)
		}
		h.conns = nil
		h.wake()
	}
	p.mu.Unlock()
	for _, c := range open {
		p.hangUp(c)
	}
	p.wg.Wait()
}

// hangUp closes a connection in the background, because the caller may hold the mutex, and closing
// a connection through a jump host sends a message.
func (p *Pool) hangUp(c *conn) {
	p.wg.Go(func() { c.client.Close() })
}

// acquire reserves a session on a connection. If no connection has a free session, acquire dials a
// new connection, or waits until a session becomes free. The caller gives the session back with
// release. The error is a *failure or ctx's error.
func (p *Pool) acquire(ctx context.Context, k key) (*conn, error) {
	mayDial := true
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, errClosed
		}
		h := p.host(k)
		if c := h.free(); c != nil {
			c.active++
			p.mu.Unlock()
			if err := p.stillTrusted(c); err != nil {
				p.retire(c, err)
				p.release(c)
				continue
			}
			return c, nil
		}
		if h.dialing == nil && len(h.conns) < maxConns && (mayDial || len(h.conns) == 0) {
			p.startDial(h)
		}
		d, changed := h.dialing, h.changed
		p.mu.Unlock()

		var dialled chan struct{}
		if d != nil {
			dialled = d.done
		}
		select {
		case <-dialled:
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if err := d.failed(); err != nil {
			if !p.connected(k) {
				return nil, err
			}
			mayDial = false // only existing connections are left
		}
	}
}

// host returns what the pool knows about k. The caller holds the mutex.
func (p *Pool) host(k key) *host {
	h := p.hosts[k]
	if h == nil {
		h = &host{key: k, changed: make(chan struct{})}
		p.hosts[k] = h
	}
	return h
}

// connected reports whether a host has a connection whose sessions a caller can wait for.
func (p *Pool) connected(k key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.host(k).conns) > 0
}

// startDial starts one dial of a host for all callers that wait for it. The caller holds the mutex,
// and the pool is open.
func (p *Pool) startDial(h *host) {
	d := &dial{done: make(chan struct{})}
	h.dialing = d
	p.wg.Go(func() {
		began := time.Now()
		c, err := p.connectPatiently(p.ctx, h.key)
		p.mu.Lock()
		defer p.mu.Unlock()
		h.dialing, d.err = nil, err
		switch {
		case err != nil && p.closed:
			d.err = errClosed
		case err != nil:
			p.stats.Failed++
			p.cfg.Log.Warn("ssh: no connection", "address", h.key.address, "login", h.key.login, "error", err)
		default:
			p.cfg.Log.Info("ssh: connected", "address", h.key.address, "login", h.key.login, "took", time.Since(began))
			p.adopt(h, c)
		}
		close(d.done)
		h.wake()
	})
}

// adopt adds a new connection to the pool, and watches for its end. If the pool was closed during
// the dial, adopt ends the connection. The caller holds the mutex.
func (p *Pool) adopt(h *host, c *conn) {
	c.host = h
	if p.closed {
		c.retired = true
		p.hangUp(c)
	} else {
		h.conns = append(h.conns, c)
	}
	p.wg.Go(func() {
		err := c.client.Wait()
		close(c.ended)
		p.retire(c, err)
		p.release(c.via)
	})
}

// release gives back a session of c. It does nothing if c is nil. A retired connection is closed
// when its last session is given back.
func (p *Pool) release(c *conn) {
	if c == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.active--
	if c.active == 0 {
		c.idleSince = time.Now()
		if c.retired {
			p.hangUp(c)
		}
	}
	c.host.wake()
}

// retire takes a connection out of use. The connection is closed after its last session has ended.
// A connection to a jump host is closed at once, together with the connections that it carries. The
// argument problem is nil if the connection is only surplus.
func (p *Pool) retire(c *conn, problem error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.retired {
		c.retired = true
		c.host.remove(c)
		if problem != nil {
			p.stats.Lost++
			p.cfg.Log.Warn("ssh: connection given up", "address", c.host.key.address, "login", c.host.key.login, "error", problem)
		}
	}
	if c.active == 0 || c.host.key.jump {
		p.hangUp(c)
	}
}

// crowded gives back a session that the server has refused, and lowers the limit of the connection.
// It reports whether the server allows any session.
func (p *Pool) crowded(c *conn, refused error) bool {
	p.mu.Lock()
	c.limit = max(1, min(c.limit, c.active-1))
	some := c.active > 1
	p.mu.Unlock()
	if !some {
		p.retire(c, refused)
	}
	p.release(c)
	return some
}

// waitFailure explains why a command did not get a connection.
func waitFailure(ctx context.Context, k key, err error) *failure {
	var own *failure
	switch {
	case errors.As(err, &own):
		return own
	case ctx.Err() != nil:
		return &failure{outcome: remote.NoOutcome, text: "the request was cancelled"}
	default:
		return &failure{outcome: remote.Unreachable, text: fmt.Sprintf(
			"no session on %s became free within %v: too many commands are running there", k.address, slotWait)}
	}
}

// newSlots returns a semaphore of n.
func newSlots(n int) *semaphore.Weighted { return semaphore.NewWeighted(int64(n)) }
