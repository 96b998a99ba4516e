package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/slackio"
)

// hearsWithin is how recently Slack must have sent anything for the bot to count as connected.
const hearsWithin = 20 * time.Second

// clockUnfit is the smallest offset from Slack's clock at which the bot counts as unhealthy.
// Deadlines account for the offset, but cards and records show times that are wrong by the offset.
const clockUnfit = time.Minute

// Health is the content of `bot health`.
type Health struct {
	OK       bool      `json:"ok"`
	Why      []string  `json:"why,omitempty"` // the problems, in plain words
	Replica  string    `json:"replica"`
	Since    time.Time `json:"since"`
	Open     int       `json:"open_runs"`
	Head     uint64    `json:"trail_head"`
	Sockets  []Socket  `json:"sockets"`
	Pending  int       `json:"in_hand"`
	Capacity int       `json:"room"`
	// RoundTrip is the result of the last round trip through Slack, "" if unknown.
	RoundTrip string `json:"echo,omitempty"`
	// Clock is the offset from Slack's clock, "" for none.
	Clock string `json:"clock,omitempty"`
	// Config is the reason why a newer config was refused, or "".
	Config string `json:"config,omitempty"`
	// SSH lists user certificates that expire soon.
	SSH []string `json:"ssh,omitempty"`
	// Store is the health of the state store; nil if it does not report one.
	Store *StoreHealth `json:"store,omitempty"`
}

// StoreHealth is the health of the state store.
type StoreHealth struct {
	State string   `json:"state"`           // one of etcdstore's states
	Notes []string `json:"notes,omitempty"` // notes, in addition to the problems
	Size  int64    `json:"size"`            // bytes of the database
	InUse int64    `json:"in_use"`          // bytes in use
	Quota int64    `json:"quota"`           // largest size, 0 if unknown
	// Pending is the number of records that are not yet sealed into the trail.
	Pending int64 `json:"pending"`
	// Stored is the number of the oldest trail entry in the store. Older entries are only in
	// the archive.
	Stored uint64 `json:"stored_from"`
	// Posted is the number of the last trail entry that was posted.
	Posted uint64 `json:"posted"`
	// Epoch is the epoch of the state, 0 if the state is not signed.
	Epoch uint64 `json:"epoch,omitempty"`
	// Witnesses are the witnesses of the trail's heads.
	Witnesses []WitnessHealth `json:"witnesses,omitempty"`
}

// WitnessHealth describes which part of the trail a witness has.
type WitnessHealth struct {
	Name    string `json:"name"`
	Entries uint64 `json:"entries"`       // covered by its last head
	Missing uint64 `json:"missing"`       // entries that no head of the witness covers yet
	Why     string `json:"why,omitempty"` // why the witness receives nothing or is ignored
}

// Socket is one connection to Slack.
type Socket struct {
	Up    bool      `json:"up"`
	Since time.Time `json:"since"`
	Heard time.Time `json:"heard"`
	Error string    `json:"error,omitempty"`
}

// control returns the handler of the admin socket, which answers commands such as `bot health`.
func (b *bot) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", b.serveHealth)
	mux.HandleFunc("GET /readyz", b.serveReady)
	mux.HandleFunc("GET /healthz", b.serveAlive)
	mux.HandleFunc("GET /trail", b.serveTrail)
	mux.HandleFunc("GET /head", b.serveHead)
	mux.HandleFunc("GET /backup", b.serveBackup)
	return mux
}

func (b *bot) serveHealth(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(b.health(r.Context())); err != nil {
		b.Log.WarnContext(r.Context(), "health not sent", "err", err)
	}
}

