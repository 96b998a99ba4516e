package auth

import (
	"slices"
	"strings"
	"time"

	"dhbot/runbooks"
)

// LocalTeam is the team of every account at a terminal. The user of such an account is the person's
// name.
const LocalTeam = "local"

// channelEntry is the prefix of a channel in a list of readers, for example "channel C0123".
const channelEntry = "channel "

// Roles are the lists of one cluster, by role. An entry is a person's name. An entry of the readers
// may also be "channel C…", which allows reads by people in that channel. An empty or missing list
// allows no one.
type Roles map[Role][]string

// Rules are all rules about who may do what.
type Rules struct {
	// Home is the organisation (E… of an Enterprise Grid, else T…) whose full members may use
	// the bot.
	Home string
	// HomeTeams replaces Home in the config of an older version. The list must contain the
	// organisation or the workspace of an account.
	HomeTeams []string
	People    []Person // everyone who may use the bot
	Clusters  map[string]Roles
	Calls     map[string]Calls // by cluster: the order in which approvers are mentioned
	Policy    Policy
}

// Identify returns the person of an account. It returns a *refusal.Error unless the account belongs
// to a person in the config and is a full, active, human member of the home organisation.
func (r *Rules) Identify(p Profile) (Person, error) {
	switch {
	case p.User == "" || p.ID == "":
		return Person{}, Refuse(LookupFailed, "I could not find out who you are. Please try again.")
	case p.Deleted:
		return Person{}, Refuse(Deactivated, "the account %s is deactivated.", p.Account)
	case p.Bot:
		return Person{}, Refuse(NotAPerson, "%s is an app; only people can use this bot.", p.Account)
	case p.Guest:
		return Person{}, Refuse(NotAMember, "guests cannot use this bot. Ask a full member of the organisation.")
	case p.Stranger || !r.atHome(p):
		return Person{}, Refuse(NotAMember, "only members of the bot's own organisation can use it.")
	}
	var found []Person
	for _, person := range r.People {
		if person.owns(p) {
			found = append(found, person)
		}
	}
	if len(found) != 1 || found[0].Name == "" {
		// A config that gives one account to two people is invalid. Choosing one of the two could
		// let a requester vote on their own request.
		return Person{}, Refuse(NotKnown, "the account %s belongs to no person in the config. The bot's administrator can add it under `people`.", p.Account)
	}
	return found[0], nil
}

// atHome reports whether an account belongs to the home organisation. It uses the platform's data
// about the account, never the team in an event.
func (r *Rules) atHome(p Profile) bool {
	if p.Team == LocalTeam {
		return p.Organisation == LocalTeam
	}
	return r.IsHome(p.Organisation, p.HomeTeam)
}

// IsHome reports whether accounts of an organisation may use the bot. If the config has no Home,
// HomeTeams must contain the organisation or the account's workspace, which is the argument team.
func (r *Rules) IsHome(organisation, team string) bool {
	if r.Home != "" {
		return organisation == r.Home
	}
	return organisation != "" && slices.Contains(r.HomeTeams, organisation) || team != "" && slices.Contains(r.HomeTeams, team)
}

// Knows reports whether the config has an account with this user id.
func (r *Rules) Knows(user string) bool {
	return slices.ContainsFunc(r.People, func(p Person) bool { return p.has(Account{User: user}) })
}

// owns reports whether a profile belongs to the person. It compares the profile's ID and, for an
// account with a team, also the user id within the workspace.
func (p Person) owns(of Profile) bool {
	if of.Team == LocalTeam {
		return p.Name != "" && of.User == p.Name
	}
	return slices.ContainsFunc(p.Accounts, func(a Account) bool {
		return a.User == of.ID || a.Team != "" && a.User == of.User
	})
}

// has reports whether the config gives the person an account with this user id. It ignores the
// account's team.
func (p Person) has(a Account) bool {
	return slices.ContainsFunc(p.Accounts, func(own Account) bool { return own.User == a.User })
}

// Named reports whether an account belongs to the person. The account is a text as in records, for
// example "T0123/U0456".
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

