package sshexec

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/sethvargo/go-retry"
	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
)

// A host with too many logins (MaxStartups) closes the connection before its version line. Then the
// dial is retried after Config.BusyPause, after twice that time, and so on, each time ± a third.
// With the default pause, the retries take 12 s in all.
const (
	busyRetries = 5
	busyJitter  = 33
)

// connectPatiently opens a new connection, and retries while the host has too many logins. A retry
// is safe, because no command has been sent. The error is a *failure.
func (p *Pool) connectPatiently(ctx context.Context, k key) (c *conn, err error) {
	backoff := retry.WithMaxRetries(busyRetries, retry.WithJitterPercent(busyJitter, retry.NewExponential(p.cfg.BusyPause)))
	err = retry.Do(ctx, backoff, func(ctx context.Context) error {
		p.dialled()
		var err error
		c, err = p.connect(ctx, k)
		p.cfg.Dialled(k.place(), err == nil)
		var own *failure
		if errors.As(err, &own) && own.busy {
			return retry.RetryableError(err)
		}
		return err
	})
	return c, err
}

// dialled counts an attempt to connect.
func (p *Pool) dialled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Dials++
}

// connect opens a new connection, through the jump host if there is one. The error is a *failure.
func (p *Pool) connect(ctx context.Context, k key) (*conn, error) {
	raw, via, err := p.reach(ctx, k)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: raw, acknowledge: p.acknowledge}
	client, err := p.handshake(ctx, k, w)
	if err != nil {
		p.release(via)
		return nil, err
	}
	w.settle()
	limit := p.cfg.Sessions
	if k.jump {
		limit = jumpLimit
	}
	return &conn{client: client, wire: w, via: via, ended: make(chan struct{}), limit: limit, made: time.Now(), idleSince: time.Now()}, nil
}

// reach opens the transport for a connection. The result via is the connection to the jump host, or
// nil. The caller must release via after the transport has ended.
func (p *Pool) reach(ctx context.Context, k key) (raw net.Conn, via *conn, err error) {
	parent, through, err := k.parent()
	if err != nil {
		return nil, nil, &failure{outcome: remote.Unreachable, text: err.Error()}
	}
	if through {
		return p.reachThrough(ctx, k, parent)
	}
	raw, err = p.dial(ctx, "tcp", k.address)
	if err != nil {
		return nil, nil, dialFailure(k.address, p.cfg.DialTimeout, err)
	}
	return raw, nil, nil
}

// reachThrough opens a transport through the jump host. If the connection to the jump host is dead,
// reachThrough replaces it.
func (p *Pool) reachThrough(ctx context.Context, k, jump key) (raw net.Conn, via *conn, err error) {
	for range maxOpens {
		if via, err = p.acquire(ctx, jump); err != nil {
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

// clientConfig returns the config of the SSH client for a place. The argument l records the login.
func (p *Pool) clientConfig(k key, l *login) (*ssh.ClientConfig, error) {
	o := p.cfg.Options[k.place()]
	algorithms, judge, err := p.check(k.address, o)
	if err != nil {
		return nil, err
	}
	config := &ssh.ClientConfig{
		Config: ssh.Config{
			// The library's defaults lack some algorithms that the library also considers safe.
			KeyExchanges: orDefault(o.Algorithms.KeyExchanges, sshroute.KeyExchange),
			Ciphers:      o.Algorithms.Ciphers,
			MACs:         o.Algorithms.MACs,
		},
		User: k.login,
		Auth: []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
			return l.offered(p.login.at(k.place()).Offer(k.login, o.Algorithms.PublicKeys, time.Now(), p.cfg.HandshakeTimeout), k)
		})},
		HostKeyAlgorithms: algorithms,
		ClientVersion:     "SSH-2.0-dhbot",
		HostKeyCallback: func(name string, from net.Addr, shown ssh.PublicKey) error {
			err := judge(name, from, shown)
			l.verified.Store(err == nil)
			l.wire.shown.Store(&shown)
			return err
		},
	}
	l.watch(config)
	return config, nil
}

func orDefault(list []string, kind sshroute.Kind) []string {
	if list == nil {
		return sshroute.Default(kind)
	}
	return list
}

// handshake exchanges keys and logs in. It has a time limit of its own, because a transport through
// a jump host has no deadlines, and a read of such a transport may not return when the transport is
// closed.
//
// Any number of handshakes may wait for a host's version line. The rest of a handshake costs CPU
// time here and on the host, so at most Config.Handshakes run at a time. The wait for a free place
// counts against no time limit.
func (p *Pool) handshake(ctx context.Context, k key, w *wire) (*ssh.Client, error) {
	l := &login{wire: w}
	config, err := p.clientConfig(k, l)
	if err != nil {
		w.Close()
		return nil, err
	}
	type answer struct {
		client *ssh.Client
		err    error
	}
	answered := make(chan answer, 1)
	greeted, admitted := make(chan struct{}), make(chan struct{})
	w.admit = func() error {
		close(greeted)
		if err := p.handshakes.Acquire(ctx, 1); err != nil {
			return err
		}
		close(admitted)
		return nil
	}
	p.wg.Go(func() {
		c, channels, requests, err := ssh.NewClientConn(w, k.address, config)
		l.end()
		select {
		case <-admitted:
			p.handshakes.Release(1)
		default:
		}
		if err != nil {
			answered <- answer{nil, err}
			return
		}
		answered <- answer{ssh.NewClient(c, channels, requests), nil}
	})
	timer := time.NewTimer(p.cfg.HandshakeTimeout)
	defer timer.Stop()
	for waiting, starting := greeted, admitted; ; {
		select {
		case a := <-answered:
			if a.err == nil {
				return a.client, nil
			}
			err = a.err
		case <-waiting:
			waiting = nil
			timer.Stop()
			continue
		case <-starting:
			waiting, starting = nil, nil
			timer.Reset(p.cfg.HandshakeTimeout)
			continue
		case <-timer.C:
			err = context.DeadlineExceeded
		case <-ctx.Done():
			err = ctx.Err()
		}
		w.Close() // also ends a handshake that succeeds too late
		return nil, handshakeFailure(k, config, p.cfg.HandshakeTimeout, l, err)
	}
}
