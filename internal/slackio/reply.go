package slackio

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/engine"
	"dhbot/internal/pause"
	"dhbot/internal/publish"
	"dhbot/internal/slackio/blockkit"
	"dhbot/internal/slackio/codes"
	"dhbot/internal/slackio/rate"
	"dhbot/internal/tracing"
)

// reply answers one delivery. Its first answer frees the worker: the limit applies to the work
// before an answer, not to waiting for Slack, for a slow host, or for the store.
type reply struct {
	edge  *Edge
	d     *delivery
	leave func() // frees the worker, once

	mu       sync.Mutex
	ts       string // the message that Show posted
	answered bool   // something was shown
}

var _ call.Reply = (*reply)(nil)

// Show posts the card in the channel and thread of the command; later calls edit that message. A
// private card is ephemeral. In a channel that the bot has not joined, the card is ephemeral too,
// and says why.
func (r *reply) Show(ctx context.Context, c card.Card) error {
	if c.Private {
		return r.Ephemeral(ctx, c)
	}
	return r.retrying(ctx, func() error {
		if r.d.Channel == "" { // from the Home tab, or a global shortcut
			at, err := r.edge.direct(ctx, r.d.Account.User)
			if err != nil {
				return err
			}
			r.d.Channel = at.Channel
		}
		if r.ts != "" {
			return r.edge.Edit(ctx, r.d.Channel, r.ts, c, false)
		}
		ts, err := r.edge.post(ctx, r.d.place(), rate.Interactive, c)
		if errors.Is(err, publish.ErrNoPlace) {
			return r.outside(ctx, c, err)
		}
		if err == nil {
			r.ts = ts
		}
		return err
	})
}

// outside answers in a place where the bot cannot post. Only the person sees the answer, with the
// reason.
func (r *reply) outside(ctx context.Context, c card.Card, cause error) error {
	c.Foot = append(append([]card.Line{}, c.Foot...), card.Line{card.T(whyPrivate(cause))})
	if err := r.edge.ephemeral(ctx, r.d, c); err != nil {
		return errors.Join(cause, err)
	}
	return nil
}

// Ephemeral shows a card to the person only. Slack does not guarantee delivery, and the message
// disappears when the page reloads.
func (r *reply) Ephemeral(ctx context.Context, c card.Card) error {
	return r.retrying(ctx, func() error { return r.edge.ephemeral(ctx, r.d, c) })
}

// Ask opens a form, which Slack allows within 3 s of the tap. If the button was in a window, the
// form replaces that window.
func (r *reply) Ask(ctx context.Context, f card.Form) error {
	if r.d.Trigger == "" {
		return fmt.Errorf("the form %q cannot be opened: only a tap or slash command of the last 3 s can open one", f.Action)
	}
	view, err := blockkit.Renderer{}.Form(f, r.d.Channel, r.d.Thread)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, askBudget, publish.ErrNoAnswer)
	defer cancel()
	return r.ephemeral(func() error {
		var err error
		if r.d.View != "" {
			_, err = r.edge.chat.UpdateViewContext(ctx, view, "", "", r.d.View)
		} else {
			_, err = r.edge.chat.OpenViewContext(ctx, r.d.Trigger, view)
		}
		if err != nil && (codes.Of(code(err)) == codes.TapAgain || ctx.Err() != nil) {
			return &call.WindowError{Typed: f.Typed, Err: err}
		}
		return explain("opening the form "+f.Action, err)
	})
}

// Attach puts a file into the thread of Show's message, or where the command was typed.
func (r *reply) Attach(ctx context.Context, f outputcard.File) error {
	return r.ephemeral(func() error {
		at := r.d.place()
		if at.Thread == "" {
			at.Thread = r.ts
		}
		return r.edge.File(ctx, at, f.Name, f.Title, f.Content)
	})
}

// Direct sends a card and files as a direct message.
func (r *reply) Direct(ctx context.Context, c card.Card, files ...outputcard.File) error {
	return r.ephemeral(func() error {
		at, err := r.edge.direct(ctx, r.d.Account.User)
		if err != nil {
			return err
		}
		if at.Thread, err = r.edge.post(ctx, at, rate.Interactive, c); err != nil {
			return err
		}
		for _, f := range files {
			if err := r.edge.File(ctx, at, f.Name, f.Title, f.Content); err != nil {
				return err
			}
		}
		return nil
	})
}

