package adminsock

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// requestTime is how long a request may take to arrive completely.
	requestTime = 10 * time.Second
	// writeTime is how long a write waits for a client that does not read.
	writeTime = 60 * time.Second
	// maxRequest is the largest body of a request, in bytes.
	maxRequest = 64 << 10
	// fileReserve is the number of file descriptors reserved for the store, the hosts and
	// Slack.
	fileReserve = 512
)

// capacity returns how many connections a socket accepts. Half of them are reserved for root and
// the bot's own user.
var capacity = sync.OnceValue(func() int {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return minCapacity
	}
	return capacityFor(uint64(files.Cur)) // signed on FreeBSD
})

const (
	minCapacity = 16
	maxCapacity = 128
)

func capacityFor(files uint64) int {
	if files < fileReserve+2*minCapacity {
		return minCapacity
	}
	return int(min((files-fileReserve)/2, maxCapacity))
}

// guard limits every user to a share of a socket's connections. When a user at the limit opens
// another connection, the guard closes that user's oldest connection whose request is incomplete.
// So incomplete requests block no one.
type guard struct {
	net.Listener
	capacity int
	own      int // the bot's own user

	mu    sync.Mutex
	conns []*caller // in the order of their arrival
}

func newGuard(l net.Listener) *guard {
	return &guard{Listener: l, capacity: capacity(), own: os.Geteuid()}
}

// caller is one connection and its user.
type caller struct {
	net.Conn
	guard *guard
	uid   int
	heard bool // the request of the connection has arrived; guarded by the guard's mutex
}

// Accept returns the next connection that the guard admits.
func (g *guard) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, err := peer(conn)
		if err != nil {
			conn.Close()
			continue
		}
		c := &caller{Conn: conn, guard: g, uid: uid}
		if g.admit(c) {
			return c, nil
		}
		conn.Close()
	}
}

// peer returns the id of the user who opened a connection.
func peer(conn net.Conn) (uid int, err error) {
	s, ok := conn.(syscall.Conn)
	if !ok {
		return 0, errors.New("the connection is not a socket of the operating system")
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { uid, failed = userOf(int(fd)) })
	return uid, errors.Join(err, failed)
}

// admit adds a connection to the guard. It returns false if there is no room.
func (g *guard) admit(c *caller) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	mine, others := 0, 0
	for _, o := range g.conns {
		if o.uid == c.uid {
			mine++
		}
		if !g.trusts(o.uid) {
			others++
		}
	}
	full := len(g.conns) >= g.capacity || mine >= g.share(c.uid) || !g.trusts(c.uid) && others >= g.capacity/2
	if full && !g.dropHalfOpen(c.uid) {
		return false
	}
	g.conns = append(g.conns, c)
	return true
}

// trusts reports whether a user is root or the bot's own user. Both could do more harm in other
// ways.
func (g *guard) trusts(uid int) bool { return uid == g.own || uid == 0 }

// share returns how many connections a user may have.
func (g *guard) share(uid int) int {
	if g.trusts(uid) {
		return g.capacity / 2
	}
	return g.capacity / 8
}

// dropHalfOpen closes the oldest connection of a user whose request is incomplete. If the user has
// none, it closes such a connection of the user who has the most. It returns true if the given user
// may now open a connection.
func (g *guard) dropHalfOpen(uid int) bool {
	half := map[int]int{}
	for _, o := range g.conns {
		if !o.heard {
			half[o.uid]++
		}
	}
	victim := uid
	if half[uid] == 0 {
		for u, n := range half {
			if n > half[victim] {
				victim = u
			}
		}
	}
	for i, o := range g.conns {
		if o.uid == victim && !o.heard {
			g.conns = append(g.conns[:i:i], g.conns[i+1:]...)
			o.Conn.Close()
			return victim == uid || g.count(uid) < g.share(uid)
		}
	}
	return false
}

func (g *guard) count(uid int) (n int) {
	for _, o := range g.conns {
		if o.uid == uid {
			n++
		}
	}
	return n
}

// hear records that a request has arrived completely. It returns false if the guard has closed the
// connection in the meantime.
func (g *guard) hear(c *caller) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.conns {
		if o == c {
			c.heard = true
			return true
		}
	}
	return false
}

// await records that a connection is ready for its next request.
func (g *guard) await(c *caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.heard = false
}

// Write fails if the client does not read for writeTime.
func (c *caller) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close returns the slot.
func (c *caller) Close() error {
	g := c.guard
	g.mu.Lock()
	for i, o := range g.conns {
		if o == c {
			g.conns = append(g.conns[:i:i], g.conns[i+1:]...)
			break
		}
	}
	g.mu.Unlock()
	return c.Conn.Close()
}

type callerKey struct{}

// Peer returns the id of the user who sent a request, as the kernel reports it. ok is false if the
// request did not arrive through Serve.
func Peer(ctx context.Context) (uid int, ok bool) {
	c, ok := ctx.Value(callerKey{}).(*caller)
	if !ok {
		return 0, false
	}
	return c.uid, true
}

// whole calls the handler only after the complete request has arrived.
func whole(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(callerKey{}).(*caller)
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			http.Error(w, "this request is too large", http.StatusRequestEntityTooLarge)
			return
		case err != nil || !ok || !c.guard.hear(c):
			return // the caller is gone, or was displaced
		}
		// The time limit covered only the request. The response may take any time.
		if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
			return
		}
		defer c.guard.await(c)
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	})
}