// serveAlive answers 200 while the bot's own loops run.
func (b *bot) serveAlive(w http.ResponseWriter, _ *http.Request) {
	if stuck := b.Loops.Stuck(time.Now()); len(stuck) > 0 {
		http.Error(w, strings.Join(stuck, "\n"), http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, "ok") // the caller may be gone
}

// serveReady answers 200 if the bot is healthy, otherwise 503 with the list of problems.
func (b *bot) serveReady(w http.ResponseWriter, r *http.Request) {
	if h := b.health(r.Context()); !h.OK {
		http.Error(w, strings.Join(h.Why, "\n"), http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, "ok") // the client may be gone
}

// health collects the health of every part.
func (b *bot) health(ctx context.Context) Health {
	h := Health{Replica: b.Replica, Since: b.started}
	slack := b.slack.Health()
	h.Pending, h.Capacity = slack.Pending, slack.Capacity
	for _, s := range slack.Sockets {
		out := Socket{Up: s.Up, Since: s.Since, Heard: s.Read}
		if s.Err != nil {
			out.Error = s.Err.Error()
		}
		h.Sockets = append(h.Sockets, out)
	}
	if !slack.Hears(b.Now(), hearsWithin) {
		h.Why = append(h.Why, "no socket has received anything from Slack recently")
	}
	for _, r := range slack.Refused {
		h.Why = append(h.Why, r.String())
	}
	h.Clock = slackio.ClockText(slack.ClockAhead)
	if slack.ClockAhead.Abs() >= clockUnfit {
		h.Why = append(h.Why, h.Clock)
	}
	b.askSSH(&h)
	h.Config = b.refusedConfig()
	b.askStore(ctx, &h)
	if open, err := b.Store.Open(ctx); err != nil {
		if h.Store == nil { // otherwise askStore has already reported the error
			h.Why = append(h.Why, "the state store: "+err.Error())
		}
	} else {
		h.Open = len(open)
	}
	if head, ok, err := b.Store.Head(ctx); err == nil && ok {
		h.Head = head.N
	}
	deaf, echo := b.roundTripHealth(ctx)
	h.RoundTrip = echo
	h.Why = append(h.Why, notEmpty(deaf, b.foreign.say(), b.shell.ill())...)
	h.Why = append(h.Why, b.apart(ctx)...)
	h.OK = len(h.Why) == 0
	return h
}

// Lines formats the health for people, problems first.
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
		say(
			"socket %d %s since %s, last received at %s %s", i+1, state, s.Since.UTC().Format("15:04:05"), s.Heard.UTC().Format("15:04:05 MST"), s.Error,
		)
	}
	if !slices.Contains(h.Why, h.Clock) {
		lines = append(lines, notEmpty(h.Clock)...)
	}
	lines = append(lines, notEmpty(h.RoundTrip)...)
	lines = append(lines, h.SSH...)
	lines = append(lines, notEmpty(h.Config)...)
	if st := h.Store; st != nil {
		say("state store %s: %d of %d MiB in use, %d records not sealed, trail stored from #%d, posted up to #%d",
			st.State, st.InUse>>20, st.Quota>>20, st.Pending, st.Stored, st.Posted)
		lines = append(lines, st.Notes...)
		for _, w := range st.Witnesses {
			say("witness %s: %d entries, %d not sent yet", w.Name, w.Entries, w.Missing)
		}
	}
	say("%d open runs, %d of %d events pending, trail at #%d", h.Open, h.Pending, h.Capacity, h.Head)
	return lines
}

// askSSH adds the user certificates that expire soon to the health. A certificate that has expired
// or expires within an hour, and a failed renewal, make the bot unhealthy.
func (b *bot) askSSH(h *Health) {
	if b.SSHExpiring == nil {
		return
	}
	for _, e := range b.SSHExpiring(b.Now()) {
		if e.Urgent {
			h.Why = append(h.Why, e.Text)
		} else {
			h.SSH = append(h.SSH, e.Text)
		}
	}
}

