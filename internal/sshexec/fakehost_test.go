package sshexec

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/sshexec/credential"
	"dhbot/internal/sshexec/hostkey"
	"dhbot/internal/sshroute"
)

// fakeHost is an SSH server in memory. It causes faults that a real sshd cannot, and both sides use
// synctest's clock, so that long waits take no time.
type fakeHost struct {
	signer ssh.Signer
	// greet, open and exec replace the host's handling of a connection, of a channel and of a
	// command. If one is nil, the host behaves like a healthy host.
	greet func(net.Conn)                            // nil: an SSH server
	open  func(ssh.NewChannel) bool                 // true: continue and accept it
	exec  func(net.Conn, ssh.Channel, *ssh.Request) // nil: exits with 0

	frozen atomic.Bool // everything that the host writes is discarded

	wg    sync.WaitGroup
	mu    sync.Mutex
	dials int
	execs []string
	conns int // open now
}

const fakeAddress = "host.test:22"

// inBubble runs a test in a synctest bubble. The only host of the test's pool is h.
func inBubble(t *testing.T, h *fakeHost, test func(t *testing.T, p *Pool)) {
	t.Helper()
	h.signer = newSigner(t)
	path := filepath.Join(t.TempDir(), "known_hosts")
	set, err := credential.Open(sshroute.Keys(keyFile(t, filepath.Dir(path), "id", "")))
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, knownhosts.Line([]string{fakeAddress}, h.signer.PublicKey())+"\n")
	synctest.Test(t, func(t *testing.T) {
		config := Config{}.withDefaults()
		known, err := hostkey.Open(path, config.Log)
		if err != nil {
			t.Fatal(err)
		}
		p := newPool(config, credentials{common: set}, known)
		p.dial = h.dial
		p.lookup = func(context.Context, string) ([]string, error) { return nil, errors.New("no name server") }
		test(t, p)
		p.Close()
		h.wg.Wait()
	})
}

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func (h *fakeHost) dial(context.Context, string, string) (net.Conn, error) {
	x, y := net.Pipe()
	ours, theirs := newBuffered(x, new(atomic.Bool)), newBuffered(y, &h.frozen)
	h.mu.Lock()
	h.dials++
	h.conns++
	h.mu.Unlock()
	h.wg.Go(func() {
		if h.greet != nil {
			h.greet(theirs)
		} else {
			h.serve(theirs)
		}
		theirs.Close()
		h.mu.Lock()
		h.conns--
		h.mu.Unlock()
	})
	return ours, nil
}

func (h *fakeHost) serve(c net.Conn) {
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
		return nil, nil
	}}
	config.AddHostKey(h.signer)
	_, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	h.wg.Go(func() { ssh.DiscardRequests(requests) })
	for n := range channels {
		if h.open != nil && !h.open(n) {
			continue
		}
		channel, requests, err := n.Accept()
		if err != nil {
			return
		}
		h.wg.Go(func() { h.session(c, channel, requests) })
	}
}

func (h *fakeHost) session(c net.Conn, channel ssh.Channel, requests <-chan *ssh.Request) {
	for r := range requests {
		if r.Type != "exec" {
			_ = r.Reply(false, nil)
			continue
		}
		var m struct{ Command string }
		_ = ssh.Unmarshal(r.Payload, &m)
		if m.Command == shellProbe {
			_ = r.Reply(true, nil)
			_, _ = io.WriteString(channel, strings.Join(shellWords, "\n")+"\n")
			exitWith(channel, 0)
			channel.Close()
			continue
		}
		h.mu.Lock()
		h.execs = append(h.execs, m.Command)
		h.mu.Unlock()
		if h.exec != nil {
			h.exec(c, channel, r)
			continue
		}
		_ = r.Reply(true, nil)
		exitWith(channel, 0)
		channel.Close()
	}
}

func exitWith(channel ssh.Channel, code uint32) {
	_, _ = channel.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, code))
}

// counts returns the numbers of dials, of open connections and of received commands.
func (h *fakeHost) counts() (dials, open, execs int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dials, h.conns, len(h.execs)
}

func onFake(changes bool) remote.Command {
	return remote.Command{Host: "infra-1", Address: fakeAddress, Login: "ops", Sent: "true", Timeout: time.Minute, Changes: changes}
}

// buffered is an end of a net.Pipe whose writes do not wait for the reader, because both sides of
// SSH begin with a write. While buffered is muted, its writes are discarded.
type buffered struct {
	net.Conn
	mute  *atomic.Bool
	queue chan []byte
	done  chan struct{}
	once  sync.Once
}

func newBuffered(c net.Conn, mute *atomic.Bool) *buffered {
	b := &buffered{Conn: c, mute: mute, queue: make(chan []byte, 4096), done: make(chan struct{})}
	go func() {
		for {
			select {
			case p := <-b.queue:
				if _, err := c.Write(p); err != nil {
					return
				}
			case <-b.done:
				return
			}
		}
	}()
	return b
}

func (b *buffered) Write(p []byte) (int, error) {
	if b.mute.Load() {
		return len(p), nil
	}
	select {
	case <-b.done:
		return 0, net.ErrClosed
	case b.queue <- append([]byte(nil), p...):
		return len(p), nil
	default:
		return 0, errors.New("the pipe is full")
	}
}

func (b *buffered) Close() error {
	b.once.Do(func() { close(b.done) })
	return b.Conn.Close()
}

func (b *buffered) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 22} }
