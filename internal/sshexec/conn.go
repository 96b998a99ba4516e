package sshexec

import (
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
)

// key identifies a kind of connection: login and address.
type key struct {
	login, address string
	via            string // the jump hosts, as in sshroute.Place
	jump           bool   // only carries other connections
}

// place is the destination.
func (k key) place() sshroute.Place { return sshroute.Place{Address: k.address, Via: k.via} }

// parent is the connection to the nearest jump host; ok is false for a direct connection.
func (k key) parent() (parent key, ok bool, err error) {
	at, login, ok, err := sshroute.Last(k.via)
	return key{login: login, address: at.Address, via: at.Via, jump: true}, ok, err
}

// keyOf is the kind of connection for a command.
func keyOf(c remote.Command) key { return key{login: c.Login, address: c.Address, via: c.Via} }

// host is the pool's state of one key, guarded by the pool's mutex.
type host struct {
	key     key
	conns   []*conn // connections that accept new sessions, oldest first
	dialing *dial
	changed chan struct{} // closed and replaced when waiting goroutines must check again
}

// dial is a dial in progress, shared by all waiting callers.
type dial struct {
	done chan struct{}
	err  error // set before done is closed
}

// failed returns the error of a finished dial; it may be called on nil.
func (d *dial) failed() error {
	if d == nil {
		return nil
	}
	select {
	case <-d.done:
		return d.err
	default:
		return nil
	}
}

// conn is a connection. The pool's mutex guards the fields below it.
type conn struct {
	client *ssh.Client
	wire   *wire
	via    *conn         // the jump host's connection that carries it, or nil
	ended  chan struct{} // closed when the connection has ended
	// noise is the text that the login shell prints before a command's output. It is nil until the
	// check of the login shell has succeeded.
	noise atomic.Pointer[string]
	// alone means that the login accepts only single commands, not several commands in one line.
	alone atomic.Bool

	host      *host
	limit     int // allowed sessions; lowered if the server allows fewer
	active    int // sessions open or about to open
	version   int // version of known_hosts that the host key was last checked against
	retired   bool
	pinging   bool
	idleSince time.Time
	made      time.Time // does not change
	lookedUp  time.Time // last look-up of the host's name
}

// free returns a connection with a free session. It skips a connection that has just broken, so
// that a caller whose command was lost on it does not get the same connection again.
func (h *host) free() *conn {
	for _, c := range h.conns {
		if c.active < c.limit && !c.wire.broken.Load() {
			return c
		}
	}
	return nil
}

// wake lets every goroutine that waits for this host check again.
func (h *host) wake() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// remove removes a connection from use for new sessions.
func (h *host) remove(gone *conn) {
	for i, c := range h.conns {
		if c == gone {
			h.conns = append(h.conns[:i:i], h.conns[i+1:]...)
			break
		}
	}
	h.wake()
}
