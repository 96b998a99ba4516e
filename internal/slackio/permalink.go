package slackio

import (
	"context"

	"github.com/slack-go/slack"
)

// Link is the URL of a message, for people who may see it.
func (e *Edge) Link(ctx context.Context, channel, ts string) (string, error) {
	var link string
	err := limited(ctx, func(ctx context.Context) (err error) {
		link, err = e.ask.GetPermalinkContext(ctx, &slack.PermalinkParameters{Channel: channel, Ts: ts})
		return err
	})
	return link, explain("asking for the link of a message in "+channel, err)
}
