package livecheck

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/app"
	"dhbot/internal/config"
	"dhbot/internal/slackio"
)

// checkSlack checks the Slack side: both tokens with their scopes, every channel of the config,
// every account of its people, and the clock. Each line that is not OK has the fix.
func checkSlack(ctx context.Context, cfg *config.Config, o app.Options) []Found {
	bad := func(err error) []Found { return []Found{{About: "slack", Text: err.Error()}} }
	edge, err := slackio.New(slackio.Config{
		AppToken: cfg.Slack.AppToken, BotToken: cfg.Slack.BotToken,
		APIURL: o.SlackAPI, IsHome: cfg.Rules.IsHome, IsKnown: cfg.Rules.Knows, Claims: noClaims{}, Handler: nobody,
	})
	if err != nil {
		return bad(err)
	}
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	var out []Found
	if err := edge.CheckAppToken(ctx); err != nil {
		out = append(out, bad(err)...)
	} else {
		out = append(out, Found{OK: true, About: "slack", Text: "the app-level token opens connections"})
	}
	id, err := edge.CheckBotToken(ctx)
	if err != nil {
		out = append(out, bad(err)...)
		if id.User == "" || !cfg.Rules.IsHome(id.Organisation(), id.Team) {
			return out // the token does not work, or belongs to another organisation: other checks would mean nothing
		}
	} else {
		out = append(out, Found{OK: true, About: "slack", Text: fmt.Sprintf("the bot is %s of %s, with all required scopes", id.User, id.Organisation())})
	}
	out = append(out, checkChannels(ctx, edge, cfg)...)
	out = append(out, checkPeople(ctx, edge, cfg)...)
	if clock := edge.ClockAhead(); clock != "" {
		out = append(out, Found{About: "slack", Text: clock})
	}
	return out
}

// checkChannels checks every channel of the config once.
func checkChannels(ctx context.Context, edge *slackio.Edge, cfg *config.Config) []Found {
	what := map[string]string{}
	name := func(id, is string) {
		if id != "" && what[id] == "" {
			what[id] = is
		}
	}
	private := map[string]bool{} // outsiders must not see incidents
	name(cfg.Slack.AuditChannel, "the audit channel")
	for cluster, w := range cfg.Watches {
		name(w.Channel, "the channel for incidents of "+cluster)
		private[w.Channel] = true
	}
	name(cfg.Terminal.Channel, "the channel for runs of the terminal")
	for id, cluster := range cfg.Slack.Channels {
		name(id, "the channel of "+cluster)
	}
	var out []Found
	for _, id := range slices.Sorted(maps.Keys(what)) {
		about := what[id] + " " + id
		err := edge.CheckChannel(ctx, id)
		if err == nil && private[id] {
			if shared, _, _ := edge.Channel(ctx, id, 0); shared {
				err = errors.New("it is shared with another organisation, so incidents are posted in the audit channel instead: use a channel of your own")
			}
		}
		if err != nil {
			out = append(out, Found{About: "slack", Text: about + ": " + err.Error()})
			continue
		}
		out = append(out, Found{OK: true, About: "slack", Text: about + ": the bot may post there"})
	}
	return out
}

// checkPeople looks up every account of the config.
func checkPeople(ctx context.Context, edge *slackio.Edge, cfg *config.Config) []Found {
	var out []Found
	good := 0
	for _, p := range cfg.Rules.People {
		for _, a := range p.Accounts {
			if why := checkAccount(ctx, edge, &cfg.Rules, p, a); why != "" {
				out = append(out, Found{About: "slack", Text: fmt.Sprintf("people: %s: %s: %s", p.Name, a, why)})
			} else {
				good++
			}
		}
	}
	return append(out, Found{OK: true, About: "slack", Text: fmt.Sprintf("%d accounts of people are full members", good)})
}

func checkAccount(ctx context.Context, edge *slackio.Edge, rules *auth.Rules, p auth.Person, a auth.Account) string {
	profile, err := edge.Lookup(ctx, a, 0)
	if err != nil {
		if strings.Contains(err.Error(), "user_not_found") {
			return "Slack knows no such account: copy the member id from the person's profile"
		}
		return err.Error()
	}
	who, err := rules.Identify(profile)
	switch {
	case err != nil:
		return strings.TrimPrefix(err.Error(), "Not allowed: ") + " Remove the account from the config, or use the account of a full member."
	case who.Name != p.Name:
		return "Slack says that this is " + who.Name + ": list each account under one person only"
	default:
		return ""
	}
}

// noClaims is never called, because a live check receives no events.
type noClaims struct{}

func (noClaims) Claim(context.Context, string, []byte) (bool, error) { return false, nil }
func (noClaims) Settle(context.Context, string) error                { return nil }

func nobody(context.Context, call.Message, call.Reply) bool { return false }
