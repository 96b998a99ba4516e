package sshexec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dhbot/internal/remote"
)

// These are two of the problems for which the pool gives up a connection that has not broken.
var (
	errSilent   = errors.New("the server does not answer")
	errUnclosed = errors.New("the server does not close a session")
)

// Maintain keeps the pool's connections warm until ctx ends. It regularly checks connections, so that
// a dead connection is found before a command needs it. It also closes surplus and old connections.
// At the end, Maintain closes the pool and returns ctx's error.
func (p *Pool) Maintain(ctx context.Context) error {
	defer p.Close()
	if len(p.cfg.Renew) > 0 && p.begin() {
		go func() {
			defer p.wg.Done()
			p.renewals()
		}()
	}
	tick := time.NewTicker(p.cfg.KeepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			p.tend(now)
		}
	}
}

// tend checks every connection once. The time of most checks must not depend on the use of the
// connection, because commands may use a connection all the time.
func (p *Pool) tend(now time.Time) {
	var superfluous []*conn
	p.mu.Lock()
	for _, h := range p.hosts {
		for i, c := range h.conns {
			idle := c.active == 0 && now.Sub(c.idleSince) >= p.cfg.KeepAlive
			switch {
			case p.closed || c.inspected:
			case i > 0 && idle && now.Sub(c.idleSince) >= idleKeep, outdated(c, now):
				superfluous = append(superfluous, c)
			default:
				// A connection to a jump host is also pinged while it is in use, because the
				// connections that it carries end with it.
				ping := idle || h.key.jump
				c.inspected = true
				p.wg.Go(func() { p.inspect(c, ping) })
			}
		}
	}
	p.mu.Unlock()
	for _, c := range superfluous {
		p.retire(c, nil)
	}
}

// inspect retires a connection whose host key is no longer trusted, whose host has a new address, or
// that does not answer a ping.
func (p *Pool) inspect(c *conn, ping bool) {
	err := p.stillTrusted(c)
	if err == nil {
		err = p.moved(p.ctx, c)
	}
	if err == nil && ping {
		err = p.ping(p.ctx, c)
	}
	if err != nil && p.ctx.Err() == nil {
		p.retire(c, err)
	}
	p.mu.Lock()
	c.inspected = false
	p.mu.Unlock()
}

// ping checks that the other side answers. A server refuses the request, but that is also an
// answer.
func (p *Pool) ping(ctx context.Context, c *conn) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.cfg.HandshakeTimeout, errSilent)
	defer cancel()
	answered := make(chan error, 1)
	p.wg.Go(func() {
		_, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil)
		answered <- err
	})
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Dial checks that the host of a command can be reached and accepts the login, without sending
// the command. The outcome is Answered, or the failure that the command would have.
func (p *Pool) Dial(ctx context.Context, c remote.Command) remote.Result {
	r := remote.Result{Started: time.Now()}
	if err := p.dialCheck(ctx, keyOf(c)); err != nil {
		r.Outcome, r.Detail = err.outcome, fmt.Sprintf("%s: %s", c.Host, err.text)
	} else {
		r.Outcome = remote.Answered
	}
	r.Ended = time.Now()
	return r
}

// dialCheck pings a host. If the pooled connection is dead, it opens a new connection.
func (p *Pool) dialCheck(ctx context.Context, k key) *failure {
	if !p.begin() {
		return errClosed
	}
	defer p.wg.Done()
	wait, cancel := context.WithTimeout(ctx, slotWait)
	defer cancel()
	var err error
	for range maxOpens {
		var c *conn
		if c, err = p.acquire(wait, k); err != nil {
			return waitFailure(ctx, k, err)
		}
		err = p.ping(wait, c)
		if err != nil {
			p.retire(c, err)
		}
		p.release(c)
		if err == nil {
			return nil
		}
	}
	return &failure{outcome: remote.Unreachable, text: fmt.Sprintf("%s accepts the login, but then does not answer: %v", k.address, err)}
}