// askStore adds the store's own report.
func (b *bot) askStore(ctx context.Context, h *Health) {
	if b.StoreHealth == nil {
		return
	}
	s, err := b.StoreHealth(ctx)
	h.Store = &StoreHealth{
		State: string(s.State), Notes: s.Notes, Size: s.Size, InUse: s.InUse, Quota: s.Quota,
		Pending: s.Pending, Stored: s.Stored, Posted: s.Posted, Epoch: s.Epoch,
	}
	for _, w := range s.Witnesses {
		h.Store.Witnesses = append(h.Store.Witnesses, WitnessHealth{Name: w.Name, Entries: w.Entries, Missing: w.Missing, Why: w.Why})
	}
	if err != nil || len(s.Why) > 0 {
		h.Why = append(h.Why, "the state store: "+strings.Join(s.Why, "; "))
	}
}

// serveTrail writes the whole trail as an export, or the entries that TrailParams select. It first
// seals the pending records, unless another replica does this. A complete export ends with an end
// line; for an incomplete export, the HTTP trailer has the reason.
func (b *bot) serveTrail(w http.ResponseWriter, r *http.Request) {
	adminsock.Declare(w)
	if _, err := b.Store.Seal(r.Context()); err != nil {
		b.Log.WarnContext(r.Context(), "the trail is sent without its newest records", "err", err)
	}
	if err := b.writeTrail(r.Context(), r.URL.Query(), w); err != nil {
		b.Log.WarnContext(r.Context(), "the trail was not sent completely", "err", err)
		adminsock.Fail(w, err)
	}
}

func (b *bot) writeTrail(ctx context.Context, params url.Values, w io.Writer) error {
	if len(params) == 0 {
		header, err := b.exportHeader(ctx)
		if err != nil {
			return err
		}
		return audit.WriteExport(w, header, audit.Entries(ctx, b.Store, 1))
	}
	f, err := trailFilter(params)
	if err != nil {
		return err
	}
	return audit.WriteExport(w, audit.Header{}, audit.Matches(ctx, b.Store, f.Query()))
}

// TrailParams are the parameters of GET /trail for the entries that a filter selects. The answer
// has the format of an export. It cannot be verified, because it has only the selected entries and
// no head.
func TrailParams(f audit.Filter) url.Values {
	v := url.Values{"person": {f.Person}, "run": {f.Run}, "target": {f.Target}}
	if !f.Since.IsZero() {
		v.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	return v
}

// trailFilter parses the result of TrailParams.
func trailFilter(v url.Values) (f audit.Filter, err error) {
	f = audit.Filter{Person: v.Get("person"), Run: v.Get("run"), Target: v.Get("target")}
	if since := v.Get("since"); since != "" {
		f.Since, err = time.Parse(time.RFC3339Nano, since)
	}
	return f, err
}

// exportHeader is the header of an export of the whole trail. The head is read before the entries,
// so the export has every entry that the head covers.
func (b *bot) exportHeader(ctx context.Context) (h audit.Header, err error) {
	if b.SignedHead != nil {
		h.Note, err = b.SignedHead(ctx)
	}
	return h, err
}

// serveHead writes the newest signed head of the trail.
func (b *bot) serveHead(w http.ResponseWriter, r *http.Request) {
	if _, err := b.Store.Seal(r.Context()); err != nil {
		b.Log.WarnContext(r.Context(), "the head is sent without the newest records", "err", err)
	}
	h, err := b.exportHeader(r.Context())
	if err == nil && h.Note == "" {
		err = errors.New("there is no signed head yet")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if _, err := io.WriteString(w, h.Note); err != nil {
		b.Log.WarnContext(r.Context(), "the head was not sent", "err", err)
	}
}

// serveBackup writes a backup of the state.
func (b *bot) serveBackup(w http.ResponseWriter, r *http.Request) {
	if b.Backup == nil {
		http.Error(w, "this store makes no backups", http.StatusNotImplemented)
		return
	}
	adminsock.Declare(w)
	m, err := b.Backup(r.Context(), w)
	if err != nil {
		b.Log.ErrorContext(r.Context(), "backup not written", "err", err)
		adminsock.Fail(w, err)
		return
	}
	b.Log.InfoContext(r.Context(), "a backup was taken", "head", m.Head.N)
}
