package sshexec

import (
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
)

const (
	// maxConns is how many connections one host gets at most. With the
	// default of 8 sessions each, 32 commands run on a host at a time.
	maxConns = 4
	// jumpLimit stands for no limit: sshd counts no forwarded connections.
	jumpLimit = 1 << 20
	// idleKeep is how long a connection beyond a host's first is kept idle.
	idleKeep = 5 * time.Minute
)

// key names a kind of connection: whom we are, and where.
type key struct {
	login, address string
	via            string // the jump hosts before it, as sshroute.Place has them
	jump           bool   // it only carries connections to others
}

// place is where it leads.
func (k key) place() sshroute.Place { return sshroute.Place{Address: k.address, Via: k.via} }

// parent is the connection to the jump host nearest to it; ok is false where it
// is reached directly.
func (k key) parent() (parent key, ok bool, err error) {
	at, login, ok, err := sshroute.Last(k.via)
	return key{login: login, address: at.Address, via: at.Via, jump: true}, ok, err
}

// keyOf is the kind of connection that a command needs.
func keyOf(c remote.Command) key { return key{login: c.Login, address: c.Address, via: c.Via} }

// host is what the pool has of one key. The pool's mutex guards it.
type host struct {
	key     key
	conns   []*conn // the ones that take new sessions, oldest first
	dialing *dial
	changed chan struct{} // closed and replaced whenever waiting may have become vain
}

// dial is a dial under way, shared by all who wait for it.
type dial struct {
	done chan struct{}
	err  error // set before done is closed
}

// failed returns the error of a dial that is over; it may be called on nil.
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

// conn is a connection. The pool's mutex guards what is below.
type conn struct {
	client *ssh.Client
	wire   *wire
	via    *conn         // the jump host's connection that carries it, or nil
	ended  chan struct{} // closed when it is no more
	// noise is what its login shell prints before an answer; nil until that shell
	// has passed words on as they are typed.
	noise atomic.Pointer[string]

	host      *host
	limit     int // sessions it may have; learned where the server allows fewer
	active    int // sessions it has, or is about to have
	version   int // of known_hosts, by which its host key was last judged
	retired   bool
	pinging   bool
	idleSince time.Time
	made      time.Time // does not change
	lookedUp  time.Time // when its name was last looked up
}

// free returns a connection that has room. One that has just broken is passed
// over, so that a caller that learns of it from a lost command does not meet it
// again.
func (h *host) free() *conn {
	for _, c := range h.conns {
		if c.active < c.limit && !c.wire.broken.Load() {
			return c
		}
	}
	return nil
}

// wake lets everybody who waits for this host look again.
func (h *host) wake() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// remove takes a connection out of use for new sessions.
func (h *host) remove(gone *conn) {
	for i, c := range h.conns {
		if c == gone {
			h.conns = append(h.conns[:i:i], h.conns[i+1:]...)
			break
		}
	}
	h.wake()
}
