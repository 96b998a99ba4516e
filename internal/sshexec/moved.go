package sshexec

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"
)

const (
	// movedEvery is how often the name of a connected host is looked up again.
	movedEvery = time.Minute
	// renewBehind is the largest age of a connection to a host behind a jump host, if the config
	// has the host's name. The jump host looks the name up and does not report the address.
	renewBehind = 10 * time.Minute
)

// outdated reports whether a connection to a name behind a jump host is so old that the name may
// have another address. A connection to a jump host is never outdated.
func outdated(c *conn, now time.Time) bool {
	k := c.host.key
	name, _, err := net.SplitHostPort(k.address)
	return err == nil && c.via != nil && !k.jump && net.ParseIP(name) == nil && now.Sub(c.made) >= renewBehind
}

// moved returns an error if a host's name now has another address, because the connection may lead
// to a machine that no longer has the name. For a host behind a jump host see outdated.
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

// lookUpNow reports whether a connection's name is due for a look-up, and records it.
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
