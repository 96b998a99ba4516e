// Package auth decides who may do what: principals, roles, policy, and the
// decision about a vote. It is pure: what it needs to know about a person is
// handed to it, and nothing is allowed that no rule allows.
package auth

import "time"

// Account is an identity that a platform vouches for. Names and e-mail
// addresses are never used.
type Account struct {
	// Team is where an event came from (T… or E…). It is recorded and decides
	// nothing: a slash command names the workspace it was typed in, a tap may
	// name another one. "local" is a terminal, "" an id of the config alone.
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

// Profile is what the platform says about an account right now.
type Profile struct {
	Account
	// ID is the person's: the organisation-wide one in an Enterprise Grid, else
	// the user id.
	ID string
	// Organisation is the account's: the enterprise (E…) in an Enterprise Grid,
	// else the team (T…).
	Organisation string
	// HomeTeam is the workspace (T…) of the account. In an Enterprise Grid it
	// may be "".
	HomeTeam string

	Deleted, Bot, Guest, Stranger bool
	Checked                       time.Time
	// SilentSince is set where the platform did not answer, and since when: the
	// profile is what it said last.
	SilentSince time.Time
}

// Person is a person of the config, under one name whatever the account.
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
