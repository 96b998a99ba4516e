package sshexec

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// connect makes a new connection, through the jump host where there is one.
// Its error is a *failure.
func (p *Pool) connect(ctx context.Context, k key) (*conn, error) {
	raw, via, err := p.reach(ctx, k)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: raw}
	client, err := p.handshake(ctx, k, w)
	if err != nil {
		p.release(via)
		return nil, err
	}
	w.settled.Store(true)
	limit := p.cfg.Sessions
	if k.jump {
		limit = jumpLimit
	}
	return &conn{client: client, wire: w, via: via, ended: make(chan struct{}), limit: limit, idleSince: time.Now()}, nil
}

// reach opens the transport. via is the connection to the jump host that it
// uses, which is to be released when the transport is no more.
func (p *Pool) reach(ctx context.Context, k key) (raw net.Conn, via *conn, err error) {
	if !k.jump && p.jump != (key{}) {
		return p.reachThrough(ctx, k)
	}
	raw, err = p.dial(ctx, "tcp", k.address)
	if err != nil {
		return nil, nil, dialFailure(k.address, p.cfg.DialTimeout, err)
	}
	return raw, nil, nil
}

// reachThrough asks the jump host for a transport. A dead connection to the
// jump host is replaced.
func (p *Pool) reachThrough(ctx context.Context, k key) (raw net.Conn, via *conn, err error) {
	for range maxOpens {
		if via, err = p.acquire(ctx, p.jump); err != nil {
			return nil, nil, err
		}
		limited, cancel := context.WithTimeout(ctx, p.cfg.DialTimeout)
		raw, err = via.client.DialContext(limited, "tcp", k.address)
		cancel()
		if err == nil {
			return raw, via, nil
		}
		alive := errors.As(err, new(*ssh.OpenChannelError)) || errors.Is(err, context.DeadlineExceeded)
		if !alive {
			p.retire(via, err)
		}
		p.release(via)
		if alive {
			break
		}
	}
	return nil, nil, dialFailure(k.address, p.cfg.DialTimeout, err)
}

// handshake exchanges keys and logs in. The transport's own deadlines are not
// enough: one through a jump host has none, and does not always return from a
// read when it is closed.
func (p *Pool) handshake(ctx context.Context, k key, w *wire) (*ssh.Client, error) {
	algorithms, judge, err := p.known.check(k.address)
	if err != nil {
		w.Close()
		return nil, err
	}
	var verified atomic.Bool
	config := &ssh.ClientConfig{
		User:              k.login,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(p.signers...)},
		HostKeyAlgorithms: algorithms,
		ClientVersion:     "SSH-2.0-dhbot",
		HostKeyCallback: func(name string, from net.Addr, shown ssh.PublicKey) error {
			err := judge(name, from, shown)
			verified.Store(err == nil)
			return err
		},
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.HandshakeTimeout)
	defer cancel()
	type answer struct {
		client *ssh.Client
		err    error
	}
	answered := make(chan answer, 1)
	p.wg.Go(func() {
		c, channels, requests, err := ssh.NewClientConn(w, k.address, config)
		if err != nil {
			answered <- answer{nil, err}
			return
		}
		answered <- answer{ssh.NewClient(c, channels, requests), nil}
	})
	select {
	case a := <-answered:
		err = a.err
		if err == nil {
			return a.client, nil
		}
	case <-ctx.Done():
		err = ctx.Err()
	}
	w.Close() // also ends a handshake that succeeds too late
	return nil, handshakeFailure(k, config, p.cfg.HandshakeTimeout, verified.Load(), err)
}
