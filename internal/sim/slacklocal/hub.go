package slacklocal

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// outcome tells what became of a payload that was sent to the app.
type outcome uint8

// The closed set of outcomes.
const (
	acked    outcome = iota
	timedOut         // no ack within Clocks.Ack, or the socket broke
	noSocket         // no socket was open
)

// operationTimeout is the error that a person sees if the app did not acknowledge their action.
// Slash commands and clicks are never sent again.
const operationTimeout = "operation_timeout"

// hub has the open sockets and the payloads that wait for an ack.
type hub struct {
	s *Server

	mu      sync.Mutex
	conns   []*conn // in the order of opening
	turn    int
	waiting map[string]waiting // by envelope id
	missed  int                // deliveries that ended with timedOut
}

type waiting struct {
	on  *conn
	ack chan json.RawMessage
}

func newHub(s *Server) *hub { return &hub{s: s, waiting: map[string]waiting{}} }

func (h *hub) add(c *conn) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = append(h.conns, c)
	return len(h.conns)
}

func (h *hub) drop(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.conns, c); i >= 0 {
		h.conns = slices.Delete(h.conns, i, i+1)
	}
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns)
}

// open lists the open sockets, oldest first. If n is above 0, it lists at most n.
func (h *hub) open(n int) []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := slices.Clone(h.conns)
	if n > 0 && n < len(list) {
		list = list[:n]
	}
	return list
}

func (h *hub) closeAll() {
	for _, c := range h.open(0) {
		c.stop()
	}
}

// pick returns the next socket in turn, or nil if there is none. The real Slack may choose any
// socket.
func (h *hub) pick() *conn {
	for range h.conns {
		h.turn++
		c := h.conns[h.turn%len(h.conns)]
		if _, draining := c.state(); !draining {
			return c
		}
	}
	return nil
}

// envelope is a payload that is being sent to one socket.
type envelope struct {
	kind    string // slash_commands, interactive, events_api
	payload object
	accepts bool // the ack may carry an answer
	attempt int  // events: 0 for the first delivery
}

// deliver sends one payload to one socket and waits for its ack.
func (h *hub) deliver(e envelope) (json.RawMessage, outcome) {
	id := secret()
	w := waiting{ack: make(chan json.RawMessage, 1)}
	h.mu.Lock()
	w.on = h.pick()
	if w.on == nil {
		h.mu.Unlock()
		return nil, noSocket
	}
	h.waiting[id] = w
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.waiting, id)
		h.mu.Unlock()
	}()

	frame := object{"envelope_id": id, "type": e.kind, "payload": e.payload, "accepts_response_payload": e.accepts}
	if e.kind == "events_api" {
		frame["retry_attempt"], frame["retry_reason"] = e.attempt, ""
		if e.attempt > 0 {
			frame["retry_reason"] = "timeout"
		}
	}
	if deaf, _ := w.on.state(); !deaf {
		w.on.send(frame)
	}
	t := time.NewTimer(h.s.cfg.Clocks.Ack)
	defer t.Stop()
	select {
	case answer := <-w.ack:
		return answer, acked
	case <-t.C:
		h.miss()
		return nil, timedOut
	case <-h.s.life.Done():
		return nil, timedOut
	}
}

func (h *hub) miss() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missed++
}

func (h *hub) missedAcks() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.missed
}

func (h *hub) unacked() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.waiting)
}

// acked passes an ack to the delivery that waits for it. An ack counts only once, and only if it
// comes from the socket that got the payload.
func (h *hub) acked(c *conn, id string, answer json.RawMessage) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w, ok := h.waiting[id]; ok && w.on == c {
		delete(h.waiting, id)
		w.ack <- answer
	}
}

// sentEvent is an event for redelivery.
type sentEvent struct {
	payload object
	attempt int
}

const rememberedEvents = 100

// publish delivers an event, and repeats the delivery on Slack's schedule until it is
// acked. publish returns at once.
func (s *Server) publish(event object, shared bool) {
	now := s.cfg.Now()
	payload := object{
		"token": "local", "team_id": s.ws.Team.ID, "context_team_id": s.ws.Team.ID, "context_enterprise_id": nil,
		"api_app_id": s.ws.App.ID, "type": "event_callback", "event": event,
		"event_id": "Ev" + secret(), "event_time": now.Unix(), "event_context": "local",
		"is_ext_shared_channel": shared,
		"authorizations": []object{{
			"enterprise_id": nil, "team_id": s.ws.Team.ID, "user_id": s.ws.App.UserID,
			"is_bot": true, "is_enterprise_install": false,
		}},
	}
	s.mu.Lock()
	s.events = append(s.events, sentEvent{payload: payload})
	if len(s.events) > rememberedEvents {
		s.events = s.events[1:]
	}
	s.mu.Unlock()
	s.background(func() {
		e := envelope{kind: "events_api", payload: payload}
		if _, how := s.hub.deliver(e); how == acked {
			return
		}
		for i, pause := range s.cfg.Clocks.Retries {
			if !s.sleep(pause) {
				return
			}
			e.attempt = i + 1
			if _, how := s.hub.deliver(e); how == acked {
				return
			}
		}
		s.cfg.Log.Warn("an event was never acked", "event_id", payload["event_id"])
	})
}

// redeliver sends the newest n events again, in new envelopes with the same event_id. It
// returns the number of events sent.
func (s *Server) redeliver(n int) int {
	s.mu.Lock()
	n = min(n, len(s.events))
	var list []envelope
	for i := len(s.events) - n; i < len(s.events); i++ {
		s.events[i].attempt++
		list = append(list, envelope{kind: "events_api", payload: s.events[i].payload, attempt: s.events[i].attempt})
	}
	s.mu.Unlock()
	for _, e := range list {
		s.background(func() { s.hub.deliver(e) })
	}
	return n
}