// MayAsk returns nil if a person may request an action of a class in a cluster from a channel, or a
// *refusal.Error. A read needs any role in the cluster, or a channel that is listed as a reader. A
// sensitive read needs the role data. A change needs the role operator.
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
		return RefuseIn(cluster, LacksRole, "%s is not among the readers of %s. The bot's administrator can add you under `roles`.", p.Name, cluster)
	case runbooks.Sensitive:
		if roles.has(Data, p.Name) {
			return nil
		}
		return RefuseIn(cluster, LacksRole, "this shows data, and %s does not have the role `data` in %s. `people in %s` shows who has it.", p.Name, cluster, cluster)
	case runbooks.Writes, runbooks.Disruptive, runbooks.Destructive:
		if roles.has(Operator, p.Name) {
			return nil
		}
		return RefuseIn(cluster, LacksRole, "%s is not among the operators of %s. `people in %s` shows who is.", p.Name, cluster, cluster)
	default:
		return Refuse(LacksRole, "no rule allows an action of class %q.", class)
	}
}

// MayVote returns nil if a person may vote on a request in a cluster, or a *refusal.Error. The
// requester never votes, whatever account they use. askedBy is the requester's name in the config.
// If the config no longer has this name, no one may vote, because the requester could have a new
// name.
func (r *Rules) MayVote(p Person, askedBy, cluster string, class runbooks.Class) error {
	roles, err := r.roles(p, cluster)
	if err != nil {
		return err
	}
	voter, _ := r.person(p.Name)
	asker, known := r.person(askedBy)
	switch {
	case !class.Changing():
		return RefuseIn(cluster, NoVoteTaken, "actions of class %q need no approval.", class)
	case !known:
		return Refuse(NotKnown, "the requester %q is no longer in the config. A person in the config has to request it again.", askedBy)
	case samePerson(voter, asker):
		return RefuseIn(cluster, OwnRequest, "this is %s's own request; another approver has to do this.", p.Name)
	case !roles.has(Approver, p.Name):
		return RefuseIn(cluster, LacksRole, "%s is not among the approvers of %s. `people in %s` shows who is.", p.Name, cluster, cluster)
	}
	return nil
}

// MayInSilence returns nil if a decision is allowed although the platform does not answer,
// otherwise a *refusal.Error. The argument since is the time at which the platform stopped
// answering. If it is zero, the platform answers, and every decision is allowed. Otherwise no one
// may request or approve a destructive action. For other actions, the requester and the approver
// must be different users of the machine, because someone else may use a person's keys.
func MayInSilence(since time.Time, class runbooks.Class, origin, askedFrom string) error {
	switch {
	case since.IsZero():
		return nil
	case class == runbooks.Destructive:
		return Refuse(SlackSilent, "Slack has not answered since %s. Until it answers, destructive actions cannot be requested or approved.", since.UTC().Format("15:04 MST"))
	case origin != "" && origin == askedFrom:
		return Refuse(SlackSilent, "Slack has not answered since %s. Until it answers, requester and approver must be different users of this machine (both are %s).",
			since.UTC().Format("15:04 MST"), origin)
	}
	return nil
}

// Eligible returns the people who may vote on a request in a cluster, in the order of the
// config, without duplicates. askedBy is the requester's name.
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

// EnoughEligible returns nil if at least need people may vote on a request in a cluster, or a
// *refusal.Error. So a request that can never be approved is refused at once. askedBy is the
// requester's name.
func (r *Rules) EnoughEligible(cluster, askedBy string, need int) error {
	if n := len(r.Eligible(cluster, askedBy)); n < need {
		return RefuseIn(cluster, TooFew, "too few approvers of %s other than %s: this needs %d, and the config has %d. The bot's administrator can add more under `roles`.",
			cluster, askedBy, need, n)
	}
	return nil
}

// roles returns a cluster's lists of roles. It returns a *refusal.Error if the config has no person
// with exactly this name, or no such cluster.
func (r *Rules) roles(p Person, cluster string) (Roles, error) {
	if _, ok := r.person(p.Name); !ok {
		return nil, Refuse(NotKnown, "you are not in the config. The bot's administrator can add you under `people`.")
	}
	roles, ok := r.Clusters[cluster]
	if !ok {
		return nil, Refuse(NoSuchCluster, "the config has no roles for a cluster %q.", cluster)
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

// samePerson reports whether two people have the same name or share an account.
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
