package slacklocal

import (
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// TestShortcuts checks the payloads of both kinds of shortcut. It also checks that the use of a
// shortcut that Slack would not offer is an error.
func TestShortcuts(t *testing.T) {
	s := start(t, Config{Workspace: DemoWorkspace()})
	b := connect(t, s)
	_, ts, err := api(s).PostMessage(DemoIncident, slack.MsgOptionText("db_dis is down", false))
	if err != nil {
		t.Fatal(err)
	}
	use := func(in ShortcutUse) slack.InteractionCallback {
		t.Helper()
		wait := answerOf(func() (*Answer, error) { return s.Shortcut(in) })
		e := b.ackNext(t, socketmode.EventTypeInteractive)
		if a := wait(t); !a.OK {
			t.Errorf("%+v", a)
		}
		return e.Data.(slack.InteractionCallback)
	}
	on := use(ShortcutUse{User: "operator", Channel: "incident", TS: ts})
	if on.Type != slack.InteractionTypeMessageAction || on.CallbackID != "ask_message" || on.Message.Text != "db_dis is down" || on.Message.Timestamp != ts ||
		on.Channel.ID != DemoIncident || on.User.ID != DemoOperator || on.User.TeamID != DemoTeam || on.TriggerID == "" || on.ResponseURL == "" || on.ActionTs == "" {
		t.Errorf("on a message: %+v", on)
	}
	anywhere := use(ShortcutUse{User: "operator"})
	if anywhere.Type != slack.InteractionTypeShortcut || anywhere.CallbackID != "ask_anywhere" || anywhere.Channel.ID != "" || anywhere.TriggerID == "" {
		t.Errorf("from anywhere: %+v", anywhere)
	}
	for _, in := range []ShortcutUse{
		{User: "nobody"}, {User: "operator", CallbackID: "other"}, {User: "operator", Channel: "incident", TS: "1.2"}, {User: "outsider", Channel: "incident", TS: ts},
	} {
		if _, err := s.Shortcut(in); err == nil {
			t.Errorf("allowed: %+v", in)
		}
	}
}
