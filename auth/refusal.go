package auth

import "fmt"

// Code is the reason of a refusal, for programs.
type Code string

// The closed set of codes.
const (
	LookupFailed  Code = "lookup failed"  // the look-up of the account failed; a retry may help
	Deactivated   Code = "deactivated"    // the account is deactivated
	NotAPerson    Code = "not a person"   // a bot or an app
	NotAMember    Code = "not a member"   // a guest, or a member of another organisation
	NotKnown      Code = "not known"      // the account belongs to no person of the config
	NoSuchCluster Code = "no such rules"  // the config has no roles for the cluster
	LacksRole     Code = "lacks the role" // known, but without the role
	OwnRequest    Code = "own request"    // the requester never votes
	NoVoteTaken   Code = "no vote taken"  // the action needs no vote
	NoSuchRun     Code = "no such run"    // the run does not exist, or the person may not read it
	TooFew        Code = "too few"        // fewer people may vote than votes are needed
	SlackSilent   Code = "slack silent"   // not allowed while Slack does not answer
)

// Refusal is a refusal, in a plain sentence for the person refused.
type Refusal struct {
	Code Code
	Text string
	// Cluster is the cluster whose roles refused it, "" for none.
	Cluster string
}

func (r *Refusal) Error() string { return r.Text }

func refuse(code Code, format string, args ...any) error { return refuseIn("", code, format, args...) }

func refuseIn(cluster string, code Code, format string, args ...any) error {
	return &Refusal{Code: code, Text: "Not allowed: " + fmt.Sprintf(format, args...), Cluster: cluster}
}
