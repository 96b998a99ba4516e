package auth

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

const home = "T0HOME"

func account(user string) Account { return Account{Team: home, User: user} }

// testRules: anna operates and approves from two accounts, ben and chris
// approve, dana only reads, eve may see data, zoe has no role.
func testRules() *Rules {
	return &Rules{
		Home: home,
		People: []Person{
			{Name: "anna", Accounts: []Account{account("U1"), {Team: "E0HOME", User: "W1"}}},
			{Name: "ben", Accounts: []Account{account("U2")}},
			{Name: "chris", Accounts: []Account{account("U3")}},
			{Name: "dana", Accounts: []Account{account("U4")}},
			{Name: "eve", Accounts: []Account{account("U5")}},
			{Name: "zoe", Accounts: []Account{account("U6")}},
			{Name: "gina", Accounts: []Account{{User: "U7"}}},
		},
		Clusters: map[string]Roles{
			"prod": {
				Reader:   {"dana", "channel C0INC"},
				Operator: {"anna", "ben"},
				Approver: {"anna", "ben", "chris", "ben", "ghost"},
				Data:     {"eve"},
			},
			"empty": {},
		},
	}
}

func wantCode(t *testing.T, err error, want refusal.Code) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	var r *refusal.Error
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal %q", err, want)
	}
	if r.Code != want {
		t.Errorf("code %q (%s), want %q", r.Code, r.Text, want)
	}
	if !strings.HasPrefix(r.Text, "Not allowed: ") || !strings.HasSuffix(r.Text, ".") {
		t.Errorf("not a plain refusal: %q", r.Text)
	}
}

func profile(user string) Profile {
	return Profile{Account: account(user), ID: user, Organisation: home, HomeTeam: home}
}

func TestIdentify(t *testing.T) {
	member := func(user string, change func(*Profile)) Profile {
		p := profile(user)
		change(&p)
		return p
	}
	local := func(user, organisation string) Profile {
		return Profile{Account: Account{LocalTeam, user}, ID: user, Organisation: organisation}
	}
	for _, tt := range []struct {
		name    string
		profile Profile
		person  string
		code    refusal.Code
	}{
		{"member", profile("U1"), "anna", ""},
		{"the event names another team", member("U1", func(p *Profile) { p.Team = "T0ELSE" }), "anna", ""},
		{"the event names no team", member("U1", func(p *Profile) { p.Team = "" }), "anna", ""},
		{"the organisation-wide id", member("U1LOCAL", func(p *Profile) { p.ID = "U7" }), "gina", ""},
		{"an id without a team in the config is organisation-wide, not the workspace's", member("U7", func(p *Profile) { p.ID = "U9" }), "", NotKnown},
		{"an id with a team in the config may be the workspace's", member("U1", func(p *Profile) { p.ID = "W9" }), "anna", ""},
		{"second account", profile("W1"), "anna", ""},
		{"terminal", local("ben", LocalTeam), "ben", ""},
		{"terminal, unknown name", local("root", LocalTeam), "", NotKnown},
		{"terminal, the user id of a Slack account", local("U1", LocalTeam), "", NotKnown},
		{"Slack account with a terminal user's name", local("ben", home), "", NotAMember},
		{"no profile", Profile{}, "", LookupFailed},
		{"no user", Profile{Account: Account{Team: home}, ID: "U1", Organisation: home}, "", LookupFailed},
		{"no id", member("U1", func(p *Profile) { p.ID = "" }), "", LookupFailed},
		{"deleted", member("U1", func(p *Profile) { p.Deleted = true }), "", Deactivated},
		{"bot", member("U1", func(p *Profile) { p.Bot = true }), "", NotAPerson},
		{"guest", member("U1", func(p *Profile) { p.Guest = true }), "", NotAMember},
		{"stranger", member("U1", func(p *Profile) { p.Stranger = true }), "", NotAMember},
		{"other organisation in our channel", member("U1", func(p *Profile) { p.Organisation = "T0ELSE" }), "", NotAMember},
		{"other enterprise, our workspace", member("U1", func(p *Profile) { p.Organisation = "E0ELSE" }), "", NotAMember},
		{"organisation not named", member("U1", func(p *Profile) { p.Organisation = "" }), "", NotAMember},
		{"unknown account", profile("U9"), "", NotKnown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := testRules().Identify(tt.profile)
			wantCode(t, err, tt.code)
			if p.Name != tt.person {
				t.Errorf("is %q, want %q", p.Name, tt.person)
			}
		})
	}
}

