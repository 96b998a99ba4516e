package slackio_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/secret"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
	"dhbot/internal/test/leaktest"
)

// However a connection ends, an acked command is handled once, and Slack shows an error for a
// command without an ack. A command that Slack sends at the moment when a connection ends is lost:
// slack-go reads nothing after a disconnect frame, and Slack never resends a command. This is at
// most one command per connection; the next command goes to the other socket.
func TestAckedCommandsAreHandledOnceOverDisconnects(t *testing.T) {
	t.Parallel()
	leaktest.Goroutines(t)
	a := &answering{t: t, mute: true}
	w := newWorld(t, a.handle, nil)
	w.await("two sockets", w.bothUp)
	acked := map[string]bool{}
	for _, f := range []slacklocal.Fault{
		{Kind: "disconnect", Reason: "warning", Connections: 1},
		{Kind: "disconnect", Reason: "refresh_requested", Connections: 1},
		{Kind: "disconnect", Reason: "link_disabled", Connections: 1},
		{Kind: "disconnect", Reason: "too_many_websockets", Connections: 1},
		{Kind: "cut", Connections: 1},
	} {
		w.inject(f)
		lost := 0
		for range 4 {
			text := fmt.Sprintf("number %d.", len(acked))
			got := w.slash("operator", text)
			if acked[text] = got.OK; !got.OK {
				lost++
			}
		}
		if lost > 1 {
			t.Errorf("%s %s: %d of 4 commands were not acked", f.Kind, f.Reason, lost)
		}
		w.await("two sockets again", w.bothUp)
	}
	seen := func() map[string]int {
		n := map[string]int{}
		for _, m := range a.messages() {
			n[m.Text]++
		}
		return n
	}
	for text, ok := range acked {
		if ok {
			w.await(text+" to be handled", func() bool { return seen()[text] > 0 })
		}
	}
	for text, n := range seen() {
		if n > 1 {
			t.Errorf("%q was handled %d times", text, n)
		}
	}
}

// If Slack ends every connection right after its hello, the bot waits longer each time.
func TestLinkDisabledStormBacksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	w.inject(slacklocal.Fault{Kind: "disconnect", Reason: "link_disabled", Each: true})
	time.Sleep(2500 * time.Millisecond) // in this time slack-go alone would open over a thousand connections
	opened := 0
	for _, s := range w.edge.Health().Sockets {
		opened += s.Opened
	}
	if opened > 16 {
		t.Errorf("%d connections were opened in 2.5 s", opened)
	}
	w.inject(slacklocal.Fault{Kind: "clear"})
	w.await("a socket that stays", func() bool { return w.edge.Health().Sockets[0].Up || w.edge.Health().Sockets[1].Up })
}

func TestFatalRefusalsEndRunAndNameTheToken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, code, want string }{
		{"apps.connections.open", "not_allowed_token_type", "SLACK_APP_TOKEN"},
		{"apps.connections.open", "token_expired", "SLACK_APP_TOKEN"},
		{"apps.connections.open", "invalid_auth", "SLACK_APP_TOKEN"},
		{"apps.connections.open", "team_disabled", "SLACK_APP_TOKEN"},
		{"apps.connections.open", "no_permission", "SLACK_APP_TOKEN"},
		{"auth.test", "missing_scope", "SLACK_BOT_TOKEN"},
		{"auth.test", "token_revoked", "SLACK_BOT_TOKEN"},
	} {
		t.Run(c.method+" "+c.code, func(t *testing.T) {
			leaktest.Goroutines(t)
			w := newSilentWorld(t, nil, nil)
			w.inject(slacklocal.Fault{Kind: "api-error", Method: c.method, Error: c.code, Count: -1})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			err := w.edge.Run(ctx)
			if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.code) {
				t.Errorf("Run: %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), w.local.AppToken()) || strings.Contains(err.Error(), w.local.BotToken())) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

func TestPassingTroubleDoesNotEndRun(t *testing.T) {
	t.Parallel()
	w := newSilentWorld(t, nil, nil)
	w.inject(slacklocal.Fault{Kind: "api-error", Method: "auth.test", Error: "internal_error", Count: 1})
	w.inject(slacklocal.Fault{Kind: "api-error", Method: "apps.connections.open", Error: "internal_error", Count: 1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.edge.Run(ctx) }()
	w.await("a socket", func() bool { return w.edge.Health().Hears(time.Now(), time.Minute) })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// When the edge stops, messages that are being handled are finished, and later messages are
// answered as not accepted.
func TestStopFinishesWhatIsHandled(t *testing.T) {
	t.Parallel()
	leaktest.Goroutines(t)
	began, release := make(chan struct{}), make(chan struct{})
	finish := sync.OnceFunc(func() { close(release) })
	h := func(ctx context.Context, m call.Message, r call.Reply) {
		close(began)
		<-release
		if err := r.Show(ctx, say("finished "+m.Text)); err != nil {
			t.Errorf("Show: %v", err)
		}
	}
	w := newWorld(t, h, nil)
	t.Cleanup(finish)
	w.slash("operator", "late work")
	<-began
	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }()
	w.await("the sockets to close", func() bool { return w.local.Connections() == 0 })
	finish()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	w.awaitSeen("reader", "finished late work")
}

func TestStopEndsHandlersThatHang(t *testing.T) {
	t.Parallel()
	leaktest.Goroutines(t)
	h := func(ctx context.Context, _ call.Message, _ call.Reply) { <-ctx.Done() }
	w := newWorld(t, h, func(c *slackio.Config) { c.Grace = 50 * time.Millisecond })
	w.slash("operator", "hang")
	if err := w.stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
}

func TestHealthSeesTheSockets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	w.await("two sockets", w.bothUp)
	h := w.edge.Health()
	if !h.Hears(time.Now(), 30*time.Second) || h.Sockets[0].Written.IsZero() || h.Sockets[1].Connections != 2 || h.Capacity != 12+256 {
		t.Errorf("health %+v, want two healthy sockets", h)
	}
	if h.Hears(time.Now().Add(time.Minute), 30*time.Second) {
		t.Error("Hears is true for a socket that was silent for a minute")
	}
}

func TestConfigNamesEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := slackio.New(slackio.Config{AppToken: secret.New("xoxb-swapped"), BotToken: secret.New("xapp-swapped")})
	if err == nil {
		t.Fatal("accepted an invalid config")
	}
	for _, want := range []string{"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "IsHome", "Claims", "Handler"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "swapped") {
		t.Errorf("the token shows in: %v", err)
	}
}
