package auth

import "time"

// Account is an identity from a platform. Names and e-mail addresses are never used.
type Account struct {
	// Team is the team that an event names (T… or E…), "local" for a terminal, or "" for an id
	// without a team in the config. Team is recorded and decides nothing: the events of one
	// account may name different teams.
	Team string `json:"team"`
	User string `json:"user"` // U… or W…; the person's name for a terminal
}

// String is "U0456", or with the team "T0123/U0456".
func (a Account) String() string {
	if a.Team == "" {
		return a.User
	}
	return a.Team + "/" + a.User
}

// Profile is the platform's current data about an account.
type Profile struct {
	Account
	// ID is the person's id: the organisation-wide one in an Enterprise Grid, else the user id.
	ID string
	// Organisation is the organisation of the account: the enterprise (E…) in an Enterprise
	// Grid, else the team (T…).
	Organisation string
	// HomeTeam is the workspace (T…) of the account. In an Enterprise Grid it
	// may be "".
	HomeTeam string

	Deleted, Bot, Guest, Stranger bool
	Checked                       time.Time
	// SilentSince is the time since which the platform has not answered, zero if it answers.
	// The profile is then the platform's last answer.
	SilentSince time.Time
}

// Person is a person of the config, with one name for all accounts.
type Person struct {
	Name     string // the config's key, e.g. "anna"; "" for an unknown person
	Accounts []Account
}

// Role is a role of a person in a cluster.
type Role string

// The closed set of roles.
const (
	Reader   Role = "readers"   // may read: status, logs and so on
	Operator Role = "operators" // may request actions
	Approver Role = "approvers" // may vote
	Data     Role = "data"      // may read sensitive output
)
