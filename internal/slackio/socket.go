package slackio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sethvargo/go-retry"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"dhbot/internal/pause"
	"dhbot/internal/slackio/rate"
	"dhbot/internal/slackio/wire"
)

// socket keeps one Socket Mode connection open. Each connection has its own client, which
// connects only once. slack-go alone would reconnect forever and without a pause; here each
// reconnect has a back-off, and a token that never worked ends the edge.
type socket struct {
	edge      *Edge
	n         int           // from 1
	reconnect chan struct{} // holds one request to reconnect
	connectionState
}

// connection is one connection.
type connection struct {
	client *socketmode.Client
	// plain has acknowledgements for which no goroutine waits. The reading goroutine must not send
	// them, because Ack deadlocks there in a burst.
	plain chan ack
	over  chan struct{} // closed when the connection is gone
	// work is the context for this connection's deliveries. It outlives the connection, because
	// accepted deliveries are finished.
	work context.Context
}

// ack answers an envelope.
type ack struct {
	id       string
	payload  any
	received time.Time // when the envelope arrived
}

var (
	errConnectionOver = errors.New("the connection has ended")
	errPingLate       = errors.New("no bytes arrived for too long")
	errRenewed        = errors.New("the connection is replaced, to make sure that events arrive")
)

// run keeps the socket connected until ctx ends, and then returns nil. It returns an error only if
// Slack refuses the app token before any socket was open. The context work is for the handling of
// deliveries.
func (s *socket) run(ctx, work context.Context) error {
	backoff := newBackoff()
	for {
		began := s.now()
		err := s.serve(ctx, work)
		if ctx.Err() != nil {
			return nil
		}
		s.ended(err)
		if advice, yes := fatal(err); yes {
			if !s.edge.heard() {
				return fmt.Errorf("the app token (SLACK_APP_TOKEN) is refused: Slack answers %w: %s", err, advice)
			}
			// The token worked before: the bot keeps running, reports the problem, and still
			// accepts commands from `bot do`.
			s.edge.log.ErrorContext(ctx, "the app token (SLACK_APP_TOKEN) is refused; retrying", "in", mostDelay, "err", err, "advice", advice)
			if !pause.For(ctx, mostDelay) {
				return nil
			}
			continue
		}
		lasted := s.now().Sub(began)
		if lasted >= healthyConnection {
			backoff = newBackoff()
		}
		delay, _ := backoff.Next()
		if pause, limited := rate.RateLimited(err); limited {
			delay = max(delay, pause)
		}
		s.edge.log.WarnContext(ctx,
			"a Slack socket ended; opening the next", "socket", s.n,
			"after", lasted.Round(time.Millisecond), "in", delay.Round(time.Millisecond), "err", err,
		)
		if !pause.For(ctx, delay) {
			return nil
		}
	}
}

func newBackoff() retry.Backoff {
	return retry.WithJitterPercent(20, retry.WithCappedDuration(mostDelay, retry.NewExponential(leastDelay)))
}

// serve runs one connection. It returns the reason why the connection ended.
func (s *socket) serve(ctx, work context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	l := &connection{client: s.dial(), plain: make(chan ack, 256), over: make(chan struct{}), work: work}
	ran := make(chan error, 1)
	acked := make(chan struct{})
	go func() { ran <- l.client.RunContext(ctx) }()
	go func() { defer close(acked); s.sendAcks(ctx, l) }()
	silence := time.NewTicker(s.edge.silence.Every)
	defer silence.Stop()
	for {
		select {
		case <-silence.C:
			if s.silent(s.edge.silence) {
				end(fmt.Errorf("no bytes arrived for %s", s.edge.silence.Most))
			}
		case ev := <-l.client.Events:
			s.handleEvent(l, ev, end)
		case <-s.reconnect:
			end(errRenewed)
		case err := <-ran:
			close(l.over)
			end(err)
			<-acked
			// Events read before the end will not be redelivered, so they are handled too.
			for len(l.client.Events) > 0 {
				s.handleEvent(l, <-l.client.Events, end)
			}
			return cmp.Or(s.takeReason(), context.Cause(ctx))
		}
	}
}

// dial makes the client of one connection. The debug option stays off: it limits connections to six
// minutes and logs what people type.
func (s *socket) dial() *socketmode.Client {
	e := s.edge
	opts := []slack.Option{
		slack.OptionAppLevelToken(e.appToken.Reveal()),
		slack.OptionHTTPClient(&once{client: e.watch.Client(wire.AppToken)}),
		slack.OptionAPIURL(e.apiURL),
	}
	api := slack.New(e.botToken.Reveal(), opts...)
	return socketmode.New(api, socketmode.OptionDialer(s.dialer()), socketmode.OptionReadLimit(8<<20))
}

// once allows one request: slack-go's second attempt to connect shows that the first connection has
// ended.
type once struct {
	client wire.Client
	used   atomic.Bool
}

// Do implements slack-go's HTTP client.
func (o *once) Do(r *http.Request) (*http.Response, error) {
	if o.used.Swap(true) {
		return nil, errConnectionOver
	}
	return o.client.Do(r)
}

// handleEvent handles one event of the socket and never blocks.
func (s *socket) handleEvent(l *connection, ev socketmode.Event, end context.CancelCauseFunc) {
	switch ev.Type {
	case socketmode.EventTypeHello:
		s.hello(ev.Request)
	case socketmode.EventTypeConnectionError:
		end(connectionError(ev))
	case socketmode.EventTypeErrorBadMessage:
		s.unreadable(l, ev)
	case socketmode.EventTypeErrorWriteFailed:
		s.edge.log.Error("an acknowledgement could not be written; Slack may show a time-out", "socket", s.n)
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeEventsAPI, socketmode.EventTypeInteractive:
		s.edge.accept(l, ev)
	default:
		s.edge.log.Debug("Slack socket", "socket", s.n, "event", string(ev.Type))
	}
}

func connectionError(ev socketmode.Event) error {
	if data, ok := ev.Data.(*slack.ConnectionErrorEvent); ok && data.ErrorObj != nil {
		return data.ErrorObj
	}
	return errPingLate
}

// unreadable acknowledges events that slack-go cannot parse, such as an unknown kind, because Slack
// would redeliver them again and again.
func (s *socket) unreadable(l *connection, ev socketmode.Event) {
	bad, ok := ev.Data.(*socketmode.ErrorBadMessage)
	if !ok {
		return
	}
	var envelope struct {
		ID   string `json:"envelope_id"`
		Type string `json:"type"`
	}
	if err := json.Unmarshal(bad.Message, &envelope); err != nil || envelope.ID == "" {
		s.edge.log.Warn("Slack sent a message that is not an envelope", "socket", s.n, "err", bad.Cause)
		return
	}
	s.edge.log.Debug("Slack sent an envelope of an unknown kind", "type", envelope.Type, "err", bad.Cause)
	s.edge.ackLater(l, ack{id: envelope.ID})
}

// sendAcks sends the plain acknowledgements on this connection. Some belong to envelopes of a
// connection that has ended, because Slack accepts an acknowledgement on any connection of the app.
func (s *socket) sendAcks(ctx context.Context, l *connection) {
	for {
		var a ack
		select {
		case <-ctx.Done():
			return
		case a = <-l.plain:
		case a = <-s.edge.late:
		}
		send, cancel := context.WithTimeout(ctx, s.edge.ackTimeout)
		if err := l.client.AckCtx(send, a.id, a.payload); err != nil && ctx.Err() == nil {
			s.edge.log.ErrorContext(ctx, "an acknowledgement was not sent", "socket", s.n, "err", err)
		}
		cancel()
	}
}
