package slacklocal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The ids of the demo workspace. They are fixed, so that a config file can name
// them.
const (
	DemoTeam      = "T0DHLOCAL" // the organisation that runs the bot
	DemoOtherTeam = "T0VENDOR0" // the other organisation, which shares the channel shared-vendor
	DemoApp       = "A0DHBOT00"
	DemoBotUser   = "U0DHBOT00"
	DemoBot       = "B0DHBOT00"
	DemoOperator  = "U0OPERATOR"
	DemoApprover  = "U0APPROVER"
	DemoApprover2 = "U0APPROVE2"
	DemoReader    = "U0READER00"
	DemoOutsider  = "U0OUTSIDER"
	DemoIncident  = "C0INCIDENT"
	DemoAudit     = "C0AUDIT000"
	DemoShared    = "C0VENDOR00"
	DemoGroup     = "S0APPROVER" // @dh-approvers
)

// slackbot is the author of Slack's own messages, such as the message that an app did not answer.
const slackbot = "USLACKBOT"

// Workspace is the content of the workspace when the server starts.
type Workspace struct {
	Team     Team
	Others   []Team // organisations that share channels with it
	App      App
	People   []Person
	Channels []Channel
	Groups   []Group
}

// Team is one organisation's workspace.
type Team struct {
	ID           string `json:"id"` // T…
	Name         string `json:"name"`
	Domain       string `json:"domain"`
	EnterpriseID string `json:"enterprise_id,omitempty"` // E… on Enterprise Grid
}

// App is the only installed app, with its bot.
type App struct {
	ID     string `json:"id"`      // A…
	BotID  string `json:"bot_id"`  // B…
	UserID string `json:"user_id"` // U…
	Name   string `json:"name"`    // the name in a mention
	// AppToken (xapp-…) and BotToken (xoxb-…) are the accepted tokens. An empty token
	// accepts every token of its kind.
	AppToken string `json:"-"`
	BotToken string `json:"-"`
	// Scopes are the bot token's OAuth scopes; nil grants every scope that
	// the server knows.
	Scopes []string `json:"-"`
	// OrgWide means that the app is installed for the whole Enterprise Grid.
	OrgWide bool `json:"org_wide,omitempty"`
	// Shortcuts are the shortcuts in the app's manifest.
	Shortcuts []AppShortcut `json:"shortcuts"`
}

// Person is a user in users.info.
type Person struct {
	ID       string `json:"id"` // U… or W…
	Name     string `json:"name"`
	RealName string `json:"real_name"`
	// TeamID is the person's workspace. It may be empty for people of an Enterprise Grid: in that
	// case users.info has only enterprise_user and no team_id.
	TeamID string `json:"team_id"`
	// EnterpriseID is the organisation (E…) in an Enterprise Grid. EnterpriseUser is the person's
	// id in the organisation. If EnterpriseUser is "", the id is the same as ID.
	EnterpriseID   string `json:"enterprise_id,omitempty"`
	EnterpriseUser string `json:"enterprise_user,omitempty"`
	// TapTeam is the team in the payloads of this person's taps and forms. It is another workspace
	// of the organisation (T…) or the organisation itself (E…). If it is "", the payloads have the
	// same team as typed commands.
	TapTeam         string `json:"tap_team,omitempty"`
	TZ              string `json:"tz"`
	Deleted         bool   `json:"deleted,omitempty"`
	Bot             bool   `json:"is_bot,omitempty"`
	WorkflowBot     bool   `json:"is_workflow_bot,omitempty"`
	Restricted      bool   `json:"is_restricted,omitempty"`
	UltraRestricted bool   `json:"is_ultra_restricted,omitempty"`
	Stranger        bool   `json:"is_stranger,omitempty"`
	// Away is the result of users.getPresence. DNDUntil is the end of the
	// current Do Not Disturb in Unix seconds, 0 for none.
	Away     bool  `json:"away,omitempty"`
	DNDUntil int64 `json:"dnd_until,omitempty"`
}

// Channel is a conversation of several people.
type Channel struct {
	ID        string   `json:"id"` // C…
	Name      string   `json:"name"`
	Members   []string `json:"members"` // user ids, with the bot's if it was invited
	ExtShared bool     `json:"is_ext_shared"`
	Private   bool     `json:"is_private"`
	Archived  bool     `json:"is_archived"`
	// Restricted means that only some people may post in the channel. The bot may not.
	Restricted bool `json:"restricted,omitempty"`
	IM         bool `json:"is_im"` // a direct message with the bot
}

// Group is a user group, mentioned as @Handle.
type Group struct {
	ID     string   `json:"id"` // S…
	Handle string   `json:"handle"`
	Name   string   `json:"name"`
	Users  []string `json:"users"`
}

