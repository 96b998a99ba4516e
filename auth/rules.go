package auth

import (
	"slices"
	"strings"
	"time"

	"dhbot/runbooks"
)

// LocalTeam is the team of an account that a terminal vouches for; its user
// is the person's name.
const LocalTeam = "local"

// channelEntry is how a list of readers names a channel: "channel C0123".
const channelEntry = "channel "

// Roles are the lists of one cluster, by role. An entry is a person's name;
// among the readers it may also be "channel C…", whose members may read there.
// An empty or missing list allows no one.
type Roles map[Role][]string

// Rules are the whole of who may do what.
type Rules struct {
	// Home is the organisation (E… of an Enterprise Grid, else T…) whose full
	// members may be let in.
	Home string
	// HomeTeams are the teams and enterprises of a config without a Home, as
	// written before there was one: an account's organisation or its workspace
	// must be among them.
	HomeTeams []string
	People    []Person // everybody who may do anything at all
	Clusters  map[string]Roles
	Calls     map[string]Calls // by cluster: in which order approvers are called
	Policy    Policy
}

// Identify finds the person behind an account that the platform vouches for.
// Only a full, active, human member of the home organisation whose account
// stands in the config is let through; everybody else gets a *Refusal.
func (r *Rules) Identify(p Profile) (Person, error) {
	switch {
	case p.User == "" || p.ID == "":
		return Person{}, refuse(LookupFailed, "I could not find out who you are. Please try again.")
	case p.Deleted:
		return Person{}, refuse(Deactivated, "the account %s is deactivated.", p.Account)
	case p.Bot:
		return Person{}, refuse(NotAPerson, "%s is an app, and only people can ask for anything here.", p.Account)
	case p.Guest:
		return Person{}, refuse(NotAMember, "guests cannot use this bot. Ask a full member of the organisation.")
	case p.Stranger || !r.atHome(p):
		return Person{}, refuse(NotAMember, "only members of the bot's own organisation can use it.")
	}
	var found []Person
	for _, person := range r.People {
		if person.owns(p) {
			found = append(found, person)
		}
	}
	if len(found) != 1 || found[0].Name == "" {
		// Two people with one account is a broken config; guessing which of
		// them it is could let a requester vote on their own request.
		return Person{}, refuse(NotKnown, "the account %s belongs to nobody in the config. Whoever runs the bot can add it under `people`.", p.Account)
	}
	return found[0], nil
}

// atHome goes by the organisation that the platform says the account belongs
// to, never by the team that an event named.
func (r *Rules) atHome(p Profile) bool {
	if p.Team == LocalTeam {
		return p.Organisation == LocalTeam
	}
	return r.IsHome(p.Organisation, p.HomeTeam)
}

// IsHome reports whether an organisation, or in a config without a Home one of
// its workspaces, is the home organisation.
func (r *Rules) IsHome(organisation, team string) bool {
	if r.Home != "" {
		return organisation == r.Home
	}
	return organisation != "" && slices.Contains(r.HomeTeams, organisation) || team != "" && slices.Contains(r.HomeTeams, team)
}

// Knows reports whether the config has an account of a user id.
func (r *Rules) Knows(user string) bool {
	return slices.ContainsFunc(r.People, func(p Person) bool { return p.has(Account{User: user}) })
}

// owns reports whether a profile is the person's: by the person's id, or, in
// the form with a team, by the id within the workspace as well.
func (p Person) owns(of Profile) bool {
	if of.Team == LocalTeam {
		return p.Name != "" && of.User == p.Name
	}
	return slices.ContainsFunc(p.Accounts, func(a Account) bool {
		return a.User == of.ID || a.Team != "" && a.User == of.User
	})
}

// has reports whether the config gives the person this account, whatever the
// team that stands with it.
func (p Person) has(a Account) bool {
	return slices.ContainsFunc(p.Accounts, func(own Account) bool { return own.User == a.User })
}

// Named reports whether the text of an account in a record is the person's.
func (p Person) Named(account string) bool {
	team, user, ok := strings.Cut(account, "/")
	if !ok {
		team, user = "", account
	}
	if team == LocalTeam {
		return user == p.Name
	}
	return p.has(Account{User: user})
}

// MayAsk returns nil if a person may ask for an action of a class in a
// cluster from a channel, or a *Refusal. Reads are for people with a role
// there and for requests from a reader channel; sensitive reads for role data;
// whatever changes something for operators.
func (r *Rules) MayAsk(p Person, cluster string, class runbooks.Class, channel string) error {
	roles, err := r.roles(p, cluster)
	if err != nil {
		return err
	}
	switch class {
	case runbooks.Read:
		if roles.reads(p.Name, channel) {
			return nil
		}
		return refuseIn(cluster, LacksRole, "%s is not among the readers of %s.", p.Name, cluster)
	case runbooks.Sensitive:
		if roles.has(Data, p.Name) {
			return nil
		}
		return refuseIn(cluster, LacksRole, "this shows data, and %s does not have the role `data` in %s.", p.Name, cluster)
	case runbooks.Writes, runbooks.Disruptive, runbooks.Destructive:
		if roles.has(Operator, p.Name) {
			return nil
		}
		return refuseIn(cluster, LacksRole, "%s is not among the operators of %s.", p.Name, cluster)
	default:
		return refuse(LacksRole, "no rule allows an action of class %q.", class)
	}
}

