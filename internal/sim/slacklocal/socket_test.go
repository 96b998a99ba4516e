package slacklocal

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

func TestListensOnLoopbackOnly(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.org:0", "nonsense"} {
		if s, err := New(Config{Listen: addr}); err == nil {
			t.Errorf("%s: accepted as %s", addr, s.URL())
		}
	}
}

func TestSlashRoundTrip(t *testing.T) {
	s := start(t, Config{})
	b := connect(t, s)
	answer := answerOf(func() (*Answer, error) {
		return s.Slash(SlashCommand{User: "operator", Channel: "incident", Text: "status db_dis"})
	})
	e := b.ackNext(t, socketmode.EventTypeSlashCommand, map[string]any{"text": "looking"})
	cmd := e.Data.(slack.SlashCommand)
	got := []string{cmd.Command, cmd.Text, cmd.UserID, cmd.TeamID, cmd.ChannelID, cmd.ChannelName}
	want := []string{"/dh", "status db_dis", DemoOperator, DemoTeam, DemoIncident, "incident"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	a := answer(t)
	if !a.OK || a.Message == nil || a.Message.Text != "looking" || !a.Message.Ephemeral {
		t.Errorf("answer %+v", a)
	}
	if n := len(messages(t, s, "incident", "reader")); n != 0 {
		t.Errorf("reader sees %d messages, but the answer was only for the operator", n)
	}
	if n := len(messages(t, s, "incident", "operator")); n != 1 {
		t.Errorf("operator sees %d messages", n)
	}
}

// An ack with an empty payload posts no message. slack-go and bolt send such acks.
func TestEmptyAckPayloadPostsNothing(t *testing.T) {
	s := start(t, Config{})
	b := connect(t, s)
	for _, payload := range [][]any{nil, {map[string]any{}}} {
		answer := answerOf(func() (*Answer, error) { return s.Slash(SlashCommand{User: "operator", Channel: "incident"}) })
		b.ackNext(t, socketmode.EventTypeSlashCommand, payload...)
		if a := answer(t); !a.OK || a.Message != nil {
			t.Errorf("payload %v: answer %+v", payload, a)
		}
	}
}

func TestUnackedSlashShowsOperationTimeoutOnce(t *testing.T) {
	s := start(t, Config{Clocks: Clocks{Ack: 50 * time.Millisecond, Retries: []time.Duration{0, 0, 0}}})
	b := connect(t, s)
	status, out := local(t, s, "slash", SlashCommand{User: "operator", Channel: "#incident", Text: "status"})
	if status != http.StatusOK || out["ok"] != false || out["error"] != "operation_timeout" {
		t.Errorf("%d %v", status, out)
	}
	list := messages(t, s, "incident", "operator")
	if len(list) != 1 || !strings.Contains(list[0].Text, `/dh failed with the error "operation_timeout"`) {
		t.Errorf("messages %+v", list)
	}
	b.await(t, socketmode.EventTypeSlashCommand)
	// The slash command is never sent again, so the next payload belongs to the next command.
	answer := answerOf(func() (*Answer, error) {
		return s.Slash(SlashCommand{User: "operator", Channel: "incident", Text: "second"})
	})
	if e := b.ackNext(t, socketmode.EventTypeSlashCommand); e.Data.(slack.SlashCommand).Text != "second" {
		t.Errorf("slash command was delivered again: %+v", e.Data)
	}
	answer(t)
}

func TestNoSocketShowsOperationTimeout(t *testing.T) {
	s := start(t, Config{})
	a, err := s.Slash(SlashCommand{User: "operator", Channel: "incident"})
	if err != nil || a.Error != operationTimeout || a.Message == nil {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestEventsAreRedeliveredInNewEnvelopes(t *testing.T) {
	s := start(t, Config{Clocks: Clocks{Ack: 50 * time.Millisecond, Retries: []time.Duration{0, time.Millisecond, time.Millisecond}}})
	b := connect(t, s)
	if _, err := s.Mention(Mention{User: "operator", Channel: "incident", Text: "@dh status db_dis & <b>"}); err != nil {
		t.Fatal(err)
	}
	var ids, envelopes []string
	var attempts []int
	for range 3 {
		e := b.await(t, socketmode.EventTypeEventsAPI)
		outer := e.Data.(slackevents.EventsAPIEvent)
		m := outer.InnerEvent.Data.(*slackevents.AppMentionEvent)
		if want := "<@" + DemoBotUser + "> status db_dis &amp; &lt;b&gt;"; m.Text != want {
			t.Errorf("text %q, want %q", m.Text, want)
		}
		var body struct {
			EventID string `json:"event_id"`
		}
		if err := json.Unmarshal(e.Request.Payload, &body); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, body.EventID)
		envelopes = append(envelopes, e.Request.EnvelopeID)
		attempts = append(attempts, e.Request.RetryAttempt)
		if len(ids) == 3 {
			b.ack(t, e)
		}
	}
	if ids[0] != ids[1] || ids[1] != ids[2] || envelopes[0] == envelopes[1] || envelopes[1] == envelopes[2] {
		t.Errorf("event ids %v in envelopes %v", ids, envelopes)
	}
	if d := cmp.Diff([]int{0, 1, 2}, attempts); d != "" {
		t.Error(d)
	}
	// An event can be sent again on demand, even after an ack.
	if err := s.Inject(Fault{Kind: "redeliver"}); err != nil {
		t.Fatal(err)
	}
	b.ackNext(t, socketmode.EventTypeEventsAPI)
}

func TestOnePayloadGoesToOneConnection(t *testing.T) {
	s := start(t, Config{})
	var seen [2]atomic.Int64
	for i := range seen {
		b := connect(t, s)
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case e := <-b.Events:
					if e.Type == socketmode.EventTypeSlashCommand {
						seen[i].Add(1)
						b.ack(t, e)
					}
				case <-stop:
					return
				}
			}
		}()
		t.Cleanup(func() { close(stop); <-done })
	}
	const n = 20
	for range n {
		if a, err := s.Slash(SlashCommand{User: "operator", Channel: "incident"}); err != nil || !a.OK {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	a, b := seen[0].Load(), seen[1].Load()
	if a+b != n || a == 0 || b == 0 {
		t.Errorf("%d and %d of %d payloads", a, b, n)
	}
}

// ticket requests a socket's URL.
func ticket(t *testing.T, s *Server) string {
	t.Helper()
	_, url, err := api(s).StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// dial opens a socket and reads its hello.
func dial(t *testing.T, s *Server) (*websocket.Conn, map[string]any) {
	t.Helper()
	c, _, err := websocket.DefaultDialer.DialContext(t.Context(), ticket(t, s), http.Header{"Origin": {"https://elsewhere.example"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, frame(t, c)
}

func frame(t *testing.T, c *websocket.Conn) map[string]any {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	var out map[string]any
	if err := c.ReadJSON(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTicketsWorkOnce(t *testing.T) {
	now := time.Now()
	var ahead atomic.Int64
	s := start(t, Config{Now: func() time.Time { return now.Add(time.Duration(ahead.Load())) }})
	url := ticket(t, s)
	c, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, resp, err := websocket.DefaultDialer.Dial(url, nil); err == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a ticket worked twice: %v", err)
	}
	old := ticket(t, s)
	ahead.Store(int64(time.Minute))
	if _, _, err := websocket.DefaultDialer.Dial(old, nil); err == nil {
		t.Error("an old ticket worked")
	}
}

func TestHelloCountsConnections(t *testing.T) {
	s := start(t, Config{})
	_, first := dial(t, s)
	_, second := dial(t, s)
	if first["num_connections"] != 1.0 || second["num_connections"] != 2.0 {
		t.Errorf("num_connections %v, %v", first["num_connections"], second["num_connections"])
	}
	info, _ := second["connection_info"].(map[string]any)
	if second["type"] != "hello" || info["app_id"] != DemoApp {
		t.Errorf("hello %v", second)
	}
}

func TestTheEleventhSocketIsSentAway(t *testing.T) {
	s := start(t, Config{})
	for range maxSockets {
		dial(t, s)
	}
	c, _ := dial(t, s)
	if f := frame(t, c); f["type"] != "disconnect" || f["reason"] != "too_many_websockets" {
		t.Errorf("frame %v", f)
	}
}

func TestPingsAndEchoes(t *testing.T) {
	s := start(t, Config{Clocks: Clocks{Ping: 10 * time.Millisecond}})
	c, _ := dial(t, s)
	pings, pongs := make(chan string, 100), make(chan string, 1)
	c.SetPingHandler(func(p string) error { pings <- p; return nil })
	c.SetPongHandler(func(p string) error { pongs <- p; return nil })
	go func() { // ends when the test closes the connection
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				return
			}
		}
	}()
	if err := c.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if p := <-pongs; p != "are you there" {
		t.Errorf("pong %q", p)
	}
	for range 3 {
		<-pings
	}
	if c := (Clocks{}).withDefaults(); c.Ping > 10*time.Second || c.Ack != 3*time.Second {
		t.Errorf("default clocks %+v", c)
	}
}

func TestBigFramesCloseTheSocket(t *testing.T) {
	s := start(t, Config{})
	for _, size := range []int{maxFrame, maxFrame + 1} {
		c, _ := dial(t, s)
		body := `{"envelope_id":"x","payload":{"text":"` + strings.Repeat("a", size)
		body = body[:size-3] + `"}}`
		if err := c.WriteMessage(websocket.TextMessage, []byte(body)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, _, err := c.ReadMessage()
		if big := websocket.IsCloseError(err, websocket.CloseMessageTooBig); big != (size > maxFrame) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// slack-go reconnects after each reason, and payloads arrive again.
func TestDisconnectReasons(t *testing.T) {
	for _, reason := range []string{"warning", "refresh_requested", "link_disabled", "too_many_websockets"} {
		t.Run(reason, func(t *testing.T) {
			s := start(t, Config{})
			b := connect(t, s)
			if status, out := local(t, s, "fault", Fault{Kind: "disconnect", Reason: reason}); status != 200 {
				t.Fatal(out)
			}
			b.await(t, socketmode.EventTypeHello)
			answer := answerOf(func() (*Answer, error) { return s.Slash(SlashCommand{User: "operator", Channel: "incident"}) })
			b.ackNext(t, socketmode.EventTypeSlashCommand)
			if a := answer(t); !a.OK {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestWarningComesAheadOfTheEnd(t *testing.T) {
	s := start(t, Config{Clocks: Clocks{Warning: 30 * time.Millisecond}})
	c, _ := dial(t, s)
	if err := s.Inject(Fault{Kind: "disconnect", Reason: "warning"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"warning", "refresh_requested"} {
		if f := frame(t, c); f["reason"] != want {
			t.Errorf("frame %v, want %s", f, want)
		}
	}
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("end of the socket: %v", err)
	}
}

func TestEachNewSocketCanBeSentAway(t *testing.T) {
	s := start(t, Config{})
	if err := s.Inject(Fault{Kind: "disconnect", Reason: "link_disabled", Each: true}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c, _ := dial(t, s)
		if f := frame(t, c); f["reason"] != "link_disabled" {
			t.Errorf("frame %v", f)
		}
	}
	if err := s.Inject(Fault{Kind: "clear"}); err != nil {
		t.Fatal(err)
	}
	connect(t, s)
}

func TestSocketsWithoutPayloadsStayOpen(t *testing.T) {
	s := start(t, Config{Clocks: Clocks{Ack: 50 * time.Millisecond}})
	b := connect(t, s)
	if err := s.Inject(Fault{Kind: "deaf"}); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Slash(SlashCommand{User: "operator", Channel: "incident"}); err != nil || a.Error != operationTimeout {
		t.Errorf("%+v, %v", a, err)
	}
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
	if err := s.Inject(Fault{Kind: "clear"}); err != nil {
		t.Fatal(err)
	}
	answer := answerOf(func() (*Answer, error) {
		return s.Slash(SlashCommand{User: "operator", Channel: "incident", Text: "heard"})
	})
	if e := b.ackNext(t, socketmode.EventTypeSlashCommand); e.Data.(slack.SlashCommand).Text != "heard" {
		t.Errorf("got %+v", e.Data)
	}
	answer(t)
}

func TestDroppedAcksAndCutsAreTimeouts(t *testing.T) {
	s := start(t, Config{Clocks: Clocks{Ack: 100 * time.Millisecond}})
	b := connect(t, s)
	for _, f := range []Fault{{Kind: "drop-acks"}, {Kind: "stall", MS: 150}} {
		if err := s.Inject(f); err != nil {
			t.Fatal(err)
		}
		answer := answerOf(func() (*Answer, error) { return s.Slash(SlashCommand{User: "operator", Channel: "incident"}) })
		b.ackNext(t, socketmode.EventTypeSlashCommand)
		if a := answer(t); a.Error != operationTimeout {
			t.Errorf("%s: %+v", f.Kind, a)
		}
	}
	if err := s.Inject(Fault{Kind: "cut"}); err != nil {
		t.Fatal(err)
	}
	b.await(t, socketmode.EventTypeHello)
}

// An ack counts only on the socket that got the payload.
func TestAcksCountOnTheirOwnSocket(t *testing.T) {
	s := start(t, Config{Clocks: Clocks{Ack: 200 * time.Millisecond}})
	one, _ := dial(t, s)
	answer := answerOf(func() (*Answer, error) { return s.Slash(SlashCommand{User: "operator", Channel: "incident"}) })
	id := frame(t, one)["envelope_id"]
	two, _ := dial(t, s)
	if err := two.WriteJSON(map[string]any{"envelope_id": id}); err != nil {
		t.Fatal(err)
	}
	if a := answer(t); a.Error != operationTimeout {
		t.Errorf("%+v", a)
	}
}

func TestUnknownFaultsAreNamed(t *testing.T) {
	s := start(t, Config{})
	for _, f := range []Fault{{Kind: "explode"}, {Kind: "disconnect", Reason: "bored"}, {Kind: "stall"}, {Kind: "slow"}, {Kind: "api-error"}, {Kind: "redeliver"}} {
		if status, out := local(t, s, "fault", f); status != http.StatusBadRequest || out["error"] == "" {
			t.Errorf("%+v: %d %v", f, status, out)
		}
	}
}

func TestCloseIsPromptWithEverythingOpen(t *testing.T) {
	s, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	dial(t, s)
	resp, err := http.Get(s.URL() + "/local/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := s.Mention(Mention{User: "operator", Channel: "incident", Text: "status"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}