// DemoWorkspace returns the workspace of the demo. Its people are operator, approver,
// approver2 and reader, and outsider of another organisation; its channels are incident,
// audit and shared-vendor. outsider is a member of shared-vendor only.
func DemoWorkspace() Workspace {
	home := []string{DemoBotUser, DemoOperator, DemoApprover, DemoApprover2, DemoReader}
	return Workspace{
		Team:   Team{ID: DemoTeam, Name: "Local", Domain: "local"},
		Others: []Team{{ID: DemoOtherTeam, Name: "Vendor", Domain: "vendor"}},
		App: App{ID: DemoApp, BotID: DemoBot, UserID: DemoBotUser, Name: "dh", Shortcuts: []AppShortcut{
			{Name: "Ask about Deephaven", Type: "message", CallbackID: "ask_message"},
			{Name: "Ask about Deephaven", Type: "global", CallbackID: "ask_anywhere"},
		}},
		People: []Person{
			{ID: DemoOperator, Name: "operator", RealName: "Olga Operator", TeamID: DemoTeam, TZ: "Europe/Berlin"},
			{ID: DemoApprover, Name: "approver", RealName: "Aki Approver", TeamID: DemoTeam, TZ: "America/New_York"},
			{ID: DemoApprover2, Name: "approver2", RealName: "Ana Approver", TeamID: DemoTeam, TZ: "Asia/Tokyo"},
			{ID: DemoReader, Name: "reader", RealName: "Ravi Reader", TeamID: DemoTeam, TZ: "Europe/London"},
			{ID: DemoOutsider, Name: "outsider", RealName: "Oscar Outsider", TeamID: DemoOtherTeam, TZ: "America/Chicago"},
		},
		Channels: []Channel{
			{ID: DemoIncident, Name: "incident", Members: home},
			{ID: DemoAudit, Name: "audit", Members: home},
			{ID: DemoShared, Name: "shared-vendor", Members: append(slices.Clone(home), DemoOutsider), ExtShared: true},
		},
		Groups: []Group{
			{ID: DemoGroup, Handle: "dh-approvers", Name: "Approvers", Users: []string{DemoApprover, DemoApprover2}},
		},
	}
}

// DemoOrganisation is the organisation of DemoGrid. DemoSide is another workspace of this
// organisation.
const (
	DemoOrganisation = "E0DHLOCAL"
	DemoSide         = "T0DHSIDE0"
)

// DemoGrid returns the demo's workspace as part of an Enterprise Grid. As in a real Enterprise
// Grid, users.info has no team_id for people of the workspace, and taps may come from another
// workspace or from the organisation itself.
func DemoGrid() Workspace {
	ws := DemoWorkspace()
	ws.Team.EnterpriseID = DemoOrganisation
	taps := map[string]string{DemoApprover: DemoSide, DemoApprover2: DemoOrganisation}
	for i := range ws.People {
		p := &ws.People[i]
		if p.TeamID == DemoTeam {
			p.TeamID, p.EnterpriseID, p.TapTeam = "", DemoOrganisation, taps[p.ID]
		}
	}
	return ws
}

// validate returns an error for a workspace with ambiguous names.
func (w *Workspace) validate() error {
	if w.Team.ID == "" || w.App.ID == "" || w.App.UserID == "" || w.App.BotID == "" || w.App.Name == "" {
		return errors.New("slacklocal: a workspace needs a team id and an app with id, bot id, user id and name")
	}
	seen := map[string]bool{w.App.UserID: true, w.App.Name: true}
	once := func(what, id, name string) error {
		if id == "" || name == "" {
			return fmt.Errorf("slacklocal: %s %q (%q) needs an id and a name", what, name, id)
		}
		for _, key := range []string{id, what + " " + name} {
			if seen[key] {
				return fmt.Errorf("slacklocal: %s %q (%s) is defined twice", what, name, id)
			}
			seen[key] = true
		}
		return nil
	}
	for _, p := range w.People {
		if err := once("person", p.ID, p.Name); err != nil {
			return err
		}
		if _, ok := w.team(p.TeamID); !ok && (p.TeamID != "" || p.EnterpriseID == "") {
			return fmt.Errorf("slacklocal: person %q is of team %q, which is neither the workspace's nor among Others", p.Name, p.TeamID)
		}
	}
	for _, c := range w.Channels {
		if err := once("channel", c.ID, c.Name); err != nil {
			return err
		}
		for _, m := range c.Members {
			if _, ok := w.person(m); !ok && m != w.App.UserID {
				return fmt.Errorf("slacklocal: channel %q has the unknown member %q", c.Name, m)
			}
		}
	}
	return nil
}

func (w *Workspace) team(id string) (Team, bool) {
	if id == w.Team.ID {
		return w.Team, true
	}
	i := slices.IndexFunc(w.Others, func(t Team) bool { return t.ID == id })
	if i < 0 {
		return Team{}, false
	}
	return w.Others[i], true
}

// typedIn returns the team in the payloads of a person's typed commands. It is this workspace for
// people of an Enterprise Grid, otherwise the person's own team.
func (w *Workspace) typedIn(p Person) Team {
	if t, ok := w.team(p.TeamID); ok && p.EnterpriseID == "" {
		return t
	}
	return w.Team
}

// person finds a person by id or name, with or without @.
func (w *Workspace) person(ref string) (Person, bool) {
	ref = strings.TrimPrefix(ref, "@")
	i := slices.IndexFunc(w.People, func(p Person) bool { return p.ID == ref || p.Name == ref })
	if i < 0 {
		return Person{}, false
	}
	return w.People[i], true
}

// channel finds a channel by id or name, with or without #.
func (w *Workspace) channel(ref string) (Channel, bool) {
	ref = strings.TrimPrefix(ref, "#")
	for i := range w.Channels {
		if c := &w.Channels[i]; c.ID == ref || c.Name == ref {
			return *c, true
		}
	}
	return Channel{}, false
}

func (c Channel) has(user string) bool { return slices.Contains(c.Members, user) }

// dmID returns the id of the direct-message channel of a user and the bot. It depends only on the
// user's id.
func dmID(user string) string { return "D" + user[min(1, len(user)):] }

// clone copies the parts that the server changes.
func (w Workspace) clone() Workspace {
	w.People = slices.Clone(w.People)
	w.Channels = slices.Clone(w.Channels)
	for i := range w.Channels {
		w.Channels[i].Members = slices.Clone(w.Channels[i].Members)
	}
	for _, p := range w.People {
		w.Channels = append(w.Channels, Channel{ID: dmID(p.ID), Name: "dm-" + p.Name, Members: []string{w.App.UserID, p.ID}, IM: true})
	}
	return w
}
