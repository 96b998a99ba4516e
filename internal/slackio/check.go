package slackio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"dhbot/internal/slackio/manifest"
	"dhbot/internal/slackio/wire"
)

// CheckBotToken verifies with Slack that the bot token is accepted, belongs to the home
// organisation, and has the required scopes. An error names the fix.
func (e *Edge) CheckBotToken(ctx context.Context) (Identity, error) {
	id, err := e.Whoami(ctx)
	if err != nil {
		if advice, yes := fatal(err); yes {
			return id, fmt.Errorf("the bot token (SLACK_BOT_TOKEN) is refused: %w: %s", err, advice)
		}
		return id, err
	}
	if err := e.atHome(id); err != nil {
		return id, err
	}
	has, known := e.watch.Scopes(wire.BotToken)
	if !known {
		return id, nil // the answer lists no scopes
	}
	missing := slices.DeleteFunc(manifest.Scopes(), func(s string) bool { return slices.Contains(has, s) })
	if len(missing) > 0 {
		return id, fmt.Errorf("the bot token lacks the scopes %s (it has %s): add them on the app's page (`bot manifest` lists all that the bot needs), and install the app again",
			strings.Join(missing, ", "), strings.Join(has, ", "))
	}
	return id, nil
}

// CheckAppToken requests the address of a connection. This verifies that the app-level token is
// accepted, has its scope, and that Socket Mode is on. It opens no connection.
func (e *Edge) CheckAppToken(ctx context.Context) error {
	opts := []slack.Option{
		slack.OptionAppLevelToken(e.appToken.Reveal()),
		slack.OptionHTTPClient(e.watch.Client(wire.AppToken)),
		slack.OptionAPIURL(e.apiURL),
	}
	err := limited(ctx, func(ctx context.Context) error {
		_, _, err := slack.New("", opts...).StartSocketModeContext(ctx)
		return err
	})
	switch c := code(err); {
	case err == nil:
		return nil
	case c == "missing_scope" || c == "no_permission":
		return fmt.Errorf("the app-level token (SLACK_APP_TOKEN) lacks its scope (%s): create a token with the scope connections:write on the app's page under Basic Information", c)
	default:
		if advice, yes := fatal(err); yes {
			return fmt.Errorf("the app-level token (SLACK_APP_TOKEN) is refused: %w: %s", err, advice)
		}
		return explain("opening a connection with the app-level token", err)
	}
}

// CheckChannel reports problems that keep the bot from working in a channel.
func (e *Edge) CheckChannel(ctx context.Context, id string) error {
	var ch *slack.Channel
	err := limited(ctx, func(ctx context.Context) (err error) {
		ch, err = e.ask.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		return err
	})
	switch {
	case code(err) == "channel_not_found":
		return fmt.Errorf("no such channel in Slack, or it is private and the bot is not a member: correct the id, or invite the bot")
	case err != nil:
		return explain("reading the settings of the channel", err)
	case ch.IsArchived:
		return fmt.Errorf("the channel is archived and accepts no messages: unarchive it, or use another channel")
	case !ch.IsMember:
		return fmt.Errorf("the bot is not a member of the channel: invite the bot (/invite)")
	case ch.IsReadOnly || restricted(ch):
		return fmt.Errorf("only some people may post in the channel: allow the bot to post (channel settings, posting permissions), or use another channel")
	default:
		return nil
	}
}

// restricted reports whether only some people may post in a channel. The bot's own user may be
// among them.
func restricted(ch *slack.Channel) bool {
	return ch.Properties != nil && len(ch.Properties.PostingRestrictedTo.Type) > 0
}

// ClockAhead describes how far this machine's clock is ahead of Slack's clock or behind it, by
// Slack's answers so far. It returns "" if the clocks agree, or if there was no answer yet.
func (e *Edge) ClockAhead() string { return ClockText(e.watch.Ahead()) }
