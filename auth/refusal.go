package auth

import "fmt"

// Code says why somebody was not let through, for programs.
type Code string

// The closed set of codes.
const (
	LookupFailed  Code = "lookup failed"  // nobody could say who the account is; asking again may help
	Deactivated   Code = "deactivated"    // the account is switched off
	NotAPerson    Code = "not a person"   // a bot or an app
	NotAMember    Code = "not a member"   // a guest, a stranger, or another organisation
	NotKnown      Code = "not known"      // the config has nobody with this account
	NoSuchCluster Code = "no such rules"  // the config has no roles for the cluster
	LacksRole     Code = "lacks the role" // known, but not allowed this
	OwnRequest    Code = "own request"    // who asks never votes
	NoVoteTaken   Code = "no vote taken"  // an action that nobody votes on
	TooFew        Code = "too few"        // fewer people may vote than votes are needed
)

// Refusal is a no, in a plain sentence for the person it is told to.
type Refusal struct {
	Code Code
	Text string // begins with "Not allowed: "
}

func (r *Refusal) Error() string { return r.Text }

func refuse(code Code, format string, args ...any) error {
	return &Refusal{Code: code, Text: "Not allowed: " + fmt.Sprintf(format, args...)}
}
