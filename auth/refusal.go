package auth

import (
	"fmt"

	"dhbot/internal/refusal"
)

// The codes of this package's refusals.
const (
	LookupFailed  refusal.Code = "lookup failed"  // the look-up of the account failed; a retry may help
	Deactivated   refusal.Code = "deactivated"    // the account is deactivated
	NotAPerson    refusal.Code = "not a person"   // the account is of a bot or an app
	NotAMember    refusal.Code = "not a member"   // the account is of a guest, or of a member of another organisation
	NotKnown      refusal.Code = "not known"      // the account belongs to no person of the config
	NoSuchCluster refusal.Code = "no such rules"  // the config has no roles for the cluster
	LacksRole     refusal.Code = "lacks the role" // the person is known, but lacks the role
	OwnRequest    refusal.Code = "own request"    // the requester cannot vote on their own run
	NoVoteTaken   refusal.Code = "no vote taken"  // the action needs no vote
	NoSuchRun     refusal.Code = "no such run"    // the run does not exist, or the person may not read it
	TooFew        refusal.Code = "too few"        // fewer people may vote than votes are needed
	SlackSilent   refusal.Code = "slack silent"   // not allowed while Slack does not answer
)

// Refuse returns a refusal by the access rules. The bot records such refusals.
func Refuse(code refusal.Code, format string, args ...any) error {
	return RefuseIn("", code, format, args...)
}

// RefuseIn is like Refuse, for a refusal that is due to the roles in a cluster.
func RefuseIn(cluster string, code refusal.Code, format string, args ...any) error {
	return &refusal.Error{Code: code, Text: "Not allowed: " + fmt.Sprintf(format, args...), Recorded: true, Cluster: cluster}
}
