package localshell

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/handlers"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/sshkey"
	"dhbot/internal/test/keytest"
	"dhbot/internal/test/memstore"
)

// testServer is a server on a real socket. It records the commands whose proof was valid.
type testServer struct {
	t        *testing.T
	socket   string
	store    *memstore.Store
	anna     sshkey.Signer
	ben      sshkey.Signer
	stranger sshkey.Signer

	mu    sync.Mutex
	clock time.Duration
	let   []call.Message
	runs  map[string]engine.Stored
	say   func(context.Context, call.Message, call.Reply) handlers.Outcome
}

func newKey(t *testing.T) sshkey.Signer {
	t.Helper()
	path, _ := keytest.File(t)
	s, err := sshkey.File(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newTestServer(t *testing.T) *testServer {
	t.Helper()
	dir, err := os.MkdirTemp("", "term") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &testServer{t: t, socket: filepath.Join(dir, "s"), store: memstore.New(memstore.Config{}), anna: newKey(t), ben: newKey(t), stranger: newKey(t), runs: map[string]engine.Stored{}}
	d.say = func(ctx context.Context, _ call.Message, r call.Reply) handlers.Outcome {
		_ = r.Show(ctx, card.Card{Head: card.Line{card.T("all is well")}})
		return handlers.Outcome{OK: true}
	}
	s, err := New(Config{
		Keys:    map[string][]sshkey.Key{"anna": {d.anna.Key()}, "ben": {d.ben.Key()}},
		Command: d.command, Run: d.run, Log: d.store, Now: d.now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := adminsock.ListenAt(d.socket, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *testServer) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.clock)
}

func (d *testServer) command(ctx context.Context, m call.Message, r call.Reply) handlers.Outcome {
	d.mu.Lock()
	d.let = append(d.let, m)
	say := d.say
	d.mu.Unlock()
	return say(ctx, m, r)
}

func (d *testServer) run(_ context.Context, id string) (engine.Stored, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	st, ok := d.runs[id]
	if !ok {
		return st, engine.ErrNotFound
	}
	return st, nil
}

// do sends a command and returns the text of all its events.
func (d *testServer) do(r Request) (shown string, end End, err error) {
	var b strings.Builder
	end, err = NewClient(d.socket).Do(d.t.Context(), r, func(e Event) error { b.WriteString(e.Text); return nil })
	return b.String(), end, err
}

func (d *testServer) admitted() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.let)
}

// post sends a request that the real client would never send.
func (d *testServer) post(path string, v any) (code int, body string) {
	d.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		d.t.Fatal(err)
	}
	c := http.Client{Transport: adminsock.Transport(d.socket)}
	resp, err := c.Post("http://bot"+path, "application/json", bytes.NewReader(b))
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp.StatusCode, string(all)
}

func (d *testServer) challenge(command string, s sshkey.Signer) challenge {
	d.t.Helper()
	code, body := d.post("/ask", ask{Command: command, Keys: [][]byte{s.Key().Wire()}})
	var c challenge
	if code != http.StatusOK || json.Unmarshal([]byte(body), &c) != nil {
		d.t.Fatalf("%d %s", code, body)
	}
	return c
}

