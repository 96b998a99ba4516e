package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/internal/sshkey"
)

// Slack's ids, and the names of people in the config.
var (
	teamID    = regexp.MustCompile(`^[TE][A-Z0-9]{2,}$`)
	channelID = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)
	accountID = regexp.MustCompile(`^(?:([TE][A-Z0-9]{2,})/)?([UW][A-Z0-9]{2,})$`)
	// plainName matches names that are easy to type on a phone: people, clusters, hosts.
	plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
)

const plainNameIs = "use lower-case letters, digits, dots, dashes and underscores, beginning with a letter or digit"

func (b *builder) readWorkspace(o object) {
	if !o.there() {
		return
	}
	home := o.get("home")
	b.config.Rules.Home = home.text()
	if id := home.text(); id != "" && !teamID.MatchString(id) {
		home.problem(fmt.Sprintf("%q is no id of an organisation", id), homeIs)
	}
	if home.there() && o.get("home_teams").there() {
		o.get("home_teams").problem("home takes the place of home_teams", "leave home_teams out")
	}
	for _, team := range o.get("home_teams").texts() {
		if !teamID.MatchString(team.text()) {
			team.problem(fmt.Sprintf("%q is no id of a team", team.text()), "write the id (T… or E…), not the name")
			continue
		}
		b.config.Rules.HomeTeams = append(b.config.Rules.HomeTeams, team.text())
	}
	audit := o.need("audit_channel", "write the id (C…) of the channel for the trail")
	b.config.Slack.AuditChannel = audit.text()
	if id := audit.text(); id != "" && !channelID.MatchString(id) {
		audit.problem(fmt.Sprintf("%q is no id of a channel", id), channelIs)
	}
}

const homeIs = "write the id of the workspace (T…), or in an Enterprise Grid that of the organisation (E…)"

const channelIs = "write the id (C…), which Slack shows under the channel's details, not the name"

// readChannels reads the cluster of each channel; it needs the clusters.
func (b *builder) readChannels(v value) {
	var names []string
	for _, cluster := range b.config.Fleet.Clusters {
		names = append(names, cluster.Name)
	}
	b.config.Slack.Channels = map[string]string{}
	for _, p := range v.pairs() {
		if !channelID.MatchString(p.name) {
			p.value.problem(fmt.Sprintf("%q is no id of a channel", p.name), channelIs)
		}
		cluster := p.value.text()
		if !slices.Contains(names, cluster) {
			p.value.problem(fmt.Sprintf("there is no cluster %q", cluster), meant(cluster, names, "the clusters are "))
		}
		b.config.Slack.Channels[p.name] = cluster
	}
}

// readPeople reads the people. An account or key of two people would let one human being approve
// their own request.
func (b *builder) readPeople(v value) {
	c := &b.config
	c.Keys = map[string][]sshkey.Key{}
	accounts, keys := map[string]string{}, map[string]string{}
	for _, p := range v.pairs() {
		if !plainName.MatchString(p.name) {
			p.value.problem(fmt.Sprintf("%q is not a valid name for a person", p.name), plainNameIs)
		}
		o := p.value.object(keysOf[personKeys]()...)
		person := auth.Person{Name: p.name}
		for _, item := range o.get("slack").texts() {
			account, ok := b.account(item)
			if !ok || slices.ContainsFunc(person.Accounts, func(a auth.Account) bool { return a.User == account.User }) {
				continue // the same id in another team is the same account
			}
			if only(item, accounts, account.User, p.name) {
				person.Accounts = append(person.Accounts, account)
			}
		}
		for _, item := range o.get("keys").texts() {
			key, err := sshkey.Parse(item.text())
			if err != nil {
				// Not quoted: it may be the private key.
				item.problem(err.Error(), "write the line of the .pub file, never the private key")
				continue
			}
			if only(item, keys, string(key.Wire()), p.name) {
				c.Keys[p.name] = append(c.Keys[p.name], key)
			}
		}
		if !o.broken && !o.get("slack").there() && !o.get("keys").there() {
			p.value.problem(p.name+" has neither an account nor a key, so nobody can be "+p.name, "write slack: [U0456]")
		}
		c.Rules.People = append(c.Rules.People, person)
	}
}

// readHome reads the home organisations; without slack.home they are the teams of people's
// accounts.
func (b *builder) readHome(slack object, people value) {
	rules := &b.config.Rules
	if rules.Home == "" && len(rules.HomeTeams) == 0 {
		rules.HomeTeams = teamsOf(people)
	}
	if len(rules.HomeTeams) == 0 && slack.there() && !slack.broken && !slack.get("home_teams").there() {
		slack.need("home", homeIs)
	}
}

// teamsOf are the teams in people's accounts.
func teamsOf(people value) []string {
	var teams []string
	for _, p := range people.pairs() {
		for _, item := range p.value.object(keysOf[personKeys]()...).get("slack").texts() {
			m := accountID.FindStringSubmatch(item.text())
			if m != nil && m[1] != "" && !slices.Contains(teams, m[1]) {
				teams = append(teams, m[1])
			}
		}
	}
	return teams
}

// account parses "U0456", or with a team "T0123/U0456". An account of a team that is not a home
// team would always be refused. The config does not list the teams of an organisation (E…).
func (b *builder) account(v value) (auth.Account, bool) {
	rules := &b.config.Rules
	m := accountID.FindStringSubmatch(v.text())
	if m == nil {
		v.problem(fmt.Sprintf("%q is no account", v.text()), "write the member id (U…), from the profile's menu; names and addresses can be changed by anyone")
		return auth.Account{}, false
	}
	switch team, teams := m[1], rules.HomeTeams; {
	case team == "":
	case strings.HasPrefix(rules.Home, "T") && team != rules.Home:
		v.problem("the team "+team+" is not slack.home, so this account is never let in", "write the member id (U…) of an account of "+rules.Home)
	case len(teams) > 0 && !slices.Contains(teams, team):
		v.problem("the team "+team+" is not among slack.home_teams, so this account is never let in", meant(team, teams, "the home teams are "))
	}
	return auth.Account{Team: m[1], User: m[2]}, true
}

// only reports whether a thing has a single owner, and adds a problem otherwise.
func only(v value, owners map[string]string, thing, owner string) bool {
	other, taken := owners[thing]
	if taken {
		v.problem("this is "+other+"'s already: one human being must not be two people", "keep it under one name")
		return false
	}
	owners[thing] = owner
	return true
}
