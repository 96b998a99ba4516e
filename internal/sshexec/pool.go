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
)

// slotWait is how long a command waits for a connection with room, dialling
// included, before it is given up unsent.
const slotWait = 30 * time.Second

// Pool runs commands over warm connections, which it dials as needed and
// shares by login and address. It implements remote.Runner and is safe for
// concurrent use. Maintain keeps its connections warm; Close ends them.
type Pool struct {
	cfg    Config
	login  credentials
	known  *knownHosts
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	lookup func(ctx context.Context, host string) ([]string, error)
	// acknowledge asks the system for quick acknowledgements on a connection.
	acknowledge func(net.Conn)
	// handshakes bounds how many hosts are logged in to at a time.
	handshakes *semaphore.Weighted

	ctx  context.Context // bounds shared dials; ends when the pool is closed
	stop context.CancelFunc
	wg   sync.WaitGroup // every goroutine of the pool and every call in progress

	mu       sync.Mutex
	hosts    map[key]*host
	closed   bool
	stats    Stats
	renewErr error // why the last renewal of certificates failed
}

var _ remote.Runner = (*Pool)(nil)

// Stats is what a pool has and has done since it was made.
type Stats struct {
	Connections int   // open now and taking commands
	Sessions    int   // commands under way now
	Dials       int64 // connections attempted
	Failed      int64 // of these, that did not come about
	Commands    int64 // commands sent
	Lost        int64 // connections that ended by themselves or served no more
}

func newPool(c Config, login credentials, known *knownHosts) *Pool {
	ctx, stop := context.WithCancel(context.Background())
	dialer := net.Dialer{Timeout: c.DialTimeout}
	return &Pool{
		cfg: c, login: login, known: known,
		dial: dialer.DialContext, lookup: net.DefaultResolver.LookupHost, acknowledge: acknowledgeQuickly,
		handshakes: newSlots(c.Handshakes),
		ctx:        ctx, stop: stop, hosts: make(map[key]*host),
	}
}

// Stats returns the pool's counters at this moment.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	for _, h := range p.hosts {
		s.Connections += len(h.conns)
	}
	return s
}

// begin counts a call in, unless the pool is closed.
func (p *Pool) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Add(1)
	return true
}

// Close ends every connection, and with it every command under way, and
// returns when no goroutine of the pool is left. Closing twice is allowed.
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

// hangUp ends a connection. It does not wait, and so may be called under the
// mutex: closing one that goes through a jump host means to send something.
func (p *Pool) hangUp(c *conn) {
	p.wg.Go(func() { c.client.Close() })
}

// acquire takes a place on a connection: on one that has room, else on a new
// one, else on the first that gets room. release gives it back. Its error is
// a *failure, or ctx's.
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
			mayDial = false // the connections that there are will have to do
		}
	}
}

// host returns what the pool has of k. The caller holds the mutex.
func (p *Pool) host(k key) *host {
	h := p.hosts[k]
	if h == nil {
		h = &host{key: k, changed: make(chan struct{})}
		p.hosts[k] = h
	}
	return h
}

// connected says whether a host has a connection to wait for.
func (p *Pool) connected(k key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.host(k).conns) > 0
}

// startDial dials a host, once for all who wait. The caller holds the mutex,
// and the pool is not closed.
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

// adopt puts a new connection into use and watches for its end. The caller
// holds the mutex. A pool that was closed meanwhile ends it at once.
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

// release gives back a place on a connection; the last one on a retired
// connection ends it. A nil connection is none.
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

// retire lets a connection take no new sessions; it ends with its last one. A
// jump host's connection ends at once, and those it carries with it. why is
// what is wrong with it; nil, that it is merely superfluous.
func (p *Pool) retire(c *conn, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.retired {
		c.retired = true
		c.host.remove(c)
		if why != nil {
			p.stats.Lost++
			p.cfg.Log.Warn("ssh: connection given up", "address", c.host.key.address, "login", c.host.key.login, "error", why)
		}
	}
	if c.active == 0 || c.host.key.jump {
		p.hangUp(c)
	}
}

// crowded notes that the server refused one more session on a connection, and
// gives the place back. It says whether the server allows any at all.
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

// waitFailure says why a command got no connection.
func waitFailure(ctx context.Context, k key, err error) *failure {
	var own *failure
	switch {
	case errors.As(err, &own):
		return own
	case ctx.Err() != nil:
		return &failure{outcome: remote.NoOutcome, text: "the request was given up"}
	default:
		return &failure{outcome: remote.Unreachable, text: fmt.Sprintf(
			"no session on %s became free within %v: too many commands are under way there", k.address, slotWait)}
	}
}

// newSlots bounds how much happens at a time.
func newSlots(n int) *semaphore.Weighted { return semaphore.NewWeighted(int64(n)) }
