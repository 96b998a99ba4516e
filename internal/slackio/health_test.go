package slackio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio"
	"dhbot/internal/slackio/wire"
)

// A revoked token is detected at the next call, and reported in answers that
// need no token: in the acknowledgement, and at the response URL of a tap.
func TestRevokedBotToken(t *testing.T) {
	t.Parallel()
	handled := make(chan call.Message, 8)
	w := newWorld(t, func(_ context.Context, m call.Message, _ call.Reply) { handled <- m }, nil)
	w.inject(slacklocal.Fault{Kind: "revoke", Token: "bot"})
	if _, err := w.edge.Post(t.Context(), engine.Place{Channel: slacklocal.DemoIncident}, card.Card{Push: "hello"}); err == nil {
		t.Fatal("posted with a revoked token")
	}
	refused := w.edge.Health().Refused
	if len(refused) != 1 || refused[0].Token != wire.BotToken || refused[0].Code != "token_revoked" {
		t.Fatalf("refused: %v", refused)
	}
	answer, err := w.local.Slash(slacklocal.SlashCommand{User: "operator", Channel: "incident", Text: "restart db_dis"})
	if err != nil || answer.Message == nil || !strings.Contains(answer.Message.Text, "token_revoked") || !strings.Contains(answer.Message.Text, "nothing was done") {
		t.Errorf("answer: %+v, %v", answer, err)
	}
	if len(handled) != 0 || len(w.left()) != 0 {
		t.Errorf("handled %d, claimed %d", len(handled), len(w.left()))
	}
	w.inject(slacklocal.Fault{Kind: "clear"})
	if _, err := w.edge.Whoami(t.Context()); err != nil || len(w.edge.Health().Refused) != 0 {
		t.Errorf("the token works again: %v, %v", err, w.edge.Health().Refused)
	}
}

// An app-level token that worked before and is refused later does not end the
// bot: it can still post with the bot token.
func TestRefusedAppTokenLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	w.inject(slacklocal.Fault{Kind: "revoke", Token: "app", Error: "invalid_auth"})
	w.await("the refusal", func() bool {
		r := w.edge.Health().Refused
		return len(r) == 1 && r[0].Token == wire.AppToken && r[0].Code == "invalid_auth"
	})
	if w.edge.Health().Hears(time.Now(), time.Minute) {
		t.Error("Hears is true although the app token is refused")
	}
	if _, err := w.edge.Post(t.Context(), engine.Place{Channel: slacklocal.DemoIncident}, card.Card{Push: "hello"}); err != nil {
		t.Error(err)
	}
}

// A half-open connection is detected by its silence.
func TestHalfOpenConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *slackio.Config) {
		c.Silence = slackio.Silence{Every: 200 * time.Millisecond, PingAfter: 600 * time.Millisecond, Most: 3 * time.Second}
	})
	w.await("two sockets", w.bothUp)
	before := w.edge.Health()
	w.inject(slacklocal.Fault{Kind: "half-open"})
	w.await("both to be opened anew", func() bool {
		for i, s := range w.edge.Health().Sockets {
			if s.Opened <= before.Sockets[i].Opened || !s.Up {
				return false
			}
		}
		return true
	})
}

// Health has the reason why Slack ended a connection.
func TestDisconnectReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	for _, reason := range []string{"link_disabled", "refresh_requested", "too_many_websockets"} {
		w.await("two sockets", w.bothUp)
		w.inject(slacklocal.Fault{Kind: "disconnect", Reason: reason})
		w.await(reason, func() bool {
			for _, s := range w.edge.Health().Sockets {
				var ended *slackio.DisconnectedError
				if errors.As(s.Err, &ended) && ended.Reason == reason {
					return true
				}
			}
			return false
		})
	}
}

// The offset of this machine's clock is measured from the Date header of
// answers, and does not make messages of people look old.
func TestClockOffset(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{125 * time.Second, -90 * time.Second} {
		handled := make(chan call.Message, 8)
		w := newWorld(t, func(_ context.Context, m call.Message, _ call.Reply) { handled <- m }, nil)
		w.inject(slacklocal.Fault{Kind: "clock", MS: int(-ahead / time.Millisecond)})
		w.await("the offset", func() bool {
			_, _ = w.edge.Whoami(t.Context())
			return (w.edge.Health().ClockAhead - ahead).Abs() < 2*time.Second
		})
		if _, err := w.local.Mention(slacklocal.Mention{User: "operator", Channel: "incident", Text: "@dh restart db_dis"}); err != nil {
			t.Fatal(err)
		}
		if age := time.Since((<-handled).At); age < 0 || age > time.Minute {
			t.Errorf("ahead %s: a new mention is %s old", ahead, age)
		}
		if text := slackio.ClockText(w.edge.Health().ClockAhead); !strings.Contains(text, "of Slack's") && !strings.Contains(text, "behind Slack's") {
			t.Errorf("text %q", text)
		}
	}
}

// Slack also reports rate limits with HTTP 200, with two error codes.
func TestLimitedWithOK(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, nil)
	for _, code := range []string{"ratelimited", "rate_limited"} {
		w.inject(slacklocal.Fault{Kind: "api-error", Method: "chat.postMessage", Error: code})
		if _, err := w.edge.Post(t.Context(), engine.Place{Channel: slacklocal.DemoIncident}, card.Card{Push: code}); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		w.awaitSeen("reader", code)
	}
}
