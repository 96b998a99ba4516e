package sshexec

import (
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// wire is a connection's transport. It remembers that it broke before anybody
// can learn of it in another way, and what the host wrote first; and it hurries
// the way to the first session.
type wire struct {
	net.Conn
	acknowledge func(net.Conn)                // asks for quick acknowledgements
	shown       atomic.Pointer[ssh.PublicKey] // the host key that its server showed
	broken      atomic.Bool                   // a read has failed, or the other side has closed
	settled     atomic.Bool                   // the handshake is over
	opened      atomic.Bool                   // a session was opened on it
	admit       func() error                  // called once, when the host has written; nil for none

	mu    sync.Mutex
	first []byte // what came first, at most maxFirst bytes
}

// maxFirst is how much is kept of what a host writes first: its version, and the
// list of algorithms that it offers.
const maxFirst = 8 << 10

// settle ends what is done for the handshake alone.
func (w *wire) settle() {
	w.settled.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first = nil
}

// Read asks for quick acknowledgements until the first session is open: sshd
// sends several small packets in a row there (its host keys, and the session's
// confirmation), and each waits 40 ms for a late acknowledgement of the one before.
// A jump host's connection has no session, and carries the beginnings of others.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err != nil {
		w.broken.Store(true)
	}
	if err == nil && !w.opened.Load() {
		w.acknowledge(w.Conn)
	}
	if !w.settled.Load() {
		w.keep(p[:n])
		if w.admit != nil && n > 0 {
			admit := w.admit
			w.admit = nil
			if err := admit(); err != nil {
				return 0, err
			}
		}
	}
	return n, err
}

func (w *wire) keep(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if room := maxFirst - len(w.first); room > 0 {
		w.first = append(w.first, p[:min(room, len(p))]...)
	}
}

// beginning is what the host wrote first.
func (w *wire) beginning() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.first)
}
