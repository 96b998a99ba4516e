package sshexec

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
)

func listens(address string) bool {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// TestBusyHostIsTriedAgain checks that the pool dials again if a host refuses connections because
// of MaxStartups. This is safe, because no command has been sent.
func TestBusyHostIsTriedAgain(t *testing.T) {
	var greetings atomic.Int32
	h := &fakeHost{}
	h.greet = func(c net.Conn) {
		if greetings.Add(1) <= 3 {
			_, _ = c.Read(make([]byte, 64))
			_, _ = c.Write([]byte("Exceeded MaxStartups\r\n"))
			time.Sleep(time.Millisecond) // fake time: the text arrives before the end of the connection
			return
		}
		h.serve(c)
	}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		want(t, p.Run(t.Context(), onFake(true)), remote.Answered)
		if dials, _, execs := h.counts(); dials != 4 || execs != 1 {
			t.Errorf("%d dials and %d commands, want 4 and 1", dials, execs)
		}
	})
}

// TestPenaltyIsNotTriedAgain checks that the pool does not dial again if a host blocks the bot
// because of failed logins.
func TestPenaltyIsNotTriedAgain(t *testing.T) {
	h := &fakeHost{greet: func(c net.Conn) {
		_, _ = c.Read(make([]byte, 64))
		_, _ = c.Write([]byte(penalty + "\r\n"))
		time.Sleep(time.Millisecond)
	}}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		want(t, p.Run(t.Context(), onFake(true)), remote.Unreachable, "PerSourcePenalties")
		if dials, _, _ := h.counts(); dials != 1 {
			t.Errorf("%d dials", dials)
		}
	})
}

// gauge adds numbers, and records the largest sum so far.
type gauge struct {
	mu        sync.Mutex
	now, most int
}

func (g *gauge) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += n
	g.most = max(g.most, g.now)
}

// TestDialStorm checks that after a network outage all hosts are dialled at once, but only a few
// handshakes run at a time. Frozen hosts do not count towards that limit.
func TestDialStorm(t *testing.T) {
	const hosts, atOnce = 60, 4
	var working gauge
	h := &fakeHost{}
	h.greet = func(c net.Conn) {
		h.serve(&slowLogin{Conn: c, gauge: &working})
	}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		p.cfg.Handshakes = atOnce
		p.handshakes = newSlots(atOnce)
		dial := p.dial
		p.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "frozen.test:22" {
				x, _ := net.Pipe()
				return newBuffered(x, new(atomic.Bool)), nil
			}
			return dial(ctx, network, address)
		}
		var wg sync.WaitGroup
		for range atOnce {
			wg.Go(func() {
				c := onFake(false)
				c.Address = "frozen.test:22"
				if r := p.Run(t.Context(), c); r.Outcome == remote.Answered {
					t.Error("a frozen host answered")
				}
			})
		}
		for i := range hosts {
			wg.Go(func() {
				c := onFake(false)
				c.Login = string(rune('a'+i%26)) + string(rune('a'+i/26)) // so that each command gets a connection of its own
				if r := p.Run(t.Context(), c); r.Outcome != remote.Answered {
					t.Errorf("%v: %s", r.Outcome, r.Detail)
				}
			})
		}
		wg.Wait()
	})
	if working.most > atOnce || working.most == 0 {
		t.Errorf("%d handshakes at a time, want at most %d", working.most, atOnce)
	}
}

// slowLogin is the host's end of a connection whose login takes a while.
type slowLogin struct {
	net.Conn
	gauge  *gauge
	writes atomic.Int32
}

func (s *slowLogin) Write(p []byte) (int, error) {
	switch s.writes.Add(1) {
	case 3: // the key exchange, which follows the version and the offer
		s.gauge.add(1)
		time.Sleep(100 * time.Millisecond)
		s.gauge.add(-1)
	}
	return s.Conn.Write(p)
}

// TestHostThatMoved checks that the pool dials a host again if the host's name has a new address.
func TestHostThatMoved(t *testing.T) {
	h := &fakeHost{}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		var at atomic.Pointer[string]
		here, there := "127.0.0.1", "10.0.0.9"
		at.Store(&here)
		p.lookup = func(_ context.Context, name string) ([]string, error) {
			if name != "host.test" {
				t.Errorf("looked up %s", name)
			}
			return []string{*at.Load()}, nil
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- p.Maintain(ctx) }()
		want(t, p.Run(t.Context(), onFake(false)), remote.Answered)
		time.Sleep(3 * movedEvery)
		if dials, open, _ := h.counts(); dials != 1 || open != 1 {
			t.Errorf("before the move: %d dials, %d open", dials, open)
		}
		at.Store(&there)
		time.Sleep(2 * movedEvery)
		if _, open, _ := h.counts(); open != 0 {
			t.Errorf("after the move: %d connections are still open", open)
		}
		want(t, p.Run(t.Context(), onFake(false)), remote.Answered)
		stop()
		<-ended
	})
}

