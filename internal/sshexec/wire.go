package sshexec

import (
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// wire is the transport of a connection. It records the first bytes from the host, and notices when
// the connection breaks. It also makes the first session open faster.
type wire struct {
	net.Conn
	acknowledge func(net.Conn)                // requests quick acknowledgements
	shown       atomic.Pointer[ssh.PublicKey] // the host key that the server showed
	broken      atomic.Bool                   // a read has failed, or the other side has closed
	settled     atomic.Bool                   // the handshake is over
	opened      atomic.Bool                   // a session was opened on the connection
	admit       func() error                  // called once, when the host has written; nil for none

	mu    sync.Mutex
	first []byte // the first bytes, at most maxFirst
}

// maxFirst is how many of the first bytes from a host are kept. They contain its version and its
// list of algorithms.
const maxFirst = 8 << 10

// settle marks the handshake as over, so that wire stops recording.
func (w *wire) settle() {
	w.settled.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first = nil
}

// Read requests quick acknowledgements until the first session is open. Until then sshd sends
// several small packets in a row, and without quick acknowledgements each waits 40 ms for the
// acknowledgement of the previous packet. A connection to a jump host has no session of its own, so
// its acknowledgements stay quick for the handshakes that it carries.
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

// beginning returns the first bytes from the host. They are gone after the handshake.
func (w *wire) beginning() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.first)
}
