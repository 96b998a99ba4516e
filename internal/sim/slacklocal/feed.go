package slacklocal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// change is one line of the page's live feed. It tells where something changed but not what,
// because the listener may not be allowed to see the content.
type change struct {
	Type    string `json:"type"` // message or view
	Channel string `json:"channel,omitempty"`
	User    string `json:"user,omitempty"`
}

// feed notifies listeners of changes.
type feed struct {
	mu        sync.Mutex
	listeners map[chan change]bool
}

func newFeed() *feed { return &feed{listeners: map[chan change]bool{}} }

func (f *feed) message(m *Message) { f.tell(change{Type: "message", Channel: m.Channel}) }

func (f *feed) view(user string) { f.tell(change{Type: "view", User: user}) }

// tell sends a change to all listeners without waiting. If a listener is too far behind, tell
// disconnects it, and the listener must read everything again.
func (f *feed) tell(c change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.listeners {
		select {
		case l <- c:
		default:
			delete(f.listeners, l)
			close(l)
		}
	}
}

func (f *feed) listen() (changes <-chan change, leave func()) {
	l := make(chan change, 256)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners[l] = true
	return l, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners, l)
	}
}

// serveFeed serves GET /local/events: server-sent events until the client
// disconnects.
func (s *Server) serveFeed(w http.ResponseWriter, r *http.Request) {
	changes, leave := s.feed.listen()
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	fmt.Fprint(w, ": hello\n\n")
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	for {
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.life.Done():
			return
		case <-alive.C:
			fmt.Fprint(w, ": alive\n\n")
		case c, ok := <-changes:
			if !ok {
				return
			}
			data, err := json.Marshal(c)
			if err != nil {
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", data)
		}
	}
}
