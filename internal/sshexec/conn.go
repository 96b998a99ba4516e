package sshexec

import (
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
)

// key identifies the connections that commands can share: those with the same login, address and
// jump hosts.
type key struct {
	login, address string
	via            string // the jump hosts, as in sshroute.Place
	jump           bool   // only carries other connections
}

// place is the destination.
func (k key) place() sshroute.Place { return sshroute.Place{Address: k.address, Via: k.via} }

// parent returns the key of the connection to the nearest jump host. The result ok is false if
// there is no jump host.
func (k key) parent() (parent key, ok bool, err error) {
	at, login, ok, err := sshroute.Last(k.via)
	return key{login: login, address: at.Address, via: at.Via, jump: true}, ok, err
}

// keyOf returns the key of the connections that a command can use.
func keyOf(c remote.Command) key { return key{login: c.Login, address: c.Address, via: c.Via} }

// host is what the pool knows about one key. The pool's mutex guards it.
type host struct {
	key     key
	conns   []*conn // connections that accept new sessions, oldest first
	dialing *dial
	changed chan struct{} // closed and replaced when waiting goroutines must check again
}

// dial is a dial in progress. All callers that wait for it share it.
type dial struct {
	done chan struct{}
	err  error // set before done is closed
}

// failed returns the error of a dial that has finished, else nil. The receiver may be nil.
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
	// noise is what the login shell prints before the output of a command. It is nil until the
	// login shell has been checked.
	noise atomic.Pointer[string]
	// alone means that the login accepts only a single command at a time, and not several in one
	// line.
	alone atomic.Bool

	host      *host
	limit     int // allowed sessions; lowered if the server allows fewer
	active    int // sessions open or about to open
	version   int // version of known_hosts that the host key was last checked against
	retired   bool
	inspected bool // an inspection is in progress
	idleSince time.Time
	made      time.Time // does not change
	lookedUp  time.Time // last look-up of the host's name
}

// free returns a connection with a free session. It skips a connection that has just broken, so
// that a caller whose command failed there gets another connection.
func (h *host) free() *conn {
	for _, c := range h.conns {
		if c.active < c.limit && !c.wire.broken.Load() {
			return c
		}
	}
	return nil
}

// wake wakes every goroutine that waits for this host, to check again.
func (h *host) wake() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// remove takes a connection out of use, so that it gets no new sessions.
func (h *host) remove(gone *conn) {
	for i, c := range h.conns {
		if c == gone {
			h.conns = append(h.conns[:i:i], h.conns[i+1:]...)
			break
		}
	}
	h.wake()
}
