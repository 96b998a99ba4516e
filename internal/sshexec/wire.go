package sshexec

import (
	"net"
	"sync/atomic"
)

// wire is a connection's transport. It remembers that it broke before anybody
// can learn of it in another way; and it hurries the handshake.
type wire struct {
	net.Conn
	broken  atomic.Bool // a read has failed, or the other side has closed
	settled atomic.Bool // the handshake is over
}

// Read asks for quick acknowledgements until the handshake is over: sshd
// answers in several small packets there, and each waits for the
// acknowledgement of the one before, 40 ms in all.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	switch {
	case err != nil:
		w.broken.Store(true)
	case !w.settled.Load():
		acknowledgeQuickly(w.Conn)
	}
	return n, err
}
