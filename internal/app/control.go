package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/control"
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
	// Echo is how the last round trip through Slack went, "" for not known.
	Echo string `json:"echo,omitempty"`
	// Store is how the state store is; nil where it does not tell.
	Store *StoreHealth `json:"store,omitempty"`
}

// StoreHealth is how the state store is.
type StoreHealth struct {
	State string   `json:"state"`           // one of etcdstore's states
	Notes []string `json:"notes,omitempty"` // what is worth knowing, beside what is wrong
	Size  int64    `json:"size"`            // bytes of the database
	InUse int64    `json:"in_use"`          // bytes of it that hold data
	Quota int64    `json:"quota"`           // most bytes, 0 for unknown
	// Of the trail: records not sealed yet, the first entry that is in the
	// store and not only in the archive, the last that was posted.
	Pending int64  `json:"pending"`
	Stored  uint64 `json:"stored_from"`
	Posted  uint64 `json:"posted"`
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
	mux.HandleFunc("GET /readyz", b.serveReady)
	mux.HandleFunc("GET /trail", b.serveTrail)
	mux.HandleFunc("GET /backup", b.serveBackup)
	return mux
}

func (b *bot) serveHealth(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(b.health(r.Context())); err != nil {
		b.Log.Warn("health not sent", "err", err)
	}
}

// serveReady answers with 200 where the bot is well, and 503 with what is wrong
// where it is not: what a supervisor asks that reads nothing else.
func (b *bot) serveReady(w http.ResponseWriter, r *http.Request) {
	if h := b.health(r.Context()); !h.OK {
		http.Error(w, strings.Join(h.Why, "\n"), http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, "ok") // who asked may have gone
}

// health asks every part how it is.
func (b *bot) health(ctx context.Context) Health {
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
	b.askStore(ctx, &h)
	if open, err := b.Store.Open(ctx); err != nil {
		if h.Store == nil { // else it has said so
			h.Why = append(h.Why, "the state store: "+err.Error())
		}
	} else {
		h.Open = len(open)
	}
	if head, ok, err := b.Store.Head(ctx); err == nil && ok {
		h.Head = head.N
	}
	deaf, echo := b.echoHealth(ctx)
	h.Echo = echo
	h.Why = append(h.Why, notEmpty(deaf, b.strangers.say(), b.term.ill())...)
	h.Why = append(h.Why, b.apart(ctx)...)
	h.OK = len(h.Why) == 0
	return h
}

// Lines tell it to a person: first of all what is wrong.
func (h Health) Lines() []string {
	lines := slices.Clone(h.Why)
	say := func(format string, args ...any) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
	for i, s := range h.Sockets {
		state := "down"
		if s.Up {
			state = "up"
		}
		say("socket %d %s since %s, heard %s %s", i+1, state, s.Since.UTC().Format("15:04:05"), s.Heard.UTC().Format("15:04:05 MST"), s.Error)
	}
	lines = append(lines, notEmpty(h.Echo)...)
	if st := h.Store; st != nil {
		say("state store %s: %d of %d MiB in use, %d records not sealed, trail in it from #%d, posted to #%d",
			st.State, st.InUse>>20, st.Quota>>20, st.Pending, st.Stored, st.Posted)
		lines = append(lines, st.Notes...)
	}
	say("%d open runs, %d of %d deliveries in hand, trail at #%d", h.Open, h.InHand, h.Room, h.Head)
	return lines
}

// askStore adds what the store says of itself.
func (b *bot) askStore(ctx context.Context, h *Health) {
	if b.StoreHealth == nil {
		return
	}
	s, err := b.StoreHealth(ctx)
	h.Store = &StoreHealth{
		State: string(s.State), Notes: s.Notes, Size: s.Size, InUse: s.InUse, Quota: s.Quota,
		Pending: s.Pending, Stored: s.Stored, Posted: s.Posted,
	}
	if err != nil || len(s.Why) > 0 {
		h.Why = append(h.Why, "the state store: "+strings.Join(s.Why, "; "))
	}
}

// serveTrail writes the whole trail as an export, with all that happened until
// now where this replica seals. Its end line tells a whole
// export from one that was cut off, and the trailer says why it was.
func (b *bot) serveTrail(w http.ResponseWriter, r *http.Request) {
	control.Declare(w)
	if _, err := b.Store.Seal(r.Context()); err != nil {
		b.Log.Warn("the trail is sent without its newest records", "err", err)
	}
	if err := audit.WriteExport(w, audit.Head{}, audit.Entries(r.Context(), b.Store, 1)); err != nil {
		b.Log.Warn("trail not sent whole", "err", err)
		control.Fail(w, err)
	}
}

// serveBackup writes a backup of the state.
func (b *bot) serveBackup(w http.ResponseWriter, r *http.Request) {
	if b.Backup == nil {
		http.Error(w, "this store makes no backups", http.StatusNotImplemented)
		return
	}
	control.Declare(w)
	m, err := b.Backup(r.Context(), w)
	if err != nil {
		b.Log.Error("backup not written", "err", err)
		control.Fail(w, err)
		return
	}
	b.Log.Info("a backup was taken", "head", m.Head.N)
}
