package livecheck

import (
	"fmt"
	"strings"
	"testing"

	"dhbot/auth"
	"dhbot/internal/app"
	"dhbot/internal/config"
	"dhbot/internal/secret"
	"dhbot/internal/sim/slacklocal"
)

// liveWorld starts a local Slack and returns it with a matching config. If change is not nil, it
// first edits the workspace.
func liveWorld(t *testing.T, change func(*slacklocal.Workspace)) (*slacklocal.Server, *config.Config) {
	t.Helper()
	ws := slacklocal.DemoWorkspace()
	if change != nil {
		change(&ws)
	}
	local, err := slacklocal.Start(slacklocal.Config{Workspace: ws})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	cfg := &config.Config{
		Slack: config.Slack{
			AppToken: secret.New(local.AppToken()), BotToken: secret.New(local.BotToken()),
			AuditChannel: slacklocal.DemoAudit, Channels: map[string]string{slacklocal.DemoIncident: "prod"},
		},
		Rules: auth.Rules{Home: slacklocal.DemoTeam, People: []auth.Person{
			{Name: "operator", Accounts: []auth.Account{{User: slacklocal.DemoOperator}}},
			{Name: "approver", Accounts: []auth.Account{{User: slacklocal.DemoApprover}}},
		}},
	}
	return local, cfg
}

func failures(found []Found) (out []string) {
	for _, f := range found {
		if !f.OK {
			out = append(out, f.Text)
		}
	}
	return out
}

// The check finds no problems in a workspace that is set up correctly.
func TestCheckSlackFindsNothing(t *testing.T) {
	local, cfg := liveWorld(t, nil)
	if bad := failures(checkSlack(t.Context(), cfg, app.Options{SlackAPI: local.APIURL()})); len(bad) > 0 {
		t.Errorf("found %q, want no problem", bad)
	}
}

// Each fault in the Slack workspace is reported with its fix.
func TestCheckSlackNamesEachFault(t *testing.T) {
	yes := true
	fault := func(f slacklocal.Fault) func(*slacklocal.Server, *config.Config) error {
		return func(s *slacklocal.Server, _ *config.Config) error { f.Count = -1; return s.Inject(f) }
	}
	person := func(c slacklocal.PersonChange) func(*slacklocal.Server, *config.Config) error {
		return func(s *slacklocal.Server, _ *config.Config) error {
			c.User = "approver"
			_, err := s.ChangePerson(c)
			return err
		}
	}
	channel := func(c slacklocal.ChannelChange) func(*slacklocal.Server, *config.Config) error {
		return func(s *slacklocal.Server, _ *config.Config) error { _, err := s.ChangeChannel(c); return err }
	}
	other := slacklocal.DemoOtherTeam
	for _, tt := range []struct {
		name  string
		plant func(*slacklocal.Server, *config.Config) error
		want  []string
	}{
		{"bot token wrong", fault(slacklocal.Fault{Kind: "revoke", Token: "bot", Error: "invalid_auth"}), []string{"SLACK_BOT_TOKEN", "copy it again"}},
		{"bot token revoked", fault(slacklocal.Fault{Kind: "revoke", Token: "bot"}), []string{"SLACK_BOT_TOKEN", "create a new token"}},
		{"app uninstalled", fault(slacklocal.Fault{Kind: "revoke", Token: "bot", Error: "account_inactive"}), []string{"SLACK_BOT_TOKEN", "install the app again"}},
		{"app token wrong", fault(slacklocal.Fault{Kind: "revoke", Token: "app", Error: "invalid_auth"}), []string{"SLACK_APP_TOKEN", "copy it again"}},
		{"app token without its scope", fault(slacklocal.Fault{Kind: "api-error", Method: "apps.connections.open", Error: "missing_scope"}), []string{"SLACK_APP_TOKEN", "connections:write"}},
		{"Socket Mode off", fault(slacklocal.Fault{Kind: "api-error", Method: "apps.connections.open", Error: "socket_mode_not_enabled"}), []string{"enable it"}},
		{"another organisation", func(_ *slacklocal.Server, c *config.Config) error { c.Rules.Home = "T0ELSE"; return nil }, []string{"slack.home", slacklocal.DemoTeam}},
		{"bot not in the audit channel", channel(slacklocal.ChannelChange{Channel: "audit", WithoutBot: &yes}), []string{"audit channel", "invite the bot"}},
		{"channel archived", channel(slacklocal.ChannelChange{Channel: "incident", Archived: &yes}), []string{slacklocal.DemoIncident, "archived"}},
		{"posting restricted", channel(slacklocal.ChannelChange{Channel: "incident", Restricted: &yes}), []string{slacklocal.DemoIncident, "allow the bot to post"}},
		{"no such channel", func(_ *slacklocal.Server, c *config.Config) error {
			c.Slack.Channels["C0NOWHERE"] = "prod"
			return nil
		}, []string{"C0NOWHERE", "correct the id"}},
		{"incidents in a shared channel", func(_ *slacklocal.Server, c *config.Config) error {
			c.Watches = map[string]config.Watch{"prod": {Channel: slacklocal.DemoShared}}
			return nil
		}, []string{slacklocal.DemoShared, "another organisation"}},
		{"account deactivated", person(slacklocal.PersonChange{Deleted: &yes}), []string{"approver", "deactivated"}},
		{"account of a guest", person(slacklocal.PersonChange{Restricted: &yes}), []string{"approver", "guests"}},
		{"account of a bot", person(slacklocal.PersonChange{Bot: &yes}), []string{"approver", "app"}},
		{"account of outsiders", person(slacklocal.PersonChange{TeamID: &other}), []string{"approver", "organisation"}},
		{"no such account", func(_ *slacklocal.Server, c *config.Config) error {
			c.Rules.People[1].Accounts[0].User = "U0NOBODY"
			return nil
		}, []string{"U0NOBODY", "copy the member id"}},
		{"clock off", fault(slacklocal.Fault{Kind: "clock", MS: -125_000}), []string{"2m05s ahead", "time server"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			local, cfg := liveWorld(t, nil)
			if err := tt.plant(local, cfg); err != nil {
				t.Fatal(err)
			}
			bad := failures(checkSlack(t.Context(), cfg, app.Options{SlackAPI: local.APIURL()}))
			if len(bad) != 1 {
				t.Errorf("found %q", bad)
			}
			for _, want := range tt.want {
				if !strings.Contains(strings.Join(bad, "\n"), want) {
					t.Errorf("%q is not in %q", want, bad)
				}
			}
		})
	}
}

// The granted scopes must be exactly the scopes that the bot needs.
func TestCheckSlackComparesScopes(t *testing.T) {
	local, cfg := liveWorld(t, func(ws *slacklocal.Workspace) { ws.App.Scopes = []string{"users:read", "channels:read"} })
	bad := fmt.Sprint(failures(checkSlack(t.Context(), cfg, app.Options{SlackAPI: local.APIURL()})))
	for _, want := range []string{"chat:write", "it has users:read, channels:read", "install the app again"} {
		if !strings.Contains(bad, want) {
			t.Errorf("%q is not in %s", want, bad)
		}
	}
}
