package auth

import "time"

// Account is a user account on Slack or at a terminal. Ids identify it, never display names or
// e-mail addresses.
type Account struct {
	// Team is the team that an event names (T… or E…), or "local" for a terminal. It is "" if the
	// config gives the id without a team. The rules of this package never compare a Slack team,
	// because events of the same account may name different teams.
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
	// ID is the person's organisation-wide id in an Enterprise Grid, otherwise the user id.
	ID string
	// Organisation is the account's enterprise (E…) in an Enterprise Grid, otherwise its team (T…).
	Organisation string
	// HomeTeam is the workspace (T…) of the account. In an Enterprise Grid it
	// may be "".
	HomeTeam string

	Deleted, Bot, Guest, Stranger bool
	Checked                       time.Time
	// SilentSince is the time of the platform's last answer if the platform has stopped answering.
	// The profile is then from an earlier answer. While the platform answers, SilentSince is zero.
	SilentSince time.Time
}

// Person is a person in the config, with one name and any number of accounts.
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
