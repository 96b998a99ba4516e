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

// roundTripReaction is the reaction that the bot sets and removes to check that events arrive.
// Slack sends the app an event about it, on the same path as the events of people.
const roundTripReaction = "ear"

// RoundTrip is Slack's event that the bot has added or removed its own reaction.
type RoundTrip struct {
	Channel, TS string
	On          bool
	// Again means that Slack sends the event again, because the first time no acknowledgement came:
	// some connection receives events and ignores them.
	Again bool
}

// ErrAlreadyMarked means that the reaction is already as requested, so no event will come.
var ErrAlreadyMarked = errors.New("the reaction is already as requested")

// SetRoundTripMark adds or removes the bot's reaction on a message. Slack sends a RoundTrip on any
// connection of the app. Errors wrap ErrAlreadyMarked, and publish.ErrGone if the message no longer
// exists.
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

// OnRoundTrip sets the function that is called with each RoundTrip. The function must not block.
// Call OnRoundTrip before Run.
func (e *Edge) OnRoundTrip(heard func(RoundTrip)) { e.onRoundTrip = heard }

// roundTripOf returns the RoundTrip of an event about the bot's own reaction.
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

// renewWithin is how long Renew waits for each replaced socket before it replaces the next one.
const renewWithin = 10 * time.Second

// Renew replaces every socket, one after the other, so that another socket receives events in the
// meantime. This replaces a connection that is open but delivers nothing, and makes Slack count the
// connections again.
func (e *Edge) Renew(ctx context.Context) {
	for _, s := range e.sockets {
		before := s.health().Opened
		select {
		case s.reconnect <- struct{}{}:
		default: // a reconnect is already requested
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
