package sshexec

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/test/fakeclock"
)

// swallow reads everything and never answers, until the other side closes.
func swallow(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// after runs a command, and checks that it took exactly the given time.
func after(t *testing.T, p *Pool, c remote.Command, took time.Duration) remote.Result {
	t.Helper()
	began := time.Now()
	r := run(t, p, c)
	if got := time.Since(began); got != took {
		t.Errorf("it took %v, want %v", got, took)
	}
	return r
}

func TestSilentHandshake(t *testing.T) {
	h := &fakeHost{greet: swallow}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		var wg sync.WaitGroup
		for range 20 { // all share one dial
			wg.Go(func() {
				want(t, after(t, p, onFake(true), 10*time.Second), remote.Unreachable, "frozen", "not sent")
			})
		}
		wg.Wait()
		if dials, _, _ := h.counts(); dials != 1 {
			t.Errorf("%d dials, want 1", dials)
		}
	})
}

func TestHandshakeCutOff(t *testing.T) {
	inBubble(t, &fakeHost{greet: func(c net.Conn) { c.Close() }}, func(t *testing.T, p *Pool) {
		want(t, run(t, p, onFake(true)), remote.Unreachable, "handshake", "not sent")
	})
}

// TestSilentOpen checks a host that accepts connections, but does not answer the request for a
// session. The pool gives up the connection and its replacements, and does not send the command.
func TestSilentOpen(t *testing.T) {
	h := &fakeHost{open: func(ssh.NewChannel) bool { return false }}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		want(t, after(t, p, onFake(true), maxOpens*openTime), remote.Unreachable, "runs no command", "not sent")
		synctest.Wait()
		if dials, open, execs := h.counts(); dials != maxOpens || open != 0 || execs != 0 {
			t.Errorf("%d dials, %d still open, %d commands", dials, open, execs)
		}
	})
}

func TestOpenRefused(t *testing.T) {
	h := &fakeHost{open: func(n ssh.NewChannel) bool {
		_ = n.Reject(ssh.Prohibited, "administratively prohibited")
		return false
	}}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		want(t, run(t, p, onFake(true)), remote.Unreachable, "opens no session", "not sent")
	})
}

// TestSentOnce checks that a command is never sent again after the exec request, whatever happens.
func TestSentOnce(t *testing.T) {
	accept := func(c net.Conn, ch ssh.Channel, r *ssh.Request) { _ = r.Reply(true, nil) }
	for _, c := range []struct {
		name         string
		exec         func(net.Conn, ssh.Channel, *ssh.Request)
		took         time.Duration
		read, change remote.Outcome
		words        string
	}{
		{"no reply", func(net.Conn, ssh.Channel, *ssh.Request) {}, time.Minute + killAfter + grace,
			remote.TimedOut, remote.FateUnknown, "its end was not observed"},
		{"no end", accept, time.Minute + killAfter + grace,
			remote.TimedOut, remote.FateUnknown, "its end was not observed"},
		{"lost before the reply", func(c net.Conn, _ ssh.Channel, _ *ssh.Request) { c.Close() }, 0,
			remote.Unreachable, remote.FateUnknown, "lost"},
		{"lost after the reply", func(c net.Conn, ch ssh.Channel, r *ssh.Request) {
			_ = r.Reply(true, nil)
			c.Close()
		}, 0, remote.Unreachable, remote.FateUnknown, "lost"},
		{"closed without exit code", func(c net.Conn, ch ssh.Channel, r *ssh.Request) {
			_ = r.Reply(true, nil)
			ch.Close()
		}, 0, remote.Unreachable, remote.FateUnknown, "lost"},
		{"malformed exit code", func(c net.Conn, ch ssh.Channel, r *ssh.Request) {
			_ = r.Reply(true, nil)
			_, _ = ch.SendRequest("exit-status", false, []byte{0})
			ch.Close()
		}, 0, remote.Unreachable, remote.FateUnknown, "lost"},
		{"signal without a name", func(c net.Conn, ch ssh.Channel, r *ssh.Request) {
			_ = r.Reply(true, nil)
			_, _ = ch.SendRequest("exit-signal", false, ssh.Marshal(struct {
				Signal     string
				CoreDumped bool
				Message    string
				Language   string
			}{"<@everyone>", false, "", ""}))
			ch.Close()
		}, 0, remote.Unreachable, remote.FateUnknown, "signal (other)"},
		{"refused by the server", func(c net.Conn, ch ssh.Channel, r *ssh.Request) { _ = r.Reply(false, nil) }, 0,
			remote.Unreachable, remote.Unreachable, "did not start"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &fakeHost{exec: c.exec}
			inBubble(t, h, func(t *testing.T, p *Pool) {
				want(t, after(t, p, onFake(false), c.took), c.read, c.words)
				synctest.Wait()
				want(t, after(t, p, onFake(true), c.took), c.change, c.words)
				if _, _, execs := h.counts(); execs != 2 {
					t.Errorf("%d commands arrived, want 2", execs)
				}
			})
		})
	}
}

