package app

import (
	"encoding/json"
	"net/http"
	"time"

	"dhbot/internal/audit"
)

// hearsWithin is how old the last sign of life from Slack may be.
const hearsWithin = 45 * time.Second

// Health is what `bot health` shows.
type Health struct {
	OK      bool      `json:"ok"`
	Why     []string  `json:"why,omitempty"` // what is wrong, in plain words
	Replica string    `json:"replica"`
	Since   time.Time `json:"since"`
	Open    int       `json:"open_runs"`
	Head    uint64    `json:"trail_head"`
	Sockets []Socket  `json:"sockets"`
	InHand  int       `json:"in_hand"`
	Room    int       `json:"room"`
}

// Socket is one connection to Slack.
type Socket struct {
	Up    bool      `json:"up"`
	Since time.Time `json:"since"`
	Heard time.Time `json:"heard"`
	Error string    `json:"error,omitempty"`
}

// control answers the other commands of the binary.
func (b *bot) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", b.serveHealth)
	mux.HandleFunc("GET /trail", b.serveTrail)
	return mux
}

func (b *bot) serveHealth(w http.ResponseWriter, r *http.Request) {
	h := Health{Replica: b.Replica, Since: b.started}
	slack := b.slack.Health()
	h.InHand, h.Room = slack.InHand, slack.Room
	for _, s := range slack.Sockets {
		out := Socket{Up: s.Up, Since: s.Since, Heard: s.Read}
		if s.Err != nil {
			out.Error = s.Err.Error()
		}
		h.Sockets = append(h.Sockets, out)
	}
	if !slack.Hears(b.Now(), hearsWithin) {
		h.Why = append(h.Why, "no socket has heard from Slack lately")
	}
	if open, err := b.Store.Open(r.Context()); err != nil {
		h.Why = append(h.Why, "the state store: "+err.Error())
	} else {
		h.Open = len(open)
	}
	if head, ok, err := b.Store.Head(r.Context()); err == nil && ok {
		h.Head = head.N
	}
	h.OK = len(h.Why) == 0
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(h); err != nil {
		b.Log.Warn("health not sent", "err", err)
	}
}

// serveTrail writes the whole trail as an export. Its end line tells a whole
// export from one that was cut off.
func (b *bot) serveTrail(w http.ResponseWriter, r *http.Request) {
	if err := audit.WriteExport(w, audit.Head{}, audit.Entries(r.Context(), b.Store, 1)); err != nil {
		b.Log.Warn("trail not sent whole", "err", err)
	}
}