// MayVote returns nil if a person may vote on what askedBy asked for in a
// cluster, or a *Refusal. The requester never votes, whatever account they use:
// askedBy is the name of a person of the config, and a requester whom the config
// no longer names could come back under another name, so that is a no too.
func (r *Rules) MayVote(p Person, askedBy, cluster string, class runbooks.Class) error {
	roles, err := r.roles(p, cluster)
	if err != nil {
		return err
	}
	voter, _ := r.person(p.Name)
	asker, known := r.person(askedBy)
	switch {
	case !class.Changing():
		return refuseIn(cluster, NoVoteTaken, "nothing of class %q is voted on.", class)
	case !known:
		return refuse(NotKnown, "%q who asked is not in the config any more. Somebody who is has to ask again.", askedBy)
	case samePerson(voter, asker):
		return refuseIn(cluster, OwnRequest, "%s can't approve their own request; another approver has to.", p.Name)
	case !roles.has(Approver, p.Name):
		return refuseIn(cluster, LacksRole, "%s is not among the approvers of %s.", p.Name, cluster)
	}
	return nil
}

// MayInSilence returns nil if a decision may be taken while the platform is
// silent since a time, zero for not, or a *Refusal. Nothing that cannot be undone
// is asked for or approved then, and an approval comes from another user of the
// machine than the request: uids are all that still tells people apart from
// those who use their keys.
func MayInSilence(since time.Time, class runbooks.Class, origin, askedFrom string) error {
	switch {
	case since.IsZero():
		return nil
	case class == runbooks.Destructive:
		return refuse(SlackSilent, "Slack has been silent since %s, and until it answers nothing destructive is asked for or approved.", since.UTC().Format("15:04 MST"))
	case origin != "" && origin == askedFrom:
		return refuse(SlackSilent, "Slack has been silent since %s, and until it answers an approval must come from another user of this machine than the request (both are %s).",
			since.UTC().Format("15:04 MST"), origin)
	}
	return nil
}

// Eligible returns who may vote in a cluster on what askedBy asked for, in
// the order of the config, each person once.
func (r *Rules) Eligible(cluster, askedBy string) []Person {
	var out []Person
	seen := map[string]bool{}
	for _, p := range r.People {
		if !seen[p.Name] && r.MayVote(p, askedBy, cluster, runbooks.Disruptive) == nil {
			seen[p.Name] = true
			out = append(out, p)
		}
	}
	return out
}

// EnoughEligible returns nil if at least need people may vote on what askedBy
// asks for in a cluster, or a *Refusal: a request that no one could ever
// approve is refused at once.
func (r *Rules) EnoughEligible(cluster, askedBy string, need int) error {
	if n := len(r.Eligible(cluster, askedBy)); n < need {
		return refuseIn(cluster, TooFew, "this needs %d of the approvers of %s besides %s, and the config names %d. Whoever runs the bot can add them under `roles`.",
			need, cluster, askedBy, n)
	}
	return nil
}

// roles returns a cluster's lists for a person whom the config knows by
// exactly this name.
func (r *Rules) roles(p Person, cluster string) (Roles, error) {
	if _, ok := r.person(p.Name); !ok {
		return nil, refuse(NotKnown, "the config does not know you. Whoever runs the bot can add you under `people`.")
	}
	roles, ok := r.Clusters[cluster]
	if !ok {
		return nil, refuse(NoSuchCluster, "the config has no roles for a cluster %q.", cluster)
	}
	return roles, nil
}

func (r *Rules) person(name string) (Person, bool) {
	i := slices.IndexFunc(r.People, func(p Person) bool { return p.Name == name })
	if i < 0 || name == "" {
		return Person{}, false
	}
	return r.People[i], true
}

// samePerson compares names and accounts, so that one account under two names
// does not make two people.
func samePerson(a, b Person) bool {
	return a.Name == b.Name || slices.ContainsFunc(a.Accounts, b.has)
}

func (r Roles) has(role Role, name string) bool { return name != "" && slices.Contains(r[role], name) }

func (r Roles) reads(name, channel string) bool {
	for _, role := range []Role{Reader, Operator, Approver, Data} {
		if r.has(role, name) {
			return true
		}
	}
	return channel != "" && slices.ContainsFunc(r[Reader], func(entry string) bool {
		id, ok := strings.CutPrefix(entry, channelEntry)
		return ok && strings.TrimSpace(id) == channel
	})
}
