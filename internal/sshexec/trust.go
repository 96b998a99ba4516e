package sshexec

import (
	"context"
	"net"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/sshexec/hostkey"
	"dhbot/internal/sshroute"
)

// check calls hostkey.Known.Check. It converts the error, and the errors of the callback, to
// *failure.
func (p *Pool) check(address string, o sshroute.Options) (algorithms []string, judge ssh.HostKeyCallback, err error) {
	algorithms, known, err := p.known.Check(address, o)
	if err != nil {
		return nil, nil, &failure{outcome: remote.HostKeyWrong, text: err.Error()}
	}
	judge = func(name string, from net.Addr, shown ssh.PublicKey) error {
		if err := known(name, from, shown); err != nil {
			return &failure{outcome: remote.HostKeyWrong, text: err.Error()}
		}
		return nil
	}
	return algorithms, judge, nil
}

// HostKeys asks a command's host for its keys, through the jump hosts, and compares them with
// known_hosts. It logs in only to the jump hosts, and makes no key trusted.
func (p *Pool) HostKeys(ctx context.Context, c remote.Command) (hostkey.Report, error) {
	if !p.begin() {
		return hostkey.Report{}, errClosed
	}
	defer p.wg.Done()
	k := keyOf(c)
	var jumps []*conn
	defer func() {
		for _, via := range jumps {
			p.release(via)
		}
	}()
	return p.known.Look(k.address, p.cfg.Options[k.place()], p.cfg.HandshakeTimeout, func() (net.Conn, error) {
		raw, via, err := p.reach(ctx, k)
		if err == nil && via != nil {
			jumps = append(jumps, via)
		}
		return raw, err
	})
}

// stillTrusted checks a connection's host key again if known_hosts has changed. It also checks the
// jump hosts that carry the connection. The caller must not use the connection after an error.
func (p *Pool) stillTrusted(c *conn) error {
	if c.via != nil {
		if err := p.stillTrusted(c.via); err != nil {
			p.retire(c.via, err)
			return err
		}
	}
	p.mu.Lock()
	version := c.version
	p.mu.Unlock()
	now, newer := p.known.IsNewer(version)
	shown := c.wire.shown.Load()
	if !newer || shown == nil {
		return nil
	}
	address := c.host.key.address
	_, judge, err := p.check(address, p.cfg.Options[c.host.key.place()])
	if err != nil {
		return err
	}
	if err := judge(address, c.client.RemoteAddr(), *shown); err != nil {
		return err
	}
	p.mu.Lock()
	c.version = now
	p.mu.Unlock()
	return nil
}
