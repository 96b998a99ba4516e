package localshell

import (
	"context"
	"crypto/sha256"
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
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/redact"
	"dhbot/internal/sshkey"
)

// Config has the dependencies of a Server; every field must be set.
type Config struct {
	// Keys has the public keys of each person, by the person's name in the config.
	Keys map[string][]sshkey.Key
	// Command runs a command after the person was verified.
	Command func(context.Context, call.Message, call.Reply) handlers.Outcome
	// Run reads a run from the store.
	Run func(ctx context.Context, id string) (engine.Stored, error)
	// Log receives a record of each failed proof, up to a limit per minute.
	Log    audit.Log
	Now    func() time.Time
	Logger *slog.Logger
}

// Server serves the socket.
type Server struct {
	Config
	challenges *challenges
	proposals  proposals
	refusals   refusals
	sessions   sessions
	work       sync.WaitGroup
}

// New makes a Server. It returns an error if a field of the config is not set.
func New(c Config) (*Server, error) {
	if c.Keys == nil || c.Command == nil || c.Run == nil || c.Log == nil || c.Now == nil || c.Logger == nil {
		return nil, errors.New("terminal: every field of Config must be set")
	}
	open, err := newChallenges(c.Now)
	return &Server{Config: c, challenges: open, refusals: refusals{now: c.Now}}, err
}

// Serve serves l until ctx ends. Then it waits until every running command has ended, and cancels
// the commands that take longer than the time grace.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+askPath, s.serveAsk)
	mux.HandleFunc("POST /do", func(w http.ResponseWriter, r *http.Request) {
		s.work.Add(1)
		defer s.work.Done()
		s.serveDo(ctx, w, r)
	})
	err := adminsock.Serve(ctx, l, mux)
	s.work.Wait()
	return err
}

// serveAsk issues a challenge for the first offered key that belongs to a person in the config.
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
		s.Logger.WarnContext(r.Context(), "a challenge was not sent", "err", err)
	}
}

// whose finds the person who has one of the offered keys. This proves nothing yet, because nothing
// is signed.
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
		return "", sshkey.Key{}, fmt.Errorf("none of your %d keys is a key of %s in the config (people.%s.keys)", len(a.Keys), printable(a.As), printable(a.As))
	}
	switch len(found) {
	case 0:
		return "", sshkey.Key{}, fmt.Errorf("none of your %d keys is in the config: the bot's administrator can add the line of a .pub file under people.NAME.keys", len(a.Keys))
	case 1:
		for name, key := range found {
			return name, key, nil
		}
	}
	return "", sshkey.Key{}, errors.New("your keys belong to several people: use --as NAME")
}

// serveDo verifies the proof, runs the command, and streams its events. If the person disconnects,
// the command continues, but its run is no longer followed.
func (s *Server) serveDo(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	var p proof
	if !decode(w, r, &p) {
		return
	}
	person, err := s.prove(p)
	if err != nil {
		s.refused(r.Context(), person, err)
		http.Error(w, "Not allowed: "+err.Error(), http.StatusForbidden)
		return
	}
	if !s.sessions.begin(person) {
		http.Error(w, fmt.Sprintf("%d of your commands are already running: end one of them, or try again in a minute", sessionsEach), http.StatusServiceUnavailable)
		return
	}
	defer s.sessions.end(person)
	w.Header().Set("Content-Type", "application/x-ndjson")
	if err := http.NewResponseController(w).Flush(); err != nil {
		s.Logger.DebugContext(ctx, "the answer to a command could not be started", "err", err)
	}
	out := newStream(w)
	who := origin{person: person}
	if uid, ok := adminsock.Peer(r.Context()); ok {
		who.user = fmt.Sprintf("uid %d", uid)
	}
	s.carryOut(ctx, r.Context(), who, p, out)
}

// prove verifies the signature of a challenge, and marks the challenge as answered. If the data in
// the challenge can be read, prove returns the person even with an error.
func (s *Server) prove(p proof) (person string, err error) {
	c, err := s.challenges.read(p.Nonce)
	if err != nil {
		return c.person, err
	}
	if err := answers(p, c); err != nil {
		s.challenges.spoil(c)
		return c.person, err
	}
	return c.person, s.challenges.spend(c)
}

// answers returns an error if a proof does not belong to a challenge.
func answers(p proof, c given) error {
	if sha256.Sum256([]byte(p.Command)) != c.command {
		return errors.New("the challenge was issued for another command")
	}
	key, err := sshkey.Verify(p.Signature, Purpose, words(p.Nonce, c.person, p.Command))
	if err != nil {
		return err
	}
	if sha256.Sum256(key.Wire()) != c.key {
		return errors.New("the signature is not by the requested key")
	}
	return nil
}

// sessions counts the commands that run or are followed, for each person, because the limit is per
// person.
type sessions struct {
	mu sync.Mutex
	of map[string]int
}

// sessionsEach is the maximum number of concurrent commands of one person.
const sessionsEach = 8

func (s *sessions) begin(person string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[person] >= sessionsEach {
		return false
	}
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.of[person]++
	return true
}

func (s *sessions) end(person string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[person]--; s.of[person] == 0 {
		delete(s.of, person)
	}
}

// refused records a failed proof. The person is only claimed, because the proof failed.
func (s *Server) refused(ctx context.Context, person string, why error) {
	s.Logger.WarnContext(ctx, "a proof at the terminal failed", "claimed", person, "err", why)
	if !s.refusals.worth() {
		return
	}
	account := auth.Account{Team: auth.LocalTeam, User: person}
	rec := audit.Record{
		At:      s.Now(),
		Kind:    audit.Refused,
		Account: account.String(),
		Via:     string(call.Terminal),
		Text:    redact.Line("Not allowed: "+why.Error(), 300),
	}
	if err := s.Log.Append(ctx, rec, ""); err != nil {
		s.Logger.ErrorContext(ctx, "the record of a refusal could not be stored", "err", err)
	}
}

// refusals limits the rate of audit records that callers without a key can cause.
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
		http.Error(w, "this request cannot be parsed: check that the bot and `bot do` have the same version", http.StatusBadRequest)
		return false
	}
	return true
}

// printable makes untrusted text safe to show in an answer.
func printable(s string) string { return redact.Line(s, 40) }
