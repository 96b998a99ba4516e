package slacklocal

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// faults are the injected faults that are neither used up nor cleared.
type faults struct {
	mu         sync.Mutex
	stallUntil time.Time
	hello      string          // disconnect reason for every new socket
	acks       int             // acks to lose
	offset     time.Duration   // offset of Slack's clock
	refused    map[bool]string // the error for a refused token; the key is true for the app token, false for the bot token
	calls      []*callFault
}

// callFault changes Web API calls.
type callFault struct {
	method string // "" any
	left   int    // calls still to change; < 0 means until cleared
	limit  time.Duration
	err    string
	slow   time.Duration
}

func newFaults() *faults { return &faults{} }

// stalled waits until the simulated network is no longer stalled, or until ctx ends.
func (f *faults) stalled(ctx context.Context) {
	f.mu.Lock()
	// A stall lasts for real time, independent of the simulated clock of Slack.
	d := time.Until(f.stallUntil)
	f.mu.Unlock()
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (f *faults) onHello() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hello
}

func (f *faults) dropAck() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.acks == 0 {
		return false
	}
	f.acks--
	return true
}

// onCall returns the faults that apply to one call, and counts the call for each.
func (f *faults) onCall(method string) []callFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var hit []callFault
	kept := f.calls[:0]
	for _, c := range f.calls {
		if c.method == "" || c.method == method {
			hit = append(hit, *c)
			if c.left > 0 {
				c.left--
			}
		}
		if c.left != 0 {
			kept = append(kept, c)
		}
	}
	f.calls = kept
	return hit
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stallUntil, f.hello, f.acks, f.calls = time.Time{}, "", 0, nil
	f.offset, f.refused = 0, nil
}

// Fault is a fault to inject. Kind decides which fields are used:
//
//	disconnect  Reason (warning, refresh_requested, link_disabled,
//	            too_many_websockets), Connections (the oldest n, 0 for all),
//	            Each (also every new socket, right after its hello)
//	cut         Connections: ends the TCP connection without a close frame
//	deaf        Connections: the sockets stay open and ping, but get no payload
//	half-open   Connections: no more traffic, and no close
//	drop-acks   Count: this many acks are lost
//	redeliver   Count: the newest events are sent again
//	stall       MS: no traffic for this long, neither calls nor frames
//	slow        MS, Method, Count: calls take this much longer
//	ratelimit   Count, Method, RetryAfter (seconds): calls get 429
//	api-error   Error, Method, Count: calls get ok:false with this error
//	revoke      Token (bot or app), Error: every call with it fails, by default
//	            with token_revoked; an app token's sockets are closed
//	clock       MS: Slack's clock is this far ahead of the system clock
//	clear       ends all of the above
//
// Count 0 means 1; a negative Count means until cleared. Method "" is any.
type Fault struct {
	Kind        string `json:"kind"`
	Reason      string `json:"reason,omitempty"`
	Connections int    `json:"connections,omitempty"`
	Each        bool   `json:"each,omitempty"`
	Count       int    `json:"count,omitempty"`
	Method      string `json:"method,omitempty"`
	RetryAfter  int    `json:"retry_after,omitempty"`
	MS          int    `json:"ms,omitempty"`
	Error       string `json:"error,omitempty"`
	Token       string `json:"token,omitempty"`
}

// Inject injects a fault.
func (s *Server) Inject(f Fault) error {
	if f.Count == 0 {
		f.Count = 1
	}
	switch f.Kind {
	case "disconnect":
		return s.injectDisconnect(f)
	case "cut":
		for _, c := range s.hub.open(f.Connections) {
			c.stop()
		}
	case "deaf":
		for _, c := range s.hub.open(f.Connections) {
			c.set(true)
		}
	case "half-open":
		for _, c := range s.hub.open(f.Connections) {
			c.freeze()
		}
	case "revoke":
		return s.revoke(f)
	case "clock":
		s.faults.change(func(a *faults) { a.offset = time.Duration(f.MS) * time.Millisecond })
	case "drop-acks":
		s.faults.change(func(a *faults) { a.acks = f.Count })
	case "redeliver":
		if s.redeliver(f.Count) == 0 {
			return fmt.Errorf("there is no event to deliver again: mention the bot first")
		}
	case "stall":
		if f.MS <= 0 {
			return fmt.Errorf("stall needs ms, the duration of the stall")
		}
		until := time.Now().Add(time.Duration(f.MS) * time.Millisecond)
		s.faults.change(func(a *faults) { a.stallUntil = until })
	case "slow", "ratelimit", "api-error":
		return s.injectCallFault(f)
	case "clear":
		s.faults.clear()
		for _, c := range s.hub.open(0) {
			c.set(false)
		}
	default:
		return fmt.Errorf("unknown fault kind %q: use disconnect, cut, deaf, half-open, drop-acks, redeliver, revoke, clock, stall, slow, ratelimit, api-error or clear", f.Kind)
	}
	return nil
}

func (f *faults) change(do func(*faults)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do(f)
}

// revoke makes every call with a token fail.
func (s *Server) revoke(f Fault) error {
	if f.Token != "bot" && f.Token != "app" {
		return fmt.Errorf("revoke needs token=bot or token=app")
	}
	app := f.Token == "app"
	s.faults.change(func(a *faults) {
		if a.refused == nil {
			a.refused = map[bool]string{}
		}
		a.refused[app] = cmp.Or(f.Error, "token_revoked")
	})
	if app {
		for _, c := range s.hub.open(0) {
			c.stop()
		}
	}
	return nil
}

// refusal returns the error with which Slack refuses the app token or else the bot token, or "" if
// the token is accepted. The error is token_revoked unless the fault names another.
func (f *faults) refusal(app bool) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused[app]
}

// ahead returns how far Slack's simulated clock is ahead of the system clock.
func (f *faults) ahead() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.offset
}

func (s *Server) injectDisconnect(f Fault) error {
	switch f.Reason {
	case "":
		f.Reason = reasonRefresh
	case reasonWarning, reasonRefresh, reasonDisabled, reasonTooMany:
	default:
		return fmt.Errorf("unknown disconnect reason %q: use warning, refresh_requested, link_disabled or too_many_websockets", f.Reason)
	}
	if f.Each {
		s.faults.change(func(a *faults) { a.hello = f.Reason })
	}
	for _, c := range s.hub.open(f.Connections) {
		c.disconnect(f.Reason)
	}
	return nil
}

func (s *Server) injectCallFault(f Fault) error {
	c := &callFault{method: f.Method, left: f.Count}
	switch {
	case f.Kind == "slow" && f.MS > 0:
		c.slow = time.Duration(f.MS) * time.Millisecond
	case f.Kind == "ratelimit":
		c.limit = time.Duration(max(1, f.RetryAfter)) * time.Second
	case f.Kind == "api-error" && f.Error != "":
		c.err = f.Error
	case f.Kind == "slow":
		return fmt.Errorf("slow needs ms, the additional duration of a call")
	default:
		return fmt.Errorf("api-error needs error, e.g. \"fatal_error\"")
	}
	s.faults.change(func(a *faults) { a.calls = append(a.calls, c) })
	return nil
}

// serveFault serves POST /local/fault.
func (s *Server) serveFault(_ *http.Request, f Fault) (any, error) {
	return object{}, s.Inject(f)
}
