package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/internal/sshkey"
	"dhbot/internal/strictyaml"
)

// The forms of Slack's ids, and of names in the config.
var (
	teamID    = regexp.MustCompile(`^[TE][A-Z0-9]{2,}$`)
	channelID = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)
	accountID = regexp.MustCompile(`^(?:([TE][A-Z0-9]{2,})/)?([UW][A-Z0-9]{2,})$`)
	// plainName matches the names of people, clusters and hosts, which should be easy to type on
	// a phone.
	plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
)

const plainNameIs = "use lower-case letters, digits, dots, dashes and underscores, beginning with a letter or digit"

func (b *builder) readWorkspace(o strictyaml.Object) {
	if !o.There() {
		return
	}
	home := o.Get("home")
	b.config.Rules.Home = home.Text()
	if id := home.Text(); id != "" && !teamID.MatchString(id) {
		home.Problem(fmt.Sprintf("%q is not an organisation id", id), homeIs)
	}
	if home.There() && o.Get("home_teams").There() {
		o.Get("home_teams").Problem("home replaces home_teams", "remove home_teams")
	}
	for _, team := range o.Get("home_teams").Texts() {
		if !teamID.MatchString(team.Text()) {
			team.Problem(fmt.Sprintf("%q is not a team id", team.Text()), "write the id (T… or E…), not the name")
			continue
		}
		b.config.Rules.HomeTeams = append(b.config.Rules.HomeTeams, team.Text())
	}
	audit := o.Need("audit_channel", "write the id (C…) of the channel for the trail")
	b.config.Slack.AuditChannel = audit.Text()
	if id := audit.Text(); id != "" && !channelID.MatchString(id) {
		audit.Problem(fmt.Sprintf("%q is not a channel id", id), channelIs)
	}
}

const homeIs = "write the id of the workspace (T…) or, if you use Enterprise Grid, the id of the organisation (E…)"

const channelIs = "write the id (C…), which Slack shows under the channel's details, not the name"

// readChannels reads the cluster of each channel. The clusters must have been read before.
func (b *builder) readChannels(v strictyaml.Value) {
	var names []string
	for _, cluster := range b.config.Fleet.Clusters {
		names = append(names, cluster.Name)
	}
	b.config.Slack.Channels = map[string]string{}
	for _, p := range v.Pairs() {
		if !channelID.MatchString(p.Name) {
			p.Value.Problem(fmt.Sprintf("%q is not a channel id", p.Name), channelIs)
		}
		cluster := p.Value.Text()
		if !slices.Contains(names, cluster) {
			p.Value.Problem(fmt.Sprintf("there is no cluster %q", cluster), strictyaml.Meant(cluster, names, "the clusters are "))
		}
		b.config.Slack.Channels[p.Name] = cluster
	}
}

// readPeople reads the people. Two people must not share an account or a key, because then one
// human being could approve their own request.
func (b *builder) readPeople(v strictyaml.Value) {
	c := &b.config
	c.Keys = map[string][]sshkey.Key{}
	accounts, keys := map[string]string{}, map[string]string{}
	for _, p := range v.Pairs() {
		if !plainName.MatchString(p.Name) {
			p.Value.Problem(fmt.Sprintf("%q is not a valid name for a person", p.Name), plainNameIs)
		}
		o := p.Value.Object(keysOf[personKeys]()...)
		person := auth.Person{Name: p.Name}
		for _, item := range o.Get("slack").Texts() {
			account, ok := b.account(item)
			if !ok || slices.ContainsFunc(person.Accounts, func(a auth.Account) bool { return a.User == account.User }) {
				continue // the same id in another team is the same account
			}
			if soleOwner(item, accounts, account.User, p.Name) {
				person.Accounts = append(person.Accounts, account)
			}
		}
		for _, item := range o.Get("keys").Texts() {
			key, err := sshkey.Parse(item.Text())
			if err != nil {
				// The text is not quoted, because it may be the private key.
				item.Problem(err.Error(), "never write a private key here")
				continue
			}
			if soleOwner(item, keys, string(key.Wire()), p.Name) {
				c.Keys[p.Name] = append(c.Keys[p.Name], key)
			}
		}
		if !o.Broken && !o.Get("slack").There() && !o.Get("keys").There() {
			p.Value.Problem(p.Name+" has neither an account nor a key, so no one can act as "+p.Name, "write slack: [U0456]")
		}
		c.Rules.People = append(c.Rules.People, person)
	}
}

// readHome reads the home organisations. Without slack.home, the teams of people's accounts
// are the home organisations.
func (b *builder) readHome(slack strictyaml.Object, people strictyaml.Value) {
	rules := &b.config.Rules
	if rules.Home == "" && len(rules.HomeTeams) == 0 {
		rules.HomeTeams = teamsOf(people)
	}
	if len(rules.HomeTeams) == 0 && slack.There() && !slack.Broken && !slack.Get("home_teams").There() {
		slack.Need("home", homeIs)
	}
}

// teamsOf returns the teams that the people's accounts name.
func teamsOf(people strictyaml.Value) []string {
	var teams []string
	for _, p := range people.Pairs() {
		for _, item := range p.Value.Object(keysOf[personKeys]()...).Get("slack").Texts() {
			m := accountID.FindStringSubmatch(item.Text())
			if m != nil && m[1] != "" && !slices.Contains(teams, m[1]) {
				teams = append(teams, m[1])
			}
		}
	}
	return teams
}

// account parses an account such as "U0456", or "T0123/U0456" with its team. It refuses a team
// that is not a home team, because the account would never be accepted. If the home is an
// organisation (E…), every team is allowed, because the config does not list the organisation's
// teams.
func (b *builder) account(v strictyaml.Value) (auth.Account, bool) {
	rules := &b.config.Rules
	m := accountID.FindStringSubmatch(v.Text())
	if m == nil {
		v.Problem(fmt.Sprintf("%q is not an account", v.Text()), "write the member id (U… or W…) from the menu of the Slack profile, because people can change their names and addresses")
		return auth.Account{}, false
	}
	switch team, teams := m[1], rules.HomeTeams; {
	case team == "":
	case strings.HasPrefix(rules.Home, "T") && team != rules.Home:
		v.Problem("the team "+team+" is not slack.home, so this account is always refused", "write the member id (U…) of an account of "+rules.Home)
	case len(teams) > 0 && !slices.Contains(teams, team):
		v.Problem("the team "+team+" is not among slack.home_teams, so this account is always refused", strictyaml.Meant(team, teams, "the home teams are "))
	}
	return auth.Account{Team: m[1], User: m[2]}, true
}

// soleOwner makes a person the owner of an account or key. If another person owns it already,
// soleOwner adds a problem and returns false.
func soleOwner(v strictyaml.Value, owners map[string]string, thing, owner string) bool {
	other, taken := owners[thing]
	if taken {
		v.Problem("this already belongs to "+other+": one human being must not be two people", "keep it under one name")
		return false
	}
	owners[thing] = owner
	return true
}
