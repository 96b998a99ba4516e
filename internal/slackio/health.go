package slackio

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"

	"dhbot/internal/slackio/wire"
)

// Health is the state of the connections to Slack.
type Health struct {
	Sockets []SocketHealth
	// Refused are the tokens that Slack refused in their last call.
	Refused []wire.Refusal
	// ClockAhead is how far this machine's clock is ahead of Slack's; negative if it is behind.
	ClockAhead time.Duration
	// Pending is how many deliveries are claimed, queued or being handled. Beyond Capacity the edge
	// answers that it is busy.
	Pending, Capacity int
}

// SocketHealth is one connection. Slack pings every few seconds, so a socket that has read nothing
// for half a minute is dead.
type SocketHealth struct {
	Up bool // hello received on the current connection
	// Since is when the socket went up or down.
	Since time.Time
	// Read is when bytes last arrived from Slack (frames and pings), Written when bytes were last
	// sent (acknowledgements and pongs).
	Read, Written time.Time
	// Connections is Slack's count for the whole app in the last hello. If it is higher than the
	// number opened by all replicas, then Slack sends some of the events to a connection that no
	// replica reads.
	Connections int
	Hello       time.Time // when Slack sent this count
	Opened      int       // connections opened since start
	Err         error     // why the last connection ended
}

// Hears reports whether at least one socket is up and has received bytes within the given age.
func (h Health) Hears(now time.Time, within time.Duration) bool {
	for _, s := range h.Sockets {
		if s.Up && now.Sub(s.Read) <= within {
			return true
		}
	}
	return false
}

// Counted is Slack's last count of the app's connections, including all replicas, and its time.
func (h Health) Counted() (connections int, at time.Time) {
	for _, s := range h.Sockets {
		if s.Hello.After(at) {
			connections, at = s.Connections, s.Hello
		}
	}
	return connections, at
}

// Health reports the state of the sockets and of the queue.
func (e *Edge) Health() Health {
	h := Health{Pending: len(e.workerSem), Capacity: cap(e.workerSem), Refused: e.watch.Refused(), ClockAhead: e.watch.Ahead()}
	for _, s := range e.sockets {
		h.Sockets = append(h.Sockets, s.health())
	}
	return h
}

// connectionState is the state of a socket's connection. It comes from the received and sent bytes,
// because slack-go hides pings and pongs.
type connectionState struct {
	now           func() time.Time
	read, written atomic.Int64 // Unix nanoseconds

	mu    sync.Mutex
	state SocketHealth
	// reason is the reason in Slack's last disconnect message.
	reason string
	conn   *watchedConn // the current one
}

func (p *connectionState) health() SocketHealth {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.state
	h.Read, h.Written = stamp(&p.read), stamp(&p.written)
	return h
}

func stamp(n *atomic.Int64) time.Time {
	if v := n.Load(); v != 0 {
		return time.Unix(0, v)
	}
	return time.Time{}
}

func (p *connectionState) hello(req *socketmode.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Up, p.state.Since = true, p.now()
	p.state.Opened++
	if req != nil {
		p.state.Connections, p.state.Hello = req.NumConnections, p.state.Since
	}
}

func (p *connectionState) ended(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Up = false
	p.state.Since = p.now()
	p.state.Err = err
}

// dialer opens the WebSocket. The write buffer holds a whole acknowledgement, because Slack drops
// fragmented acknowledgements.
func (p *connectionState) dialer() *websocket.Dialer {
	return &websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: callTimeout,
		WriteBufferSize:  32 << 10,
		NetDialContext:   p.watching(&net.Dialer{Timeout: callTimeout}),
		// TLS is set up here, so that watchedConn sees the bytes without encryption.
		NetDialTLSContext: p.watching(&tls.Dialer{
			NetDialer: &net.Dialer{Timeout: callTimeout}, Config: &tls.Config{
				MinVersion: tls.VersionTLS12,
				NextProtos: []string{"http/1.1"},
			},
		}),
	}
}

// watching dials connections that record received and sent bytes.
func (p *connectionState) watching(d interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		w := &watchedConn{Conn: c, state: p}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conn = w
		return w, nil
	}
}

// watchedConn records when bytes are received and sent.
type watchedConn struct {
	net.Conn
	state *connectionState
	tail  []byte // the end of the received bytes, where a message may be cut
}

// Read implements net.Conn.
func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.state.read.Store(c.state.now().UnixNano())
		c.scan(b[:n])
	}
	return n, err
}

// Write implements net.Conn.
func (c *watchedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if n > 0 {
		c.state.written.Store(c.state.now().UnixNano())
	}
	return n, err
}
