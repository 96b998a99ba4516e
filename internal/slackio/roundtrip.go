package slackio

import (
	"context"
	"errors"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"dhbot/internal/pause"
)

// roundTripReaction is the reaction by which the bot asks Slack to tell it something: Slack
// sends the app an event of it, by the same way as everything that people do.
const roundTripReaction = "ear"

// RoundTrip is Slack's word that the bot has set its own mark on a message, or taken
// it back.
type RoundTrip struct {
	Channel, TS string
	On          bool
	// Again says that Slack had sent it before, and that it was not acked: there
	// is a connection that takes what people do and does nothing with it.
	Again bool
}

// ErrAlreadyMarked says that a mark is already as it should be: no echo comes.
var ErrAlreadyMarked = errors.New("the message is marked so already")

// SetRoundTripMark sets the bot's mark on a message, or takes it back. Slack answers with
// an Echo on any connection of the app. Errors wrap ErrMarked, and
// publish.ErrGone where the message is not there any more.
func (e *Edge) SetRoundTripMark(ctx context.Context, channel, ts string, on bool) error {
	item := slack.NewRefToMessage(channel, ts)
	err := limited(ctx, func(ctx context.Context) error {
		if on {
			return e.chat.AddReactionContext(ctx, roundTripReaction, item)
		}
		return e.chat.RemoveReactionContext(ctx, roundTripReaction, item)
	})
	if c := code(err); c == "already_reacted" || c == "no_reaction" {
		return ErrAlreadyMarked
	}
	return explain("marking a message in "+channel, err)
}

// OnRoundTrip names what hears of the bot's own marks: it must not block. It is
// called before Run.
func (e *Edge) OnRoundTrip(heard func(RoundTrip)) { e.onRoundTrip = heard }

// roundTripOf is the echo that an event is, if it is one of the bot's own.
func roundTripOf(ev socketmode.Event, self Identity) (RoundTrip, bool) {
	api, ok := ev.Data.(slackevents.EventsAPIEvent)
	if !ok || self.User == "" {
		return RoundTrip{}, false
	}
	again := ev.Request != nil && ev.Request.RetryAttempt > 0
	switch r := api.InnerEvent.Data.(type) {
	case *slackevents.ReactionAddedEvent:
		return RoundTrip{r.Item.Channel, r.Item.Timestamp, true, again}, r.User == self.User && r.Reaction == roundTripReaction
	case *slackevents.ReactionRemovedEvent:
		return RoundTrip{r.Item.Channel, r.Item.Timestamp, false, again}, r.User == self.User && r.Reaction == roundTripReaction
	default:
		return RoundTrip{}, false
	}
}

// renewWithin is how long the next socket waits for the one before it.
const renewWithin = 10 * time.Second

// Renew opens every socket anew, one after the other, so that another one hears
// meanwhile: for a connection that looks well and hears nothing, and to have
// Slack count the connections again.
func (e *Edge) Renew(ctx context.Context) {
	for _, s := range e.sockets {
		before := s.health().Opened
		select {
		case s.reconnect <- struct{}{}:
		default: // it is about to be opened anew
		}
		for until := e.now().Add(renewWithin); e.now().Before(until); {
			if h := s.health(); h.Up && h.Opened > before {
				break
			}
			if !pause.For(ctx, leastDelay) {
				return
			}
		}
	}
}
