package slacklocal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// start runs a server for one test.
func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

// api returns slack-go's client for a server.
func api(s *Server) *slack.Client {
	return slack.New(s.BotToken(), slack.OptionAppLevelToken(s.AppToken()), slack.OptionAPIURL(s.APIURL()))
}

// bot is a connected Socket Mode client of slack-go, with the channel of its events.
type bot struct {
	*socketmode.Client
	api *slack.Client
}

// connect runs a Socket Mode client until the test ends. It returns when Slack's hello has arrived.
func connect(t *testing.T, s *Server) *bot {
	t.Helper()
	client := api(s)
	b := &bot{Client: socketmode.New(client), api: client}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.RunContext(ctx) }()
	t.Cleanup(func() {
		stop()
		for {
			select {
			case <-b.Events: // take the event, so that its sender is not blocked
			case <-done:
				return
			}
		}
	})
	b.await(t, socketmode.EventTypeHello)
	return b
}

// await returns the next event of a kind. It skips events of other kinds.
func (b *bot) await(t *testing.T, kind socketmode.EventType) socketmode.Event {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case e := <-b.Events:
			if e.Type == kind {
				return e
			}
		case <-late:
			t.Fatalf("no %s event within 10 s", kind)
		}
	}
}

// ackNext acks the next envelope of a kind.
func (b *bot) ackNext(t *testing.T, kind socketmode.EventType, payload ...any) socketmode.Event {
	t.Helper()
	e := b.await(t, kind)
	b.ack(t, e, payload...)
	return e
}

func (b *bot) ack(t *testing.T, e socketmode.Event, payload ...any) {
	t.Helper()
	if err := b.Ack(*e.Request, payload...); err != nil {
		t.Errorf("ack: %v", err)
	}
}

// local posts to a /local endpoint and decodes the answer.
func local(t *testing.T, s *Server, door string, in any) (status int, out map[string]any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(s.URL()+"/local/"+door, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, decode(t, resp.Body)
}

func decode(t *testing.T, r io.Reader) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.NewDecoder(r).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// answerOf runs a person's action in the background and returns a function that
// waits for its answer.
func answerOf(f func() (*Answer, error)) func(*testing.T) *Answer {
	type result struct {
		a   *Answer
		err error
	}
	c := make(chan result, 1)
	go func() {
		a, err := f()
		c <- result{a, err}
	}()
	return func(t *testing.T) *Answer {
		t.Helper()
		r := <-c
		if r.err != nil {
			t.Fatal(r.err)
		}
		return r.a
	}
}

// wantError fails the test unless err is Slack's error with the code in want.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %s", err, want)
	}
}

// messages lists the messages of a channel that a user can see.
func messages(t *testing.T, s *Server, channel, user string) []Message {
	t.Helper()
	list, err := s.Messages(channel, user)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// asSlackError reports whether an error of slack-go contains Slack's answer, and stores this answer
// in to.
func asSlackError(err error, to *slack.SlackErrorResponse) bool { return errors.As(err, to) }
