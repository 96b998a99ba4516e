package sshexec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dhbot/internal/remote"
)

// What is wrong with a connection that has not broken.
var (
	errSilent   = errors.New("the server does not answer")
	errUnclosed = errors.New("the server does not let go of a session")
)

// Maintain keeps the pool's connections warm until ctx ends: an idle one is
// asked from time to time whether it still lives, so that a dead one is
// replaced before a command needs it, and superfluous ones are closed. It then
// closes the pool and returns ctx's error.
func (p *Pool) Maintain(ctx context.Context) error {
	defer p.Close()
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

// tend looks once at every idle connection. A jump host's connection is
// looked at also while it carries others: they cannot outlive it.
func (p *Pool) tend(now time.Time) {
	var superfluous []*conn
	p.mu.Lock()
	for _, h := range p.hosts {
		for i, c := range h.conns {
			idle := c.active == 0 && now.Sub(c.idleSince) >= p.cfg.KeepAlive
			switch {
			case p.closed || c.pinging || !idle && !h.key.jump:
			case i > 0 && idle && now.Sub(c.idleSince) >= idleKeep:
				superfluous = append(superfluous, c)
			default:
				c.pinging = true
				p.wg.Go(func() { p.keepAlive(c) })
			}
		}
	}
	p.mu.Unlock()
	for _, c := range superfluous {
		p.retire(c, nil)
	}
}

// keepAlive retires a connection that does not answer.
func (p *Pool) keepAlive(c *conn) {
	if err := p.ping(p.ctx, c); err != nil && p.ctx.Err() == nil {
		p.retire(c, err)
	}
	p.mu.Lock()
	c.pinging = false
	p.mu.Unlock()
}

// ping asks a connection's other side for any answer at all; servers refuse
// the request, and that will do.
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

// Dial checks that a host can be reached and that it lets the login in, and
// sends no command. host is the fleet's name, for messages; address is
// host:port. The outcome is Answered, or what a command would have come to.
func (p *Pool) Dial(ctx context.Context, host, address, login string) remote.Result {
	r := remote.Result{Started: time.Now()}
	if err := p.dialCheck(ctx, key{login: login, address: address}); err != nil {
		r.Outcome, r.Detail = err.outcome, fmt.Sprintf("%s: %s", host, err.text)
	} else {
		r.Outcome = remote.Answered
	}
	r.Ended = time.Now()
	return r
}

// dialCheck pings a host, over a new connection where the pooled one is dead.
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
	return &failure{remote.Unreachable, fmt.Sprintf("%s lets us in and then does not answer: %v", k.address, err)}
}