// A config that is older than the setting slack.home lists teams and enterprises instead.
func TestIdentifyByHomeTeams(t *testing.T) {
	r := testRules()
	r.Home, r.HomeTeams = "", []string{home, "E0HOME"}
	for _, tt := range []struct {
		organisation, team string
		code               refusal.Code
	}{
		{home, home, ""},
		{"E0HOME", "", ""},
		{"E0HOME", "T0SIDE", ""},
		{"E0NEW", home, ""}, // the workspace has moved into an organisation
		{"T0ELSE", "T0ELSE", NotAMember},
		{"", "", NotAMember},
	} {
		p := profile("U1")
		p.Organisation, p.HomeTeam = tt.organisation, tt.team
		_, err := r.Identify(p)
		wantCode(t, err, tt.code)
	}
}

func TestIdentifyRefusesAnAccountOfTwoPeople(t *testing.T) {
	r := testRules()
	r.People[1].Accounts = append(r.People[1].Accounts, account("U1"))
	_, err := r.Identify(profile("U1"))
	wantCode(t, err, NotKnown)
}

func TestNoRulesAllowNoOne(t *testing.T) {
	var none Rules
	_, err := none.Identify(profile("U1"))
	wantCode(t, err, NotAMember)
	wantCode(t, none.MayAsk(Person{Name: "anna"}, "prod", runbooks.Read, "C0INC"), NotKnown)
	wantCode(t, none.MayVote(Person{Name: "ben"}, "anna", "prod", runbooks.Disruptive), NotKnown)
	if e := none.Eligible("prod", "anna"); len(e) != 0 {
		t.Errorf("eligible without rules: %v", e)
	}
}

func TestMayAsk(t *testing.T) {
	for _, tt := range []struct {
		who, cluster string
		class        runbooks.Class
		channel      string
		code         refusal.Code
	}{
		{"anna", "prod", runbooks.Read, "", ""},
		{"chris", "prod", runbooks.Read, "", ""},
		{"dana", "prod", runbooks.Read, "", ""},
		{"eve", "prod", runbooks.Read, "", ""},
		{"zoe", "prod", runbooks.Read, "", LacksRole},
		{"zoe", "prod", runbooks.Read, "C0INC", ""},
		{"zoe", "prod", runbooks.Read, "C0OTHER", LacksRole},
		{"zoe", "prod", runbooks.Sensitive, "C0INC", LacksRole},
		{"zoe", "prod", runbooks.Disruptive, "C0INC", LacksRole},
		{"eve", "prod", runbooks.Sensitive, "", ""},
		{"anna", "prod", runbooks.Sensitive, "", LacksRole},
		{"anna", "prod", runbooks.Writes, "", ""},
		{"anna", "prod", runbooks.Disruptive, "", ""},
		{"anna", "prod", runbooks.Destructive, "", ""},
		{"chris", "prod", runbooks.Disruptive, "", LacksRole},
		{"dana", "prod", runbooks.Writes, "", LacksRole},
		{"anna", "prod", "", "", LacksRole},
		{"anna", "prod", "READ", "", LacksRole},
		{"anna", "empty", runbooks.Read, "C0INC", LacksRole},
		{"anna", "qa", runbooks.Read, "", NoSuchCluster},
		{"", "prod", runbooks.Read, "C0INC", NotKnown},
		{"ghost", "prod", runbooks.Read, "", NotKnown}, // has a role, but is not defined as a person
		{"channel C0INC", "prod", runbooks.Read, "", NotKnown},
	} {
		t.Run(strings.Join([]string{tt.who, tt.cluster, string(tt.class), tt.channel}, "/"), func(t *testing.T) {
			wantCode(t, testRules().MayAsk(Person{Name: tt.who}, tt.cluster, tt.class, tt.channel), tt.code)
		})
	}
}

func TestMayVote(t *testing.T) {
	for _, tt := range []struct {
		who, askedBy, cluster string
		class                 runbooks.Class
		code                  refusal.Code
	}{
		{"ben", "anna", "prod", runbooks.Disruptive, ""},
		{"chris", "anna", "prod", runbooks.Destructive, ""},
		{"anna", "anna", "prod", runbooks.Disruptive, OwnRequest},
		{"dana", "anna", "prod", runbooks.Disruptive, LacksRole},
		{"ben", "anna", "empty", runbooks.Disruptive, LacksRole},
		{"ben", "anna", "qa", runbooks.Disruptive, NoSuchCluster},
		{"ben", "anna", "prod", runbooks.Read, NoVoteTaken},
		{"ben", "anna", "prod", "", NoVoteTaken},
		{"ben", "", "prod", runbooks.Disruptive, NotKnown},
		{"ben", "left", "prod", runbooks.Disruptive, NotKnown},
		{"", "anna", "prod", runbooks.Disruptive, NotKnown},
		{"ghost", "anna", "prod", runbooks.Disruptive, NotKnown},
	} {
		t.Run(strings.Join([]string{tt.who, tt.askedBy, tt.cluster, string(tt.class)}, "/"), func(t *testing.T) {
			wantCode(t, testRules().MayVote(Person{Name: tt.who}, tt.askedBy, tt.cluster, tt.class), tt.code)
		})
	}
}

