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

// Health is how well the edge hears Slack.
type Health struct {
	Sockets []SocketHealth
	// Refused are the tokens that Slack refused at the last call with them.
	Refused []wire.Refusal
	// ClockAhead is how far this machine's clock is ahead of Slack's, negative
	// where it is behind, and 0 where they agree.
	ClockAhead time.Duration
	// Pending is how many deliveries are claimed, queued or being handled, of
	// Room at most; beyond that the answer is that the bot is busy.
	Pending, Capacity int
}

// SocketHealth is one connection. Slack pings every few seconds, so a socket
// that has read nothing for half a minute hears nothing.
type SocketHealth struct {
	Up bool // hello was received on the present connection
	// Since is when it went up or down.
	Since time.Time
	// Read is when bytes last came from Slack (frames and pings), Written when
	// bytes last went there (acks and pongs).
	Read, Written time.Time
	// Connections is what Slack counted at the last hello for the whole app;
	// more than all replicas opened together means that a connection no one
	// reads takes a share of the clicks.
	Connections int
	Hello       time.Time // when it counted
	Opened      int       // connections opened since start
	Err         error     // why the last connection ended
}

// Hears says that at least one socket is up and has heard something within
// the given age.
func (h Health) Hears(now time.Time, within time.Duration) bool {
	for _, s := range h.Sockets {
		if s.Up && now.Sub(s.Read) <= within {
			return true
		}
	}
	return false
}

// Counted is how many connections of the app Slack counted last, and when; all
// replicas' are among them.
func (h Health) Counted() (connections int, at time.Time) {
	for _, s := range h.Sockets {
		if s.Hello.After(at) {
			connections, at = s.Connections, s.Hello
		}
	}
	return connections, at
}

// Health reports the state of the sockets and of the intake.
func (e *Edge) Health() Health {
	h := Health{Pending: len(e.workerSem), Capacity: cap(e.workerSem), Refused: e.watch.Refused(), ClockAhead: e.watch.Ahead()}
	for _, s := range e.sockets {
		h.Sockets = append(h.Sockets, s.health())
	}
	return h
}

// connectionState is what is known of a socket's connection. slack-go hides pings and
// pongs, so the bytes of the connection below are watched.
type connectionState struct {
	now           func() time.Time
	read, written atomic.Int64 // Unix nanoseconds

	mu    sync.Mutex
	state SocketHealth
	// reason is what Slack's last disconnect message gave.
	reason string
	conn   *watchedConn // the present one
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

// dialer opens the WebSocket. The write buffer holds a whole ack, since Slack
// drops what comes in pieces.
func (p *connectionState) dialer() *websocket.Dialer {
	return &websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: callTimeout,
		WriteBufferSize:  32 << 10,
		NetDialContext:   p.watching(&net.Dialer{Timeout: callTimeout}),
		// The TLS is made here, so that what is watched is what was sent in it.
		NetDialTLSContext: p.watching(&tls.Dialer{
			NetDialer: &net.Dialer{Timeout: callTimeout}, Config: &tls.Config{
				MinVersion: tls.VersionTLS12,
				NextProtos: []string{"http/1.1"},
			},
		}),
	}
}

// watching dials connections that note what comes and goes.
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

// watchedConn notes when bytes come and go.
type watchedConn struct {
	net.Conn
	state *connectionState
	tail  []byte // the end of what was read, where a message may be cut
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
