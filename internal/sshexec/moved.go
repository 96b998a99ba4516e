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
	// renewBehind is how long a connection to a name behind a jump host is used. The
	// jump host looks the name up, and says nothing of where it leads.
	renewBehind = 10 * time.Minute
)

// outdated says that a connection to a name behind a jump host is so old that the
// name may lead elsewhere by now. Those that carry others stay.
func outdated(c *conn, now time.Time) bool {
	k := c.host.key
	name, _, err := net.SplitHostPort(k.address)
	return err == nil && c.via != nil && !k.jump && net.ParseIP(name) == nil && now.Sub(c.made) >= renewBehind
}

// moved returns an error where a host's name leads to another address by now:
// its connection may lead to a machine that is no longer the one of that name.
// A host behind a jump host is looked up there, see outdated.
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
		return nil // a name that does not resolve now proves nothing
	}
	return fmt.Errorf("%s has moved from %s to %s", name, at, addresses[0])
}

// lookUpNow says that a connection's name is due, and notes it.
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
