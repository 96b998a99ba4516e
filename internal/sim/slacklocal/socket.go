package slacklocal

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Limits of Socket Mode.
const (
	maxSockets   = 10     // sockets of one app; the next socket gets too_many_websockets
	maxFrame     = 20_480 // bytes a client may send in one frame
	writeTimeout = 10 * time.Second
	outbox       = 512 // frames queued for a slow reader
)

// Why Slack ends a socket.
const (
	reasonWarning  = "warning"           // sent about 10 s before the end; the socket works until then
	reasonRefresh  = "refresh_requested" // every few hours
	reasonDisabled = "link_disabled"     // Socket Mode was switched off
	reasonTooMany  = "too_many_websockets"
)

// conn is one open socket.
type conn struct {
	s    *Server
	ws   *websocket.Conn
	out  chan any // frames to write, in order
	ctx  context.Context
	stop context.CancelFunc

	mu       sync.Mutex
	deaf     bool // the socket is open and pings, but delivers nothing
	frozen   bool // the socket is open only at the other end, and has no traffic
	draining bool // the socket is about to close, and gets no new payload
}

// openSocket implements apps.connections.open.
func openSocket(c *call) (object, error) {
	s := c.s
	s.mu.Lock()
	t := s.passes.ticket(s.cfg.Now().Add(s.cfg.Clocks.Ticket))
	s.mu.Unlock()
	return object{"url": "ws://" + c.host + "/link/?ticket=" + t + "&app_id=" + s.ws.App.ID}, nil
}

// serveSocket opens a socket for a client with a ticket. It accepts any Origin header, because only
// the ticket matters, and because slack-go sends its own Origin.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	ok := s.passes.redeem(r.URL.Query().Get("ticket"), s.cfg.Now())
	s.mu.Unlock()
	if !ok {
		http.Error(w, "the ticket is unknown, used or too old: call apps.connections.open again", http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade answered
	}
	ctx, stop := context.WithCancel(s.life)
	c := &conn{s: s, ws: ws, out: make(chan any, outbox), ctx: ctx, stop: stop}
	// Close makes a blocked read return. It may be called more than once.
	context.AfterFunc(ctx, func() { ws.Close() })
	n := s.hub.add(c)
	c.send(object{
		"type":            "hello",
		"num_connections": n,
		"connection_info": object{"app_id": s.ws.App.ID},
		"debug_info": object{
			"host": "applink-local", "started": s.cfg.Now().UTC().Format("2006-01-02 15:04:05.000"),
			"build_number": 1, "approximate_connection_time": 18060,
		},
	})
	if n > maxSockets {
		c.disconnect(reasonTooMany)
	} else if reason := s.faults.onHello(); reason != "" {
		c.disconnect(reason)
	}
	s.background(c.write)
	c.read()
	s.hub.drop(c)
	stop()
}

// read processes acks until the socket ends.
func (c *conn) read() {
	// If a frame exceeds the limit, the library closes the socket with code 1009, as Slack does.
	c.ws.SetReadLimit(maxFrame)
	answer := c.ws.PingHandler() // the library's: a pong with the ping's payload
	c.ws.SetPingHandler(func(payload string) error {
		if c.isFrozen() {
			return nil
		}
		return answer(payload)
	})
	for {
		c.s.faults.stalled(c.ctx)
		_, data, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		var ack struct {
			EnvelopeID string          `json:"envelope_id"`
			Payload    json.RawMessage `json:"payload"`
		}
		if c.isFrozen() {
			continue
		}
		if json.Unmarshal(data, &ack) != nil || ack.EnvelopeID == "" {
			c.s.cfg.Log.Debug("frame without an envelope id", "bytes", len(data))
			continue
		}
		if c.s.faults.dropAck() {
			continue
		}
		c.s.hub.acked(c, ack.EnvelopeID, ack.Payload)
	}
}

// write sends queued frames and pings.
func (c *conn) write() {
	defer c.stop()
	tick := time.NewTicker(c.s.cfg.Clocks.Ping)
	defer tick.Stop()
	// The first ping is sent at once, because clients expect pings from the start.
	if c.ping() != nil {
		return
	}
	for {
		var err error
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
			c.s.faults.stalled(c.ctx)
			err = c.ping()
		case frame := <-c.out:
			c.s.faults.stalled(c.ctx)
			if cut, ok := frame.(closing); ok {
				c.sayGoodbye(cut)
				return
			}
			if c.isFrozen() {
				continue
			}
			_ = c.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
			err = c.ws.WriteJSON(frame)
		}
		if err != nil {
			return
		}
	}
}

// freeze simulates a connection whose peer disappeared without closing it.
func (c *conn) freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = true
}

func (c *conn) isFrozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozen
}

func (c *conn) ping() error {
	if c.isFrozen() {
		return nil
	}
	payload := "Ping from local Slack " + c.s.cfg.Now().UTC().Format(time.RFC3339)
	return c.ws.WriteControl(websocket.PingMessage, []byte(payload), time.Now().Add(writeTimeout))
}

// closing is queued like a frame, so that earlier frames are sent before the socket closes.
type closing struct{ after time.Duration }

func (c *conn) sayGoodbye(cut closing) {
	t := time.NewTimer(cut.after)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
		return
	}
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
}

// send queues a frame. It returns false if the queue is full or the socket has ended.
func (c *conn) send(frame any) bool {
	select {
	case c.out <- frame:
		return true
	case <-c.ctx.Done():
		return false
	default:
		return false
	}
}

// disconnect tells the client why the socket ends, and then ends it. After a warning, the socket
// still works for the duration Clocks.Warning. For any other reason it ends almost at once, with a
// moment for late acks.
func (c *conn) disconnect(reason string) {
	c.send(object{"type": "disconnect", "reason": reason, "debug_info": object{"host": "applink-local"}})
	if reason == reasonWarning {
		c.s.background(func() {
			t := time.NewTimer(c.s.cfg.Clocks.Warning)
			defer t.Stop()
			select {
			case <-t.C:
				c.disconnect(reasonRefresh)
			case <-c.ctx.Done():
			}
		})
		return
	}
	c.mu.Lock()
	c.draining = true
	c.mu.Unlock()
	c.send(closing{after: 100 * time.Millisecond})
}

func (c *conn) set(deaf bool) {
	c.mu.Lock()
	c.deaf = deaf
	c.mu.Unlock()
}

func (c *conn) state() (deaf, draining bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deaf, c.draining
}