// TestOnePersonTwoAccounts: whichever account anna votes from, it is anna.
func TestOnePersonTwoAccounts(t *testing.T) {
	r := testRules()
	for _, a := range []Account{account("U1"), {"E0HOME", "W1"}, {LocalTeam, "anna"}} {
		p := Profile{Account: a, ID: a.User, Organisation: home}
		if a.Team == LocalTeam {
			p.Organisation = LocalTeam
		}
		who, err := r.Identify(p)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, r.MayVote(who, "anna", "prod", runbooks.Disruptive), OwnRequest)
	}
}

// TestOneAccountTwoNames: a config that gives anna's account to another name
// does not make her a second person.
func TestOneAccountTwoNames(t *testing.T) {
	r := testRules()
	r.People = append(r.People, Person{Name: "anna-too", Accounts: []Account{account("U1")}})
	r.Clusters["prod"][Approver] = append(r.Clusters["prod"][Approver], "anna-too")
	wantCode(t, r.MayVote(Person{Name: "anna-too"}, "anna", "prod", runbooks.Disruptive), OwnRequest)
}

func TestEligible(t *testing.T) {
	names := func(ps []Person) (out []string) {
		for _, p := range ps {
			out = append(out, p.Name)
		}
		return out
	}
	r := testRules()
	for _, tt := range []struct {
		cluster, askedBy string
		want             []string
	}{
		{"prod", "anna", []string{"ben", "chris"}},
		{"prod", "ben", []string{"anna", "chris"}},
		{"prod", "dana", []string{"anna", "ben", "chris"}},
		{"prod", "", nil},
		{"empty", "anna", nil},
		{"qa", "anna", nil},
	} {
		if d := cmp.Diff(tt.want, names(r.Eligible(tt.cluster, tt.askedBy))); d != "" {
			t.Errorf("%s asked by %q (-want +got):\n%s", tt.cluster, tt.askedBy, d)
		}
	}
	wantCode(t, r.EnoughEligible("prod", "anna", 2), "")
	wantCode(t, r.EnoughEligible("prod", "anna", 3), TooFew)
	wantCode(t, r.EnoughEligible("empty", "anna", 1), TooFew)
	wantCode(t, r.EnoughEligible("empty", "anna", 0), "")
}

func TestVotesNeeded(t *testing.T) {
	for _, tt := range []struct {
		class runbooks.Class
		level runbooks.Severity
		want  int
	}{
		{runbooks.Read, runbooks.Critical, 0},
		{runbooks.Sensitive, runbooks.Unknown, 0},
		{runbooks.Writes, runbooks.Unknown, 0},
		{runbooks.Disruptive, runbooks.Critical, 1},
		{runbooks.Disruptive, runbooks.Unknown, 1},
		{runbooks.Disruptive, runbooks.None, 1}, // no action that changes something is at Sev 0
		{runbooks.Disruptive, runbooks.Moderate, 0},
		{runbooks.Disruptive, runbooks.Low, 0},
		{runbooks.Destructive, runbooks.Critical, 2},
		{runbooks.Destructive, runbooks.Low, 2},
		{"", runbooks.Low, 2},
		{"anything", runbooks.None, 2},
	} {
		if got := (Policy{}).VotesNeeded(tt.class, tt.level); got != tt.want {
			t.Errorf("%q at %s: %d votes, want %d", tt.class, tt.level, got, tt.want)
		}
	}
}

func TestNoSettingGoesBelowTheFloor(t *testing.T) {
	classes := []runbooks.Class{runbooks.Read, runbooks.Sensitive, runbooks.Writes, runbooks.Disruptive, runbooks.Destructive, ""}
	levels := []runbooks.Severity{runbooks.Unknown, runbooks.None, runbooks.Critical, runbooks.Moderate, runbooks.Low}
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{Sev1Votes: rapid.IntRange(-5, 5).Draw(t, "sev1"), DestructiveVotes: rapid.IntRange(-5, 5).Draw(t, "destructive")}
		class, level := rapid.SampledFrom(classes).Draw(t, "class"), rapid.SampledFrom(levels).Draw(t, "level")
		got, floor := p.VotesNeeded(class, level), Policy{}.VotesNeeded(class, level)
		if got < floor {
			t.Fatalf("%+v needs %d votes, the floor is %d", p, got, floor)
		}
		if class == runbooks.Disruptive && level == runbooks.Critical && got < p.Sev1Votes {
			t.Fatalf("%+v needs only %d votes", p, got)
		}
	})
}
