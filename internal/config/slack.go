package config

import (
	"fmt"
	"regexp"
	"slices"

	"dhbot/auth"
	"dhbot/internal/sshkey"
)

// Slack's ids, and the names that people give to people.
var (
	teamID    = regexp.MustCompile(`^[TE][A-Z0-9]{2,}$`)
	channelID = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)
	accountID = regexp.MustCompile(`^([TE][A-Z0-9]{2,})/([UW][A-Z0-9]{2,})$`)
	// plainName is what can be typed with a thumb: people, clusters, hosts.
	plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
)

const plainNameIs = "use lower-case letters, digits, dots, dashes and underscores, beginning with a letter or digit"

func (b *builder) readWorkspace(o object) {
	if !o.there() {
		return
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

const channelIs = "write the id (C…), which Slack shows under the channel's details, not the name"

// readChannels reads which cluster a channel means; it comes after the
// clusters are known.
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

// readPeople reads who may do anything at all. A double account or key would
// let one human being be two people, and so approve their own request.
func (b *builder) readPeople(v value) {
	c := &b.config
	c.Keys = map[string][]sshkey.Key{}
	accounts, keys := map[string]string{}, map[string]string{}
	for _, p := range v.pairs() {
		if !plainName.MatchString(p.name) {
			p.value.problem(fmt.Sprintf("%q will not do as a person's name", p.name), plainNameIs)
		}
		o := p.value.object("slack", "keys")
		person := auth.Person{Name: p.name}
		for _, item := range o.get("slack").texts() {
			if account, ok := b.account(item); ok && only(item, accounts, item.text(), p.name) {
				person.Accounts = append(person.Accounts, account)
			}
		}
		for _, item := range o.get("keys").texts() {
			key, err := sshkey.Parse(item.text())
			if err != nil {
				// Not quoted: it may be the private one.
				item.problem(err.Error(), "write the line of the .pub file, never the private key")
				continue
			}
			if only(item, keys, string(key.Wire()), p.name) {
				c.Keys[p.name] = append(c.Keys[p.name], key)
			}
		}
		if !o.broken && !o.get("slack").there() && !o.get("keys").there() {
			p.value.problem(p.name+" has neither an account nor a key, so nobody can be "+p.name, "write slack: [T0123/U0456]")
		}
		c.Rules.People = append(c.Rules.People, person)
	}
	if len(c.Rules.HomeTeams) == 0 {
		c.Rules.HomeTeams = teamsOf(c.Rules.People)
	}
}

// teamsOf are the teams that the people's accounts belong to: where the file
// names no home teams, it is at home wherever it names somebody.
func teamsOf(people []auth.Person) []string {
	var teams []string
	for _, p := range people {
		for _, a := range p.Accounts {
			if !slices.Contains(teams, a.Team) {
				teams = append(teams, a.Team)
			}
		}
	}
	return teams
}

// account reads "T0123/U0456". An account of a team that is not at home could
// never be let in.
func (b *builder) account(v value) (auth.Account, bool) {
	home := b.config.Rules.HomeTeams
	m := accountID.FindStringSubmatch(v.text())
	if m == nil {
		v.problem(fmt.Sprintf("%q is no account", v.text()), "write team and member id, as T0123/U0456; names and addresses can be changed by anyone")
		return auth.Account{}, false
	}
	if len(home) > 0 && !slices.Contains(home, m[1]) {
		v.problem("the team "+m[1]+" is not among slack.home_teams, so this account is never let in", meant(m[1], home, "the home teams are "))
	}
	return auth.Account{Team: m[1], User: m[2]}, true
}

// only says that nobody else has the thing, and reports it where somebody has.
func only(v value, owners map[string]string, thing, owner string) bool {
	other, taken := owners[thing]
	if taken {
		v.problem("this is "+other+"'s already: one human being must not be two people", "keep it under one name")
		return false
	}
	owners[thing] = owner
	return true
}
