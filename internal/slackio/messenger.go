package slackio

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/slackio/blockkit"
	"dhbot/internal/slackio/rate"
)

// The publisher posts through the Edge.
var _ publish.Messenger = (*Edge)(nil)

// Post posts a new message in a channel, or in a thread of the channel. It returns the message's
// timestamp, which is its id. It waits for the channel's rate limit and after every 429. It posts
// a card as text if Slack rejects its blocks. Errors wrap publish.ErrNoPlace if the channel does
// not accept the message. After any other error, a time-out in particular, the message may have
// been posted.
func (e *Edge) Post(ctx context.Context, at engine.Place, c card.Card) (string, error) {
	u := rate.Background
	if slices.ContainsFunc(c.Buttons, func(b card.Button) bool { return b.Action == card.TapApprove }) {
		u = rate.Decision
	}
	return e.post(ctx, at, u, c)
}

func (e *Edge) post(ctx context.Context, at engine.Place, u rate.Priority, c card.Card) (string, error) {
	var ts string
	err := e.limiter.Do(ctx, at.Channel, rate.MethodPost, u, func(ctx context.Context) error {
		return e.withFallback(ctx, c, func(ctx context.Context, opts []slack.MsgOption) (err error) {
			if at.Thread != "" {
				opts = append(opts, slack.MsgOptionTS(at.Thread))
				if c.Broadcast {
					opts = append(opts, slack.MsgOptionBroadcast())
				}
			}
			_, ts, err = e.chat.PostMessageContext(ctx, at.Channel, opts...)
			return err
		})
	})
	if err != nil {
		return "", explain("posting to "+at.Channel, err)
	}
	return ts, nil
}

// Edit replaces a message when its turn comes: at most about 45 edits a minute in the whole
// workspace, final edits first. Of several waiting edits of one message only the latest is made.
// Errors wrap publish.ErrGone if the message no longer exists. Run makes the edits. If it has
// stopped, Edit returns an error. If ctx ends first, Edit returns an error too. The message is then
// unchanged, unless the edit was being sent or another call waited for an edit of the same message.
func (e *Edge) Edit(ctx context.Context, channel, ts string, c card.Card, final bool) error {
	err := e.edits.Put(ctx, rate.MessageKey{Channel: channel, Ts: ts}, c, final)
	return explain("editing a message in "+channel, err)
}

// update is called by the edit queue.
func (e *Edge) update(ctx context.Context, at rate.MessageKey, c card.Card) error {
	return e.withFallback(ctx, c, func(ctx context.Context, opts []slack.MsgOption) error {
		_, _, _, err := e.chat.UpdateMessageContext(ctx, at.Channel, at.Ts, opts...)
		return err
	})
}

// withFallback sends a card; if Slack rejects its blocks, it sends plain text instead.
func (e *Edge) withFallback(ctx context.Context, c card.Card, send func(context.Context, []slack.MsgOption) error) error {
	r := blockkit.Renderer{}
	err := limited(ctx, func(ctx context.Context) error { return send(ctx, options(r.Message(c))) })
	if !refused(err) {
		return err
	}
	e.log.ErrorContext(ctx, "Slack rejected the blocks of a card; sent as text instead", "code", code(err), "push", blockkit.Clean(c.Push))
	return limited(ctx, func(ctx context.Context) error { return send(ctx, options(r.Bare(c))) })
}

// limited sets the time limit of one call of the Web API.
func limited(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout, publish.ErrNoAnswer)
	defer cancel()
	return call(ctx)
}

// options are a message's parameters. Slack must not parse the text; chat.update would do so by
// default.
func options(m blockkit.Message) []slack.MsgOption {
	return []slack.MsgOption{
		slack.MsgOptionText(m.Text, false), slack.MsgOptionBlocks(m.Blocks...),
		slack.MsgOptionParse(false), slack.MsgOptionLinkNames(false),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(),
	}
}

// File puts a file in a channel or thread, with a name for downloads and a title for readers.
// Content must already be redacted. Like a post it waits for the channel's rate limit.
func (e *Edge) File(ctx context.Context, at engine.Place, name, title string, content []byte) error {
	if len(content) == 0 {
		return fmt.Errorf("the file %q is empty, and Slack does not accept empty files", name)
	}
	err := e.limiter.Do(ctx, at.Channel, rate.MethodFile, rate.Background, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, publish.ErrNoAnswer)
		defer cancel()
		_, err := e.chat.UploadFileContext(ctx, slack.UploadFileParameters{
			Reader: bytes.NewReader(content), FileSize: len(content), Filename: name, Title: blockkit.Cut(blockkit.Clean(title), blockkit.MaxConfirmText),
			Channel: at.Channel, ThreadTimestamp: at.Thread,
		})
		return err
	})
	return explain("uploading "+name+" to "+at.Channel, err)
}
