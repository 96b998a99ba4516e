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
	"time"

	"golang.org/x/sys/unix"
)

const (
	// requestTime is how long a whole request may take to arrive.
	requestTime = 10 * time.Second
	// writeTime is how long a caller may leave one piece of an answer unread.
	writeTime = 60 * time.Second
	// maxRequest is the largest body of a request, in bytes.
	maxRequest = 64 << 10
	// fileReserve is how many file descriptors the sockets leave to the store,
	// the hosts and Slack, whatever callers do.
	fileReserve = 512
)

// capacity is how many connections one socket holds at a time. Half of them
// is for the bot's own user and root alone.
var capacity = sync.OnceValue(func() int {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return minCapacity
	}
	return capacityFor(files.Cur)
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

// guard holds every user to a share of a socket. A user who is at the limit
// gets a place by losing the oldest connection whose request has not arrived:
// half-open requests keep no one out, their own user least of all.
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

// caller is one connection, and who is at its other end.
type caller struct {
	net.Conn
	guard *guard
	uid   int
	heard bool // its request has arrived; the guard's mutex holds it
}

// Accept returns the next connection that has a place.
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

// admit gives a connection a place, or says that there is none.
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

// trusts says that a user is the bot's own or root, who could do worse.
func (g *guard) trusts(uid int) bool { return uid == g.own || uid == 0 }

// share is how many connections one user may have.
func (g *guard) share(uid int) int {
	if g.trusts(uid) {
		return g.capacity / 2
	}
	return g.capacity / 8
}

// dropHalfOpen makes room for a user. Where the place is short for all, and
// the user has none that is half open, the user with most of them loses one.
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

// hear notes that a request has arrived whole; false says that its connection
// was given to another one meanwhile.
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

// await notes that a connection waits for its next request.
func (g *guard) await(c *caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.heard = false
}

// Write gives up on a caller who does not read.
func (c *caller) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close gives the place back.
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

// Peer is the user at the other end of the connection that a request came by,
// as the kernel says; ok is false for a request of another server.
func Peer(ctx context.Context) (uid int, ok bool) {
	c, ok := ctx.Value(callerKey{}).(*caller)
	if !ok {
		return 0, false
	}
	return c.uid, true
}

// whole hands a request on once all of it is there.
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
			return // the caller has gone, or lost the place
		}
		// The time-out was for the request; an answer may take as long as it takes.
		if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
			return
		}
		defer c.guard.await(c)
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	})
}