// TestLostAfterExit loses the connection after the exit code has arrived. The outcome of a change
// is then known, but the output of a read may be incomplete.
func TestLostAfterExit(t *testing.T) {
	h := &fakeHost{exec: func(c net.Conn, ch ssh.Channel, r *ssh.Request) {
		_ = r.Reply(true, nil)
		exitWith(ch, 0)
		time.Sleep(time.Second)
		c.Close()
	}}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		want(t, run(t, p, onFake(true)), remote.Answered)
		synctest.Wait()
		want(t, run(t, p, onFake(false)), remote.Unreachable, "before all of its output")
	})
}

// TestAllBusy checks that commands beyond a host's limit wait, but not forever.
func TestAllBusy(t *testing.T) {
	h := &fakeHost{exec: func(_ net.Conn, _ ssh.Channel, r *ssh.Request) { _ = r.Reply(true, nil) }}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		const room = maxConns * 8
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range room {
			wg.Go(func() { want(t, p.Run(ctx, onFake(true)), remote.FateUnknown, "the request was cancelled") })
		}
		synctest.Wait()
		if st := p.Stats(); st.Connections != maxConns || st.Sessions != room {
			t.Errorf("stats %+v", st)
		}
		want(t, after(t, p, onFake(true), slotWait), remote.Unreachable, "too many commands", "not sent")
		cancel()
		wg.Wait()
		if _, _, execs := h.counts(); execs != room {
			t.Errorf("%d commands were sent, want %d", execs, room)
		}
	})
}

// answersAfter returns a host's answer to every command: exit code 0, once hold is closed.
func answersAfter(hold <-chan struct{}) func(net.Conn, ssh.Channel, *ssh.Request) {
	return func(_ net.Conn, ch ssh.Channel, r *ssh.Request) {
		_ = r.Reply(true, nil)
		<-hold
		exitWith(ch, 0)
		ch.Close()
	}
}

// TestSuperfluous checks that surplus connections to a host are closed after a long idle time. The
// first connection stays open.
func TestSuperfluous(t *testing.T) {
	h := &fakeHost{}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		hold := make(chan struct{})
		h.exec = answersAfter(hold)
		ctx, cancel := context.WithCancel(t.Context())
		var wg, maintained sync.WaitGroup
		maintained.Go(func() { _ = p.Maintain(ctx) })
		for range 9 {
			wg.Go(func() { want(t, run(t, p, onFake(false)), remote.Answered) })
		}
		synctest.Wait()
		if st := p.Stats(); st.Connections != 2 {
			t.Errorf("stats %+v, want 2 connections", st)
		}
		close(hold)
		wg.Wait()
		fakeclock.Advance(idleKeep + time.Minute)
		if dials, open, _ := h.counts(); dials != 2 || open != 1 {
			t.Errorf("%d dials, %d open, want 2 and 1", dials, open)
		}
		want(t, p.Dial(ctx, onFake(false)), remote.Answered)
		cancel()
		maintained.Wait()
	})
}

// TestFrozenConnectionReplaced checks that a command gets a new connection if the pooled connection
// looks alive, but is dead.
func TestFrozenConnectionReplaced(t *testing.T) {
	var first sync.Once
	h := &fakeHost{open: func(ssh.NewChannel) bool {
		alive := true
		first.Do(func() { alive = false })
		return alive
	}}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		want(t, after(t, p, onFake(true), openTime), remote.Answered)
		if dials, _, execs := h.counts(); dials != 2 || execs != 1 {
			t.Errorf("%d dials, %d commands", dials, execs)
		}
	})
}

// TestKeepAlive checks that a keep-alive closes the idle connection to a frozen host before a
// command uses it.
func TestKeepAlive(t *testing.T) {
	h := &fakeHost{}
	inBubble(t, h, func(t *testing.T, p *Pool) {
		ctx, cancel := context.WithCancel(t.Context())
		var maintained sync.WaitGroup
		maintained.Go(func() { _ = p.Maintain(ctx) })
		want(t, run(t, p, onFake(true)), remote.Answered)
		fakeclock.Advance(time.Hour)
		if dials, open, _ := h.counts(); dials != 1 || open != 1 {
			t.Errorf("after an hour %d dials, %d open, want 1 and 1", dials, open)
		}
		h.frozen.Store(true)
		fakeclock.Advance(2*p.cfg.KeepAlive + p.cfg.HandshakeTimeout)
		if _, open, _ := h.counts(); open != 0 {
			t.Errorf("%d connections to a frozen host", open)
		}
		h.frozen.Store(false)
		want(t, after(t, p, onFake(true), 0), remote.Answered)
		cancel()
		maintained.Wait()
	})
}