// TestBusyHostThatMoved checks that the pool also dials a host that moved again if commands use the
// old connection all the time. A command in progress is not interrupted.
func TestBusyHostThatMoved(t *testing.T) {
	h := &fakeHost{}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		hold := make(chan struct{})
		h.exec = answersAfter(hold)
		p.lookup = func(context.Context, string) ([]string, error) { return []string{"10.0.0.9"}, nil }
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- p.Maintain(ctx) }()
		var commands sync.WaitGroup
		for range 2 {
			command := onFake(true)
			command.Timeout = time.Hour
			commands.Go(func() { want(t, p.Run(t.Context(), command), remote.Answered) })
			time.Sleep(movedEvery)
		}
		if dials, open, _ := h.counts(); dials != 2 || open != 2 {
			t.Errorf("%d dials, %d open, want a connection for each of the two commands", dials, open)
		}
		close(hold)
		commands.Wait()
		stop()
		<-ended
	})
}

// TestHostThatMovedBehindAJumpHost checks that a connection through a jump host to a name is
// replaced after a while, because the name may have a new address, even if it is in use all the time.
// A connection to an IP address is kept.
func TestHostThatMovedBehindAJumpHost(t *testing.T) {
	for _, c := range []struct {
		address string
		renewed bool
	}{{"inner.test:22", true}, {"10.0.0.7:22", false}} {
		h := &fakeHost{}
		var inner atomic.Int32
		h.open = func(n ssh.NewChannel) bool {
			if n.ChannelType() != "direct-tcpip" {
				return true
			}
			channel, requests, err := n.Accept()
			if err != nil {
				t.Error(err)
				return false
			}
			inner.Add(1)
			h.wg.Go(func() { ssh.DiscardRequests(requests) })
			h.wg.Go(func() { h.serve(overChannel{Channel: channel}) })
			return false
		}
		inBubble(t, h, func(t *testing.T, p *Pool) {
			command := onFake(false)
			command.Address, command.Via = c.address, sshroute.Join([]sshroute.Hop{{Login: "ops", Address: fakeAddress}})
			p.cfg.Options = map[sshroute.Place]sshroute.Options{{Address: command.Address, Via: command.Via}: {Alias: "host.test"}}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- p.Maintain(ctx) }()
			want(t, p.Run(t.Context(), command), remote.Answered)
			time.Sleep(renewBehind / 2)
			want(t, p.Run(t.Context(), command), remote.Answered)
			if n := inner.Load(); n != 1 {
				t.Errorf("%s: %d connections before it is due for renewal, want 1", c.address, n)
			}
			for range renewBehind / (5 * time.Second) { // reads as often as watch.every allows
				time.Sleep(5 * time.Second)
				want(t, p.Run(t.Context(), command), remote.Answered)
			}
			if n := inner.Load(); (n == 2) != c.renewed {
				t.Errorf("%s: %d connections after it was due for renewal", c.address, n)
			}
			if dials, _, _ := h.counts(); dials != 1 {
				t.Errorf("%d connections to the jump host, want 1", dials)
			}
			stop()
			<-ended
		})
	}
}

// overChannel is the far end of a connection through a jump host.
type overChannel struct{ ssh.Channel }

func (overChannel) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (overChannel) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (overChannel) SetDeadline(time.Time) error      { return nil }
func (overChannel) SetReadDeadline(time.Time) error  { return nil }
func (overChannel) SetWriteDeadline(time.Time) error { return nil }

// securityKey is an agent with one FIDO key. It answers like a real key that was touched.
type securityKey struct {
	agent.Agent
	private ed25519.PrivateKey
	public  ssh.PublicKey
}

const application = "ssh:"

func newSecurityKey(t *testing.T) *securityKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Name, Key, Application string
	}{ssh.KeyAlgoSKED25519, string(public), application}))
	if err != nil {
		t.Fatal(err)
	}
	return &securityKey{Agent: agent.NewKeyring(), private: private, public: key}
}

func (k *securityKey) List() ([]*agent.Key, error) {
	return []*agent.Key{{Format: k.public.Type(), Blob: k.public.Marshal(), Comment: "token"}}, nil
}

// Sign signs as OpenSSH's PROTOCOL.u2f describes. The signed data is the application's hash, a flag
// for the touch, a counter, and the message's hash.
func (k *securityKey) Sign(_ ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	const touched = 1
	of, message := sha256.Sum256([]byte(application)), sha256.Sum256(data)
	rest := binary.BigEndian.AppendUint32([]byte{touched}, 7)
	blob := append(append(of[:], rest...), message[:]...)
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(k.private, blob), Rest: rest}, nil
}

// TestSecurityKeyByAgent checks that a real sshd accepts the signature of a FIDO key in an agent.
func TestSecurityKeyByAgent(t *testing.T) {
	s := sshdtest.Start(t)
	token := newSecurityKey(t)
	if err := os.WriteFile(s.KeyFile+".pub", ssh.MarshalAuthorizedKey(token.public), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = agent.ServeAgent(token, c) // until the client hangs up
			c.Close()
		}
	}()
	p := openPool(t, s, func(c *Config) { c.Credentials = []sshroute.Credential{{Agent: socket}} })
	want(t, run(t, p, on(s, "true")), remote.Answered)
}
