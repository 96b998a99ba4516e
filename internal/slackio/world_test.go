package slackio_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/secret"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
	"dhbot/internal/slackio/rate"
	"dhbot/internal/test/memstore"
)

// TestMain runs more tests at a time than there are processors, because the tests mostly wait. The
// flag -parallel overrides this.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("16") // a number is a valid value
	}
	os.Exit(m.Run())
}

// world is a local Slack and an edge connected to it.
type world struct {
	t      *testing.T
	local  *slacklocal.Server
	edge   *slackio.Edge
	claims *claims
	stop   func() error // ends the edge and waits for it
}

// claims is an in-memory store of claims; a test can switch on an outage.
type claims struct {
	*memstore.Store
	down    atomic.Bool
	claimed atomic.Int64
	settled atomic.Int64 // calls
}

func (c *claims) Settle(ctx context.Context, key string) error {
	c.settled.Add(1)
	if c.down.Load() {
		return errors.New("no leader")
	}
	return c.Store.Settle(ctx, key)
}

// left returns the deliveries that are claimed and not settled.
func (w *world) left() map[string][]byte {
	w.t.Helper()
	out := map[string][]byte{}
	err := w.claims.Unsettled(context.Background(), func(key string, payload []byte, _ string, _ time.Time) error {
		out[key] = payload
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (c *claims) Claim(ctx context.Context, key string, payload []byte) (bool, error) {
	if c.down.Load() {
		return false, errors.New("no leader")
	}
	first, err := c.Store.Claim(ctx, key, payload)
	if first {
		c.claimed.Add(1)
	}
	return first, err
}

type handler = func(context.Context, call.Message, call.Reply)

// unsettled returns a handler that does not settle the claim. Edge then settles it.
func unsettled(h handler) func(context.Context, call.Message, call.Reply) bool {
	return func(ctx context.Context, m call.Message, r call.Reply) bool {
		h(ctx, m, r)
		return false
	}
}

// newWorld starts a local Slack and an edge, and waits until the edge receives events.
func newWorld(t *testing.T, h handler, change func(*slackio.Config)) *world {
	t.Helper()
	w := newSilentWorld(t, h, change)
	w.run()
	return w
}

// run starts the edge and waits until it receives events.
func (w *world) run() {
	w.t.Helper()
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- w.edge.Run(ctx) }()
	w.stop = sync.OnceValue(func() error { cancel(); return <-done })
	w.t.Cleanup(func() {
		if err := w.stop(); err != nil {
			w.t.Errorf("Run: %v", err)
		}
	})
	w.await("a socket", func() bool { return w.edge.Health().Sockets[0].Up })
}

// newSilentWorld starts the local Slack only.
func newSilentWorld(t *testing.T, h handler, change func(*slackio.Config)) *world {
	t.Helper()
	ws := slacklocal.DemoWorkspace()
	ws.Channels = append(ws.Channels,
		slacklocal.Channel{ID: "C0WITHOUT0", Name: "without-dh", Members: []string{slacklocal.DemoOperator}},
		slacklocal.Channel{ID: "C0HIDDEN00", Name: "hidden", Private: true, Members: []string{slacklocal.DemoOperator}})
	local, err := slacklocal.Start(slacklocal.Config{Workspace: ws})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	w := &world{t: t, local: local, claims: &claims{Store: memstore.New(memstore.Config{})}}
	if h == nil {
		h = func(context.Context, call.Message, call.Reply) {}
	}
	c := slackio.Config{
		IsHome: func(string, string) bool { return true }, IsKnown: func(string) bool { return true }, AppToken: secret.New(local.AppToken()), BotToken: secret.New(local.BotToken()), APIURL: local.APIURL(),
		Claims: w.claims, Handler: unsettled(h), Pace: rate.Pace{PostEvery: 20 * time.Millisecond, EditEvery: 20 * time.Millisecond},
	}
	if change != nil {
		change(&c)
	}
	if w.edge, err = slackio.New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// bothUp reports whether Slack has two connections and has said hello on both.
func (w *world) bothUp() bool {
	h := w.edge.Health()
	return w.local.Connections() == 2 && h.Sockets[0].Up && h.Sockets[1].Up
}

// await polls, because the server runs independently of the test.
func (w *world) await(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("no %s within two minutes", what)
		}
	}
}

func (w *world) slash(user, text string) *slacklocal.Answer {
	w.t.Helper()
	a, err := w.local.Slash(slacklocal.SlashCommand{User: user, Channel: "incident", Text: text})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) mention(text, thread string) *slacklocal.Answer {
	w.t.Helper()
	a, err := w.local.Mention(slacklocal.Mention{User: "operator", Channel: "incident", Text: text, ThreadTS: thread})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) inject(f slacklocal.Fault) {
	w.t.Helper()
	if err := w.local.Inject(f); err != nil {
		w.t.Fatal(err)
	}
}

// seen returns the messages that the user sees and whose text or blocks contain part.
func (w *world) seen(user, part string) (found []slacklocal.Message) {
	w.t.Helper()
	list, err := w.local.Messages("incident", user)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range list {
		b, _ := json.Marshal(m)
		if strings.Contains(string(b), part) {
			found = append(found, m)
		}
	}
	return found
}

func (w *world) awaitSeen(user, what string) slacklocal.Message {
	w.t.Helper()
	var found []slacklocal.Message
	w.await(fmt.Sprintf("message with %q for %s", what, user), func() bool {
		found = w.seen(user, what)
		return len(found) > 0
	})
	return found[0]
}

// form returns the modal that the user has open.
func (w *world) form(user string) (id string, blocks []any) {
	w.t.Helper()
	var out struct {
		Modals []struct {
			ID     string `json:"id"`
			Blocks []any  `json:"blocks"`
		} `json:"modals"`
	}
	w.await("open form", func() bool {
		r, err := http.Get(w.local.URL() + "/local/views?user=" + user)
		if err != nil {
			w.t.Fatal(err)
		}
		defer r.Body.Close()
		return json.NewDecoder(r.Body).Decode(&out) == nil && len(out.Modals) > 0
	})
	return out.Modals[0].ID, out.Modals[0].Blocks
}

func say(s string) card.Card { return card.Card{Push: s, Head: card.Line{card.T(s)}} }

// answering answers every message with "re: " and its text, and keeps the messages.
type answering struct {
	t    *testing.T
	mute bool // keeps messages without showing anything
	mu   sync.Mutex
	seen []call.Message
}

func (a *answering) handle(ctx context.Context, m call.Message, r call.Reply) {
	a.mu.Lock()
	a.seen = append(a.seen, m)
	a.mu.Unlock()
	if a.mute {
		return
	}
	if err := r.Show(ctx, say("re: "+m.Text)); err != nil {
		a.t.Errorf("Show: %v", err)
	}
}

func (a *answering) messages() []call.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]call.Message(nil), a.seen...)
}
