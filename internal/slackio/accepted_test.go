package slackio

import (
	"slices"
	"testing"

	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"dhbot/internal/card"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/slackio/blockkit"
	"dhbot/internal/test/cardtest"
)

// TestSlackAcceptsAnyCard posts random cards to a local Slack that enforces Slack's limits. Slack
// must accept their blocks and their plain form. Only people whom a card mentions on purpose may be
// notified.
func TestSlackAcceptsAnyCard(t *testing.T) {
	local, err := slacklocal.Start(slacklocal.Config{Workspace: slacklocal.DemoWorkspace(), Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	api := slack.New(local.BotToken(), slack.OptionAPIURL(local.APIURL()))
	post := func(m blockkit.Message) (string, error) {
		_, ts, err := api.PostMessageContext(t.Context(), slacklocal.DemoIncident, options(m)...)
		return ts, err
	}
	for _, s := range cardtest.All() {
		if _, err := post(demoRenderer.Message(s.Card)); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if _, err := post(demoRenderer.Bare(s.Card)); err != nil {
			t.Errorf("%s as text: %v", s.Name, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := cards().Draw(t, "card")
		for _, m := range []blockkit.Message{homeRenderer.Message(c), homeRenderer.Bare(c)} {
			ts, err := post(m)
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			for _, who := range alerted(t, local, ts) {
				if !slices.Contains(named(c), who) {
					t.Fatalf("the card notifies %s, whom it does not mention", who)
				}
			}
		}
	})
}

// alerted lists the people whom a message notifies, as the local Slack parsed it.
func alerted(t *rapid.T, local *slacklocal.Server, ts string) []string {
	list, err := local.Messages(slacklocal.DemoIncident, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range slices.Backward(list) {
		if m.TS == ts {
			return m.Notifies
		}
	}
	t.Fatalf("there is no message %s", ts)
	return nil
}

// named lists the people that a card mentions on purpose, in a Who span.
func named(c card.Card) []string {
	var out []string
	lines := append([]card.Line{c.Head}, c.Foot...)
	for _, e := range c.Body {
		switch e := e.(type) {
		case card.Text:
			lines = append(lines, e.Lines...)
		case card.Table:
			for _, row := range e.Rows {
				lines = append(lines, row...)
			}
		}
	}
	for _, l := range lines {
		for _, s := range l {
			if s.Kind == card.Who && blockkit.Mentionable(s.Account) {
				out = append(out, "@"+s.Account.User)
			}
		}
	}
	return out
}
