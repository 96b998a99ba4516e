package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"dhbot/auth"
	"dhbot/handlers"
	"dhbot/internal/audit"
	"dhbot/internal/control"
	"dhbot/internal/engine"
	"dhbot/internal/redact"
	"dhbot/internal/sshkey"
)

// Config is what a Server needs; every field must be set.
type Config struct {
	// Keys are people's public keys, by their name in the config.
	Keys map[string][]sshkey.Key
	// Command answers a command whose person has proved who they are.
	Command func(context.Context, handlers.Message, handlers.Reply) handlers.Outcome
	// Run reads a run as it stands.
	Run func(ctx context.Context, id string) (engine.Stored, error)
	// Log takes the record of a proof that did not hold.
	Log    audit.Log
	Now    func() time.Time
	Logger *slog.Logger
}

// Server answers on the socket.
type Server struct {
	Config
	challenges challenges
	refusals   refusals
	sessions   chan struct{}
	work       sync.WaitGroup
}

// maxSessions is how many commands may be answered or followed at a time.
const maxSessions = 32

// New checks that nothing is missing.
func New(c Config) (*Server, error) {
	if c.Keys == nil || c.Command == nil || c.Run == nil || c.Log == nil || c.Now == nil || c.Logger == nil {
		return nil, errors.New("terminal: every field of Config must be set")
	}
	return &Server{Config: c, sessions: make(chan struct{}, maxSessions), challenges: challenges{now: c.Now}, refusals: refusals{now: c.Now}}, nil
}

// Serve answers on l until ctx ends, and returns when every command in hand
// has been let go of.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ask", s.serveAsk)
	mux.HandleFunc("POST /do", func(w http.ResponseWriter, r *http.Request) {
		s.work.Add(1)
		defer s.work.Done()
		s.serveDo(ctx, w, r)
	})
	err := control.Serve(ctx, l, mux)
	s.work.Wait()
	return err
}

// serveAsk gives out a challenge for the first key offered that is somebody's.
func (s *Server) serveAsk(w http.ResponseWriter, r *http.Request) {
	var a ask
	if !decode(w, r, &a) {
		return
	}
	if len(a.Command) > maxCommand {
		http.Error(w, fmt.Sprintf("a command has at most %d bytes", maxCommand), http.StatusBadRequest)
		return
	}
	person, key, err := s.whose(a)
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	nonce, err := s.challenges.give(person, a.Command, key)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(challenge{Nonce: nonce, Person: person, Key: key.Wire()}); err != nil {
		s.Logger.Warn("a challenge was not sent", "err", err)
	}
}

// whose finds the person whom one of the offered keys belongs to. It proves
// nothing yet.
func (s *Server) whose(a ask) (person string, key sshkey.Key, err error) {
	found := map[string]sshkey.Key{}
	for _, wire := range a.Keys {
		offered, err := sshkey.FromWire(wire)
		if err != nil {
			continue
		}
		for name, keys := range s.Keys {
			for _, k := range keys {
				if _, first := found[name]; k.Equal(offered) && !first {
					found[name] = k
				}
			}
		}
	}
	if a.As != "" {
		if key, ok := found[a.As]; ok {
			return a.As, key, nil
		}
		return "", sshkey.Key{}, fmt.Errorf("none of your %d keys is one of %s's in the config (people.%s.keys)", len(a.Keys), printable(a.As), printable(a.As))
	}
	switch len(found) {
	case 0:
		return "", sshkey.Key{}, fmt.Errorf("none of your %d keys is anybody's in the config: whoever runs the bot can add the line of a .pub file under people.NAME.keys", len(a.Keys))
	case 1:
		for name, key := range found {
			return name, key, nil
		}
	}
	return "", sshkey.Key{}, errors.New("your keys are several people's: say --as NAME")
}

// serveDo checks the proof and, where it holds, carries the command out and
// streams what comes of it. Once begun a command is carried through even if
// the person hangs up; only the following of a run ends then.
func (s *Server) serveDo(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	var p proof
	if !decode(w, r, &p) {
		return
	}
	select {
	case s.sessions <- struct{}{}:
		defer func() { <-s.sessions }()
	default:
		http.Error(w, "too many commands are under way at this socket; please try again in a minute", http.StatusServiceUnavailable)
		return
	}
	person, err := s.prove(p)
	if err != nil {
		s.refused(r.Context(), person, err)
		http.Error(w, "Not allowed: "+err.Error(), http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	if err := http.NewResponseController(w).Flush(); err != nil {
		s.Logger.Debug("the answer has not begun", "err", err)
	}
	out := newStream(w)
	s.carryOut(ctx, r.Context(), person, p, out)
}

// prove consumes the challenge and checks the signature over it. The person
// comes back beside an error too, where the challenge named one.
func (s *Server) prove(p proof) (person string, err error) {
	c, err := s.challenges.take(p.Nonce)
	if err != nil {
		return "", err
	}
	if c.command != p.Command {
		return c.person, errors.New("the challenge was given for another command")
	}
	key, err := sshkey.Verify(p.Signature, Purpose, words(p.Nonce, c.person, c.command))
	if err != nil {
		return c.person, err
	}
	if !key.Equal(c.key) {
		return c.person, fmt.Errorf("the signature is not of the key that was asked for")
	}
	return c.person, nil
}

// refused records a proof that did not hold. The name is what was claimed.
func (s *Server) refused(ctx context.Context, person string, why error) {
	s.Logger.Warn("a proof at the terminal did not hold", "claimed", person, "err", why)
	if !s.refusals.worth() {
		return
	}
	account := auth.Account{Team: auth.LocalTeam, User: person}
	rec := audit.Record{At: s.Now(), Kind: audit.Refused, Account: account.String(), Via: string(handlers.Terminal), Text: redact.Line("Not allowed: "+why.Error(), 300)}
	if err := s.Log.Append(ctx, rec, ""); err != nil {
		s.Logger.Error("a refusal is not recorded", "err", err)
	}
}

// refusals bounds what somebody without a key can have written into the trail.
type refusals struct {
	now   func() time.Time
	mu    sync.Mutex
	since time.Time
	n     int
}

const refusalsPerMinute = 10

func (r *refusals) worth() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.since) > time.Minute {
		r.since, r.n = now, 0
	}
	r.n++
	return r.n <= refusalsPerMinute
}

func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		http.Error(w, "this request is not understood; are bot and `bot do` of the same version?", http.StatusBadRequest)
		return false
	}
	return true
}

// printable is a word of a stranger's for an answer.
func printable(s string) string { return redact.Line(s, 40) }
