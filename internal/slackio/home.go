package slackio

import (
	"context"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/slackio/blockkit"
)

// homeOpened returns the person who opened the app's Home tab, if the event reports that.
func homeOpened(ev socketmode.Event) (auth.Account, bool) {
	api, ok := ev.Data.(slackevents.EventsAPIEvent)
	if !ok {
		return auth.Account{}, false
	}
	opened, ok := api.InnerEvent.Data.(*slackevents.AppHomeOpenedEvent)
	if !ok || opened.Tab != "home" || opened.User == "" {
		return auth.Account{}, false
	}
	return auth.Account{Team: api.TeamID, User: opened.User}, true
}

// OnHome sets the function that is called when a person opens the app's Home tab. The function
// must not block. Call OnHome before Run.
func (e *Edge) OnHome(opened func(auth.Account)) { e.onHome = opened }

// PublishHome puts cards, one below the other, on a person's Home tab, which only they see. It
// leaves out cards that do not fit, with a note.
func (e *Edge) PublishHome(ctx context.Context, user string, cards []card.Card) error {
	view := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blockkit.Renderer{}.Page(cards)}}
	err := limited(ctx, func(ctx context.Context) error {
		_, err := e.ask.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: user, View: view})
		return err
	})
	return explain("publishing the Home tab of "+user, err)
}
