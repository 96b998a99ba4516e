package hostsim

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// maxSessions is OpenSSH's default for sessions on one connection.
	maxSessions = 10
	// loginGrace limits the handshake.
	loginGrace = 30 * time.Second
	// settleEvery is the interval at which a waiting command checks the model.
	settleEvery = 10 * time.Millisecond
)

// host is one SSH server and the machine behind it.
type host struct {
	cluster *Cluster
	spec    HostSpec
	model   *machine // guarded by the cluster's lock
	address string
	gate    gate
	drop    atomic.Bool
	noLogin atomic.Bool
	slow    atomic.Int64 // a time.Duration

	mu       sync.Mutex
	listener net.Listener // nil: the host is down
	signer   ssh.Signer
	original ssh.Signer // the key in known_hosts
	conns    map[*gatedConn]bool
	closed   bool
}

func newHost(c *Cluster, spec HostSpec, m *machine) (*host, error) {
	key, err := newSigner()
	if err != nil {
		return nil, err
	}
	h := &host{cluster: c, spec: spec, model: m, address: spec.Listen, signer: key, original: key, conns: map[*gatedConn]bool{}}
	if h.address == "" {
		h.address = "127.0.0.1:0"
	}
	return h, h.up()
}

func newSigner() (ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(private)
}

// up starts listening, unless the host already listens.
func (h *host) up() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listener != nil || h.closed {
		return nil
	}
	l, err := net.Listen("tcp", h.address)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("%s is not a loopback address: simulated hosts accept anyone with the demo's key", h.address), l.Close())
	}
	h.listener, h.address = l, l.Addr().String()
	h.cluster.wg.Go(func() { h.accept(l) })
	return nil
}

// down refuses new connections and cuts open ones.
func (h *host) down() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var err error
	if h.listener != nil {
		err = h.listener.Close()
		h.listener = nil
	}
	h.cut()
	return err
}

// cut closes every connection; the caller holds the lock.
func (h *host) cut() {
	for c := range h.conns {
		_ = c.Close() // the host goes down: the error does not matter
	}
}

func (h *host) cutAll() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cut()
	return nil
}

// newHostKey gives the host another host key and cuts open connections, as if another machine now
// had the address.
func (h *host) newHostKey() error {
	key, err := newSigner()
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.signer = key
	h.cut()
	return nil
}

// clear removes every fault of the host; the caller holds the cluster's lock.
func (h *host) clear(at time.Time) error {
	h.model.sudo, h.model.noisy = true, false
	h.model.monit.setState(daemonUp, at)
	h.drop.Store(false)
	h.noLogin.Store(false)
	h.slow.Store(0)
	h.mu.Lock()
	if h.signer != h.original {
		h.signer = h.original
		h.cut()
	}
	h.mu.Unlock()
	h.gate.open()
	return h.up()
}

func (h *host) close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	err := h.down()
	h.gate.open()
	return err
}

func (h *host) accept(l net.Listener) {
	for {
		raw, err := l.Accept()
		if err != nil {
			return // closed
		}
		conn := newGatedConn(raw, &h.gate)
		h.mu.Lock()
		welcome := h.listener == l
		if welcome {
			h.conns[conn] = true
		}
		h.mu.Unlock()
		if !welcome {
			_ = conn.Close() // accepted while the host went down
			continue
		}
		h.cluster.wg.Go(func() { h.serve(conn) })
	}
}

// serve handles one SSH connection until it ends.
func (h *host) serve(conn *gatedConn) {
	defer func() {
		_ = conn.Close() // often closed already
		h.mu.Lock()
		delete(h.conns, conn)
		h.mu.Unlock()
	}()
	if err := conn.SetDeadline(time.Now().Add(loginGrace)); err != nil {
		return
	}
	server, channels, requests, err := ssh.NewServerConn(conn, h.config())
	if err != nil {
		return // the client reports its own error
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return
	}
	h.cluster.wg.Go(func() { ssh.DiscardRequests(requests) })
	var open atomic.Int32
	for c := range channels {
		if c.ChannelType() != "session" {
			_ = c.Reject(ssh.UnknownChannelType, "unknown channel type")
			continue
		}
		if open.Load() >= maxSessions {
			_ = c.Reject(ssh.ConnectionFailed, "open failed")
			continue
		}
		ch, reqs, err := c.Accept()
		if err != nil {
			continue // the connection is ending, and the loop ends with it
		}
		open.Add(1)
		h.cluster.wg.Go(func() {
			defer open.Add(-1)
			h.session(conn, server.User(), ch, reqs)
		})
	}
}