func sign(t *testing.T, s sshkey.Signer, purpose string, b []byte) []byte {
	t.Helper()
	sig, err := s.Sign(purpose, b)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func TestCommandOfAPersonWithAKey(t *testing.T) {
	d := newTestServer(t)
	shown, end, err := d.do(Request{Command: "status db_dis", Signers: []sshkey.Signer{d.stranger, d.anna}})
	if err != nil || !end.OK || shown != "all is well\n" {
		t.Fatalf("%q, %+v, %v", shown, end, err)
	}
	m := d.let[0]
	if m.Account != (auth.Account{Team: auth.LocalTeam, User: "anna"}) || m.Via != call.Terminal || m.Text != "status db_dis" || m.Channel != "" || m.Key == "" {
		t.Errorf("the command was accepted as %+v", m)
	}
}

// TestShownPlanRunsByItsID runs the plan that the bot showed a person last, by its id. The id works
// once, only for this person, and runs the plan as the bot stored it. The id of an earlier plan no
// longer works.
func TestShownPlanRunsByItsID(t *testing.T) {
	d := newTestServer(t)
	d.say = func(context.Context, call.Message, call.Reply) handlers.Outcome {
		return handlers.Outcome{Proposal: "kept by the bot"}
	}
	ask := func(command string, as sshkey.Signer) End {
		_, end, err := d.do(Request{Command: command, Signers: []sshkey.Signer{as}})
		if err != nil {
			t.Fatal(err)
		}
		return end
	}
	first, second := ask("restart tailer1 everywhere", d.anna), ask("restart tailer1 everywhere", d.anna)
	if !second.Confirm || second.OK || second.Proposal == "" || strings.Contains(second.Proposal, "kept") {
		t.Fatalf("%+v", second)
	}
	d.say = func(context.Context, call.Message, call.Reply) handlers.Outcome {
		return handlers.Outcome{OK: true}
	}
	for _, c := range []struct {
		id   string
		by   sshkey.Signer
		runs bool
	}{
		{second.Proposal, d.ben, false},
		{first.Proposal, d.anna, false},
		{`{"q":{"v":"restart"}}`, d.anna, false},
		{second.Proposal, d.anna, true},
		{second.Proposal, d.anna, false},
	} {
		before := len(d.let)
		end := ask(RunPrefix+c.id, c.by)
		if end.OK != c.runs || (len(d.let) > before) != c.runs || c.runs == (end.Why != "") {
			t.Errorf("%s: %+v", c.id, end)
		}
		if m := d.let[len(d.let)-1]; c.runs && (m.Proposal != "kept by the bot" || m.Text != "" || m.Yes) {
			t.Errorf("the command was accepted as %+v", m)
		}
	}
}

func TestUnidentifiedPeopleAreRefused(t *testing.T) {
	d := newTestServer(t)
	for name, tt := range map[string]struct {
		r    Request
		says string
	}{
		"no key":        {Request{Command: "status"}, "no SSH key"},
		"a stranger":    {Request{Command: "status", Signers: []sshkey.Signer{d.stranger}}, "none of your 1 keys"},
		"another's key": {Request{Command: "status", As: "ben", Signers: []sshkey.Signer{d.anna}}, "none of your 1 keys is a key of ben"},
		"two people":    {Request{Command: "status", Signers: []sshkey.Signer{d.anna, d.ben}}, "--as NAME"},
		"too long":      {Request{Command: strings.Repeat("x", maxCommand+1), Signers: []sshkey.Signer{d.anna}}, "at most"},
	} {
		if _, _, err := d.do(tt.r); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, end, err := d.do(Request{Command: "status", As: "ben", Signers: []sshkey.Signer{d.anna, d.ben}}); err != nil || !end.OK || d.let[0].Account.User != "ben" {
		t.Errorf("ben, with --as: %+v, %v", end, err)
	}
	if n := d.admitted(); n != 1 {
		t.Errorf("%d commands were accepted", n)
	}
}

// TestProofsThatAreInvalid checks that an invalid proof is refused and recorded, and runs nothing.
func TestProofsThatAreInvalid(t *testing.T) {
	const command = "restart db_dis"
	for name, bend := range map[string]func(d *testServer, c challenge) proof{
		"the proof has another command than the signed one": func(d *testServer, c challenge) proof {
			return proof{c.Nonce, command, sign(d.t, d.anna, Purpose, words(c.Nonce, "anna", "status db_dis"))}
		},
		"the proof and its signature have another command than the challenge": func(d *testServer, c challenge) proof {
			return proof{c.Nonce, "stop db_dis", sign(d.t, d.anna, Purpose, words(c.Nonce, "anna", "stop db_dis"))}
		},
		"the proof has another command than the challenge and the signature": func(d *testServer, c challenge) proof {
			return proof{c.Nonce, "stop db_dis", sign(d.t, d.anna, Purpose, words(c.Nonce, "anna", command))}
		},
		"another person's key": func(d *testServer, c challenge) proof {
			return proof{c.Nonce, command, sign(d.t, d.ben, Purpose, words(c.Nonce, "anna", command))}
		},
		"a stranger's key": func(d *testServer, c challenge) proof {
			return proof{c.Nonce, command, sign(d.t, d.stranger, Purpose, words(c.Nonce, "anna", command))}
		},
		"another person's name": func(d *testServer, c challenge) proof {
			return proof{c.Nonce, command, sign(d.t, d.anna, Purpose, words(c.Nonce, "ben", command))}
		},
		"signed for another purpose": func(d *testServer, c challenge) proof {
			return proof{c.Nonce, command, sign(d.t, d.anna, "file", words(c.Nonce, "anna", command))}
		},
		"another challenge": func(d *testServer, c challenge) proof {
			other := d.challenge(command, d.anna)
			return proof{c.Nonce, command, sign(d.t, d.anna, Purpose, words(other.Nonce, "anna", command))}
		},
		"a made-up challenge": func(d *testServer, c challenge) proof {
			n := strings.Repeat("A", len(c.Nonce))
			return proof{n, command, sign(d.t, d.anna, Purpose, words(n, "anna", command))}
		},
		"no signature": func(_ *testServer, c challenge) proof { return proof{Nonce: c.Nonce, Command: command} },
		"too late": func(d *testServer, c challenge) proof {
			d.mu.Lock()
			d.clock = answerTime
			d.mu.Unlock()
			return proof{c.Nonce, command, sign(d.t, d.anna, Purpose, words(c.Nonce, "anna", command))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newTestServer(t)
			p := bend(d, d.challenge(command, d.anna))
			code, body := d.post("/do", p)
			if code != http.StatusForbidden || !strings.HasPrefix(body, "Not allowed: ") {
				t.Errorf("%d %s", code, body)
			}
			// The challenge is now used up: even the correct answer is refused.
			right := proof{p.Nonce, command, sign(t, d.anna, Purpose, words(p.Nonce, "anna", command))}
			if code, _ := d.post("/do", right); code != http.StatusForbidden {
				t.Errorf("the challenge was accepted again: %d", code)
			}
			if n := d.admitted(); n != 0 {
				t.Errorf("%d commands were accepted", n)
			}
			if refused := d.refused(); len(refused) != 2 {
				t.Errorf("records: %v", refused)
			}
		})
	}
}

func TestReplay(t *testing.T) {
	d := newTestServer(t)
	c := d.challenge("restart db_dis", d.anna)
	p := proof{c.Nonce, "restart db_dis", sign(t, d.anna, Purpose, words(c.Nonce, "anna", "restart db_dis"))}
	if code, body := d.post("/do", p); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	if code, body := d.post("/do", p); code != http.StatusForbidden || !strings.Contains(body, "already answered") {
		t.Errorf("the second answer to the challenge: %d %s", code, body)
	}
	if n := d.admitted(); n != 1 {
		t.Errorf("%d commands were accepted", n)
	}
}

// refused returns the texts of the refusals in the trail.
func (d *testServer) refused() (out []string) {
	d.t.Helper()
	err := d.store.Trail(d.t.Context(), 1, func(s audit.Sealed) error {
		if s.Record.Kind == audit.Refused && s.Record.Via == "terminal" {
			out = append(out, s.Record.Account+": "+s.Record.Text)
		}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// TestRefusalsDoNotFloodTheTrail checks that callers without a key cause only a few records per
// minute.
func TestRefusalsDoNotFloodTheTrail(t *testing.T) {
	d := newTestServer(t)
	for range 3 * refusalsPerMinute {
		d.post("/do", proof{Nonce: "none", Command: "restart db_dis"})
	}
	if n := len(d.refused()); n != refusalsPerMinute {
		t.Errorf("%d records", n)
	}
}

// TestChallengesDoNotBlock checks that the next person can still run a command after ten thousand
// unanswered challenges and as many wrong answers as the server stores.
func TestChallengesDoNotBlock(t *testing.T) {
	c, err := newChallenges(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	anna := newKey(t).Key()
	first, err := c.give("anna", "restart db_dis", anna)
	if err != nil {
		t.Fatal(err)
	}
	for range maxSpoilt + 10 {
		nonce, err := c.give("anna", "status", anna)
		if err != nil {
			t.Fatal(err)
		}
		g, err := c.read(nonce)
		if err != nil {
			t.Fatal(err)
		}
		c.spoil(g)
	}
	if len(c.spent) > maxSpoilt {
		t.Errorf("%d wrong answers are stored", len(c.spent))
	}
	g, err := c.read(first)
	if err != nil || g.person != "anna" {
		t.Fatalf("%+v, %v", g, err)
	}
	if err := c.spend(g); err != nil {
		t.Error(err)
	}
	if _, err := c.read(first); err == nil {
		t.Error("a correct answer was dropped because of the wrong answers")
	}
	other, err := newChallenges(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.read(first); err == nil {
		t.Error("another process accepts a challenge that it did not issue")
	}
}

// TestSessionsOfOnePerson checks the limit of sessions: a person who follows many runs does not use
// up the sessions of other people.
func TestSessionsOfOnePerson(t *testing.T) {
	d := newTestServer(t)
	hold, begun := make(chan struct{}), make(chan struct{}, sessionsEach)
	d.say = func(_ context.Context, m call.Message, _ call.Reply) handlers.Outcome {
		if m.Account.User == "anna" {
			begun <- struct{}{}
			<-hold
		}
		return handlers.Outcome{OK: true}
	}
	var held sync.WaitGroup
	for range sessionsEach {
		held.Go(func() {
			if _, _, err := d.do(Request{Command: "status", Signers: []sshkey.Signer{d.anna}}); err != nil {
				t.Error(err)
			}
		})
	}
	for range sessionsEach {
		<-begun
	}
	if _, _, err := d.do(Request{Command: "status", Signers: []sshkey.Signer{d.anna}}); err == nil || !strings.Contains(err.Error(), "of your commands") {
		t.Errorf("one session more than allowed: %v", err)
	}
	if _, end, err := d.do(Request{Command: "status", Signers: []sshkey.Signer{d.ben}}); err != nil || !end.OK {
		t.Errorf("another person: %+v, %v", end, err)
	}
	close(hold)
	held.Wait()
}

// TestRunIsFollowed checks that the terminal shows a requested run after each change, and that the
// command succeeds only if the run does.
func TestRunIsFollowed(t *testing.T) {
	for _, tt := range []struct {
		last engine.State
		ok   bool
	}{{engine.Done, true}, {engine.Failed, false}, {engine.Denied, false}, {engine.Unknown, false}} {
		t.Run(string(tt.last), func(t *testing.T) {
			t.Parallel()
			d := newTestServer(t)
			become := func(rev int64, s engine.State) {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.runs["R-7F3K"] = engine.Stored{Rev: rev, Run: engine.Run{ID: "R-7F3K", State: s, Asked: engine.Actor{Person: "anna"}}}
			}
			become(1, engine.Waiting)
			d.say = func(context.Context, call.Message, call.Reply) handlers.Outcome {
				return handlers.Outcome{OK: true, Run: "R-7F3K", Asked: true}
			}
			var states []string
			end, err := NewClient(d.socket).Do(t.Context(), Request{Command: "restart db_dis", Signers: []sshkey.Signer{d.anna}}, func(e Event) error {
				states = append(states, e.State)
				switch e.State {
				case string(engine.Waiting):
					if !strings.Contains(e.Text, "bot do approve R-7F3K") {
						t.Errorf("the event does not say how to approve: %s", e.Text)
					}
					become(2, engine.Running)
				case string(engine.Running):
					become(3, tt.last)
				}
				return nil
			})
			if err != nil || end.OK != tt.ok || end.Run != "R-7F3K" || end.State != string(tt.last) || len(states) != 3 {
				t.Errorf("%+v, %v, %v", end, err, states)
			}
		})
	}
}

// TestDisconnectDoesNotEndTheRun checks that a run continues after the person has disconnected.
func TestDisconnectDoesNotEndTheRun(t *testing.T) {
	d := newTestServer(t)
	d.runs["R-7F3K"] = engine.Stored{Rev: 1, Run: engine.Run{ID: "R-7F3K", State: engine.Running}}
	d.say = func(context.Context, call.Message, call.Reply) handlers.Outcome {
		return handlers.Outcome{OK: true, Run: "R-7F3K", Asked: true}
	}
	ctx, hangUp := context.WithCancel(t.Context())
	_, err := NewClient(d.socket).Do(ctx, Request{Command: "restart db_dis", Signers: []sshkey.Signer{d.anna}}, func(Event) error { hangUp(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNoServer(t *testing.T) {
	_, err := NewClient(filepath.Join(t.TempDir(), "s")).Do(t.Context(), Request{Command: "status", Signers: []sshkey.Signer{newKey(t)}}, nil)
	if err == nil || !strings.Contains(err.Error(), "no running bot answers") {
		t.Errorf("got %v", err)
	}
}

// TestHostileAnswers checks that text in a card cannot control the terminal.
func TestHostileAnswers(t *testing.T) {
	d := newTestServer(t)
	d.say = func(ctx context.Context, _ call.Message, r call.Reply) handlers.Outcome {
		_ = r.Ephemeral(ctx, card.Card{Head: card.Line{card.T("\x1b[2Jgone")}, Buttons: []card.Button{{Action: card.TapCommand, Label: "Again…", Value: command.On("status", "db_dis", "", "").Encode()}, {Action: card.TapApprove, Label: "Approve"}}})
		return handlers.Outcome{OK: true}
	}
	shown, _, err := d.do(Request{Command: "status", Signers: []sshkey.Signer{d.anna}})
	if err != nil || shown != "gone\n→ Again: bot do status db_dis\n" {
		t.Errorf("%q, %v", shown, err)
	}
}
