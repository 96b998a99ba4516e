// Package auth decides who may do what: principals, roles, policy, and the
// decision about a vote. It is pure: what it needs to know about a person is
// handed to it, and nothing is allowed that no rule allows.
package auth

import "time"

// Account is an identity that a platform vouches for: a Slack user id within
// a team. Names and e-mail addresses are never used.
type Account struct {
	Team string `json:"team"` // T… or E…; "local" for a terminal
	User string `json:"user"` // U… or W…; the person's name for a terminal
}

// String is "T0123/U0456", the form of the config file.
func (a Account) String() string { return a.Team + "/" + a.User }

// Profile is what the platform says about an account right now.
type Profile struct {
	Account
	Deleted, Bot, Guest, Stranger bool
	// HomeTeam is the team the account belongs to, which is not the team a
	// shared channel's event names.
	HomeTeam string
	Checked  time.Time
}

// Person is somebody the config knows, under one name whatever the account.
type Person struct {
	Name     string // the config's key, e.g. "anna"; "" for a stranger
	Accounts []Account
}

// Role is what a person may be in a cluster.
type Role string

// The closed set of roles.
const (
	Reader   Role = "readers"   // status, logs and the like
	Operator Role = "operators" // ask for actions
	Approver Role = "approvers" // vote
	Data     Role = "data"      // see sensitive reads
)