func (h *host) config() *ssh.ServerConfig {
	cfg := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-hostsim",
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if h.noLogin.Load() || meta.User() != Login || !bytes.Equal(key.Marshal(), h.cluster.key.Marshal()) {
				return nil, errors.New("the key is not accepted")
			}
			return &ssh.Permissions{}, nil
		},
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	cfg.AddHostKey(h.signer)
	return cfg
}

// session accepts one exec request. It refuses requests for a shell, a terminal or a subsystem.
func (h *host) session(conn *gatedConn, login string, ch ssh.Channel, reqs <-chan *ssh.Request) {
	var run sync.WaitGroup
	started := false
	for r := range reqs {
		var exec struct{ Line string }
		ok := r.Type == "exec" && !started && ssh.Unmarshal(r.Payload, &exec) == nil
		if r.WantReply {
			_ = r.Reply(ok, nil) // an error means that the client has gone
		}
		if ok {
			started = true
			run.Go(func() { h.execute(conn, login, ch, exec.Line) })
		}
	}
	run.Wait()
}

// execute runs a command line until it ends, even if the client disconnects.
func (h *host) execute(conn *gatedConn, login string, ch ssh.Channel, line string) {
	mark, commands, several := joined(line)
	if !several {
		commands = []string{line}
	}
	exit := 0
	for i, command := range commands {
		a, ok := h.one(conn, login, command)
		if !ok {
			return // the cluster is closing
		}
		// Only writes to the client can fail below. Their errors are ignored, because the client
		// reports its own error.
		if i == 0 {
			_, _ = io.WriteString(ch, a.noise)
		}
		if several && i == 0 {
			_, _ = io.WriteString(ch, mark+"\n")
			_, _ = io.WriteString(ch.Stderr(), mark+"\n")
		}
		_, _ = io.WriteString(ch, a.out)
		_, _ = io.WriteString(ch.Stderr(), a.err)
		if exit = a.exit; several {
			_, _ = fmt.Fprintf(ch, "\n%s %d\n", mark, a.exit)
			_, _ = fmt.Fprintf(ch.Stderr(), "\n%s\n", mark)
			exit = 0
		}
	}
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(exit)}))
	_ = ch.Close()
}

// one runs a single command until it ends, and records it. It returns false if the cluster closes
// first.
func (h *host) one(conn *gatedConn, login, command string) (answer, bool) {
	n, run, a := h.cluster.begin(h, login, command)
	if a.changes && h.drop.Load() {
		_ = conn.Close() // the fault "drop": the connection is lost while a command runs
	}
	a, ok := h.finish(run, a)
	if ok {
		h.cluster.ended(n, a.exit)
	}
	return a, ok
}

// finish waits until a command ends, and returns its answer. A command that exceeds the limit of
// its timeout wrapper is killed. Its output is then lost, and its exit code is 124. The second
// result is false if the cluster closes first.
func (h *host) finish(run *call, a answer) (answer, bool) {
	began := time.Now()
	killed := answer{exit: 124, noise: a.noise}
	takes := a.takes + time.Duration(h.slow.Load())
	if run.limit > 0 && takes > run.limit {
		return killed, sleepFor(h.cluster.ctx, run.limit)
	}
	if !sleepFor(h.cluster.ctx, takes) {
		return a, false
	}
	for a.settle != nil {
		end, done := h.cluster.settled(a.settle)
		if done {
			end.noise = a.noise
			return end, true
		}
		if run.limit > 0 && time.Since(began) > run.limit {
			return killed, true
		}
		if !sleepFor(h.cluster.ctx, settleEvery) {
			return a, false
		}
	}
	return a, true
}

// sleepFor sleeps for d. It returns false if ctx ended first.
func sleepFor(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