// direct is the place of a person's direct messages.
func (e *Edge) direct(ctx context.Context, user string) (engine.Place, error) {
	var at engine.Place
	err := limited(ctx, func(ctx context.Context) error {
		ch, _, _, err := e.ask.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
		if err == nil {
			at.Channel = ch.ID
		}
		return err
	})
	return at, explain("opening direct messages with "+user, err)
}

// retrying calls show, and retries after a short outage of Slack, because a duplicate answer is
// better than none.
func (r *reply) retrying(ctx context.Context, show func() error) (err error) {
	ctx, span := tracing.Begin(ctx, "post")
	defer func() { tracing.End(span, err) }()
	return r.ephemeral(func() error {
		backoff := newBackoff()
		for until := r.edge.now().Add(answerBudget); ; {
			err := show()
			if !transient(err) || ctx.Err() != nil || r.edge.now().After(until) {
				return err
			}
			delay, _ := backoff.Next()
			r.edge.log.WarnContext(ctx, "an answer was not posted; retrying", "in", delay.Round(time.Millisecond), "err", err)
			if !pause.For(ctx, delay) {
				return err
			}
		}
	})
}

// ephemeral frees the worker, and then runs a function that waits for Slack.
func (r *reply) ephemeral(f func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave()
	err := f()
	if err == nil && !r.answered && !r.d.received.IsZero() {
		r.answered = true
		r.edge.observer.Answered(r.edge.now().Sub(r.d.received))
	}
	return err
}

// TellRequester shows a card to a run's requester: in the channel if possible, else as a direct
// message.
func (e *Edge) TellRequester(ctx context.Context, r engine.Run, c card.Card) error {
	if r.Asked.Account.Team == auth.LocalTeam {
		return nil // a terminal shows the run itself
	}
	d := &delivery{Account: r.Asked.Account, Channel: r.Place.Channel, Thread: r.Place.Thread}
	err := e.ephemeral(ctx, d, c)
	if err != nil && d.Channel != "" {
		d.Channel, d.Thread = "", ""
		err = e.ephemeral(ctx, d, c)
	}
	return err
}

// whyPrivate explains why only the person sees an answer.
func whyPrivate(cause error) string {
	switch c := code(cause); {
	case c == "is_archived":
		return "Only you see this: this channel is archived and accepts no messages."
	case codes.Of(c) == codes.NotAllowed:
		return "Only you see this: Slack does not allow the bot to post in this channel (" + c + ")."
	default:
		return "Only you see this: I am not in this channel. Invite me with /invite."
	}
}

// notify shows a card to the sender of a delivery. It tries the response URL first, because this
// needs no token and has other rate limits.
func (e *Edge) notify(ctx context.Context, d *delivery, c card.Card) error {
	if d.ResponseURL != "" && e.respond(ctx, d, c) == nil {
		return nil
	}
	return e.ephemeral(ctx, d, c)
}

// respond shows a card to the sender of a delivery, through the delivery's response URL.
func (e *Edge) respond(ctx context.Context, d *delivery, c card.Card) error {
	return e.withFallback(ctx, c, func(ctx context.Context, opts []slack.MsgOption) error {
		_, _, _, err := e.chat.SendMessageContext(
			ctx, d.Channel, append(opts, slack.MsgOptionResponseURL(d.ResponseURL, slack.ResponseTypeEphemeral))...,
		)
		return err
	})
}

// ephemeral shows a card to the sender of a delivery: in the channel if possible, else with the
// delivery's response URL, else as a direct message.
func (e *Edge) ephemeral(ctx context.Context, d *delivery, c card.Card) error {
	var errs []error
	if d.Channel != "" {
		err := e.limiter.RetryLimited(ctx, rate.MethodEphemeral, func(ctx context.Context) error {
			return e.withFallback(ctx, c, func(ctx context.Context, opts []slack.MsgOption) error {
				if d.Thread != "" {
					opts = append(opts, slack.MsgOptionTS(d.Thread))
				}
				_, err := e.chat.PostEphemeralContext(ctx, d.Channel, d.Account.User, opts...)
				return err
			})
		})
		if err == nil {
			return nil
		}
		errs = append(errs, explain("showing a message only to "+d.Account.String(), err))
	}
	if d.ResponseURL != "" {
		err := e.respond(ctx, d, c)
		if err == nil {
			return nil
		}
		errs = append(errs, explain("answering over the response URL", err))
	}
	if d.Channel == "" {
		// A tap on the Home tab has no channel: the answer is a direct message.
		at := d.place()
		at.Channel = d.Account.User
		_, err := e.post(ctx, at, rate.Interactive, c)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
