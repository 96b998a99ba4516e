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

// Pool runs commands over warm connections, which it dials as needed and shares by login and
// address. It implements remote.Runner and is safe for concurrent use. Maintain keeps its
// connections warm; Close ends them.
type Pool struct {
	cfg    Config
	login  credentials
	known  *hostkey.Known
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	lookup func(ctx context.Context, host string) ([]string, error)
	// acknowledge requests quick acknowledgements on a connection.
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

// begin registers a call, unless the pool is closed.
func (p *Pool) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Add(1)
	return true
}

// Close ends every connection and every command in progress. It returns when no goroutine of the
// pool is left. Close may be called twice.
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

// hangUp ends a connection in the background: closing a connection through a jump host sends a
// message, and the caller may hold the mutex.
func (p *Pool) hangUp(c *conn) {
	p.wg.Go(func() { c.client.Close() })
}

// acquire takes a session on a connection with a free session. If there is none, it dials a new
// connection, or waits until a session becomes free. release gives the session back. The error is a
// *failure or ctx's error.
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

// host returns the state of k. The caller holds the mutex.
func (p *Pool) host(k key) *host {
	h := p.hosts[k]
	if h == nil {
		h = &host{key: k, changed: make(chan struct{})}
		p.hosts[k] = h
	}
	return h
}

// connected reports whether a host has a connection to wait for.
func (p *Pool) connected(k key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.host(k).conns) > 0
}

// startDial dials a host once for all waiting callers. The caller holds the mutex, and the pool is
// open.
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

// adopt adds a new connection and waits for its end. The caller holds the mutex. If the pool was
// closed during the dial, adopt ends the connection.
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

// release gives back a session of c, which may be nil. A retired connection ends with its last
// session.
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

// retire gives a connection no new sessions and closes it after its last session ends. It closes a
// jump host's connection at once, with the connections that it carries. problem is nil if the
// connection is only surplus.
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

// crowded records that the server refused one more session on a connection, and gives the session
// back. It reports whether the server allows any session.
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

// waitFailure explains why a command got no connection.
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
