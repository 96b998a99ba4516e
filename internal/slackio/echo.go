package slackio

import (
	"context"
	"errors"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

// mark is the reaction by which the bot asks Slack to tell it something: Slack
// sends the app an event of it, by the same way as everything that people do.
const mark = "ear"

// Echo is Slack's word that the bot has set its own mark on a message, or taken
// it back.
type Echo struct {
	Channel, TS string
	On          bool
	// Again says that Slack had sent it before, and that nobody acked it: there
	// is a connection that takes what people do and does nothing with it.
	Again bool
}

// ErrMarked says that a mark is already as it should be: no echo comes.
var ErrMarked = errors.New("the message is marked so already")

// Mark sets the bot's mark on a message, or takes it back. Slack answers with
// an Echo on any connection of the app. Errors wrap ErrMarked, and
// poster.ErrGone where the message is not there any more.
func (e *Edge) Mark(ctx context.Context, channel, ts string, on bool) error {
	item := slack.NewRefToMessage(channel, ts)
	err := limited(ctx, func(ctx context.Context) error {
		if on {
			return e.chat.AddReactionContext(ctx, mark, item)
		}
		return e.chat.RemoveReactionContext(ctx, mark, item)
	})
	if c := code(err); c == "already_reacted" || c == "no_reaction" {
		return ErrMarked
	}
	return explain("marking a message in "+channel, err)
}

// OnEcho names what hears of the bot's own marks: it must not block. It is
// called before Run.
func (e *Edge) OnEcho(heard func(Echo)) { e.onEcho = heard }

// echoOf is the echo that an event is, if it is one of the bot's own.
func echoOf(ev socketmode.Event, self Identity) (Echo, bool) {
	api, ok := ev.Data.(slackevents.EventsAPIEvent)
	if !ok || self.User == "" {
		return Echo{}, false
	}
	again := ev.Request != nil && ev.Request.RetryAttempt > 0
	switch r := api.InnerEvent.Data.(type) {
	case *slackevents.ReactionAddedEvent:
		return Echo{r.Item.Channel, r.Item.Timestamp, true, again}, r.User == self.User && r.Reaction == mark
	case *slackevents.ReactionRemovedEvent:
		return Echo{r.Item.Channel, r.Item.Timestamp, false, again}, r.User == self.User && r.Reaction == mark
	default:
		return Echo{}, false
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
		case s.again <- struct{}{}:
		default: // it is about to be opened anew
		}
		for until := e.now().Add(renewWithin); e.now().Before(until); {
			if h := s.health(); h.Up && h.Opened > before {
				break
			}
			if sleep(ctx, leastDelay) != nil {
				return
			}
		}
	}
}
