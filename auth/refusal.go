package auth

import "fmt"

// Code is the reason of a refusal, for programs.
type Code string

// The closed set of codes.
const (
	LookupFailed  Code = "lookup failed"  // the account could not be looked up; a retry may help
	Deactivated   Code = "deactivated"    // the account is switched off
	NotAPerson    Code = "not a person"   // a bot or an app
	NotAMember    Code = "not a member"   // a guest, a stranger, or another organisation
	NotKnown      Code = "not known"      // no person of the config has this account
	NoSuchCluster Code = "no such rules"  // the config has no roles for the cluster
	LacksRole     Code = "lacks the role" // known, but not allowed this
	OwnRequest    Code = "own request"    // the requester never votes
	NoVoteTaken   Code = "no vote taken"  // an action that takes no vote
	NoSuchRun     Code = "no such run"    // there is none, or none that the person may read
	TooFew        Code = "too few"        // fewer people may vote than votes are needed
	SlackSilent   Code = "slack silent"   // not while Slack cannot be asked
)

// Refusal is a refusal, in a plain sentence for the person refused.
type Refusal struct {
	Code Code
	Text string
	// Cluster is the one whose lists said no, "" where none was asked.
	Cluster string
}

func (r *Refusal) Error() string { return r.Text }

func refuse(code Code, format string, args ...any) error { return refuseIn("", code, format, args...) }

func refuseIn(cluster string, code Code, format string, args ...any) error {
	return &Refusal{Code: code, Text: "Not allowed: " + fmt.Sprintf(format, args...), Cluster: cluster}
}
