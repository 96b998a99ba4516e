package sshexec

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"
)

const (
	// movedEvery is how often the pool looks up the name of a connected host again.
	movedEvery = time.Minute
	// renewBehind is the maximum age of a connection to a named host behind a jump host. The
	// connection is then renewed, because the jump host looks up the name, and does not report the
	// address.
	renewBehind = 10 * time.Minute
)

// outdated reports whether a connection through a jump host is so old that the host's name may have
// another address by now. It is false for the connection to a jump host.
func outdated(c *conn, now time.Time) bool {
	k := c.host.key
	name, _, err := net.SplitHostPort(k.address)
	return err == nil && c.via != nil && !k.jump && net.ParseIP(name) == nil && now.Sub(c.made) >= renewBehind
}

// moved returns an error if a host's name now has another address, because the connection may lead
// to the wrong machine. Hosts behind a jump host are handled by outdated.
func (p *Pool) moved(ctx context.Context, c *conn) error {
	name, _, err := net.SplitHostPort(c.host.key.address)
	if err != nil || c.via != nil || net.ParseIP(name) != nil || !p.lookUpNow(c) {
		return nil
	}
	at, _, err := net.SplitHostPort(c.client.RemoteAddr().String())
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.DialTimeout)
	defer cancel()
	addresses, err := p.lookup(ctx, name)
	if err != nil || len(addresses) == 0 || slices.Contains(addresses, at) {
		return nil // a failed look-up of the name proves nothing
	}
	return fmt.Errorf("%s has moved from %s to %s", name, at, addresses[0])
}

// lookUpNow reports whether it is time to look up the name of a connection's host. If so, it
// records the look-up.
func (p *Pool) lookUpNow(c *conn) bool {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(c.lookedUp) < movedEvery {
		return false
	}
	c.lookedUp = now
	return true
}
