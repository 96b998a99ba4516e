package auth

import "dhbot/runbooks"

// Floors that no setting goes below (design: "second approver"; the table of
// what may be done, and what it takes).
const (
	minSev1Votes        = 1
	minDestructiveVotes = 2
)

// Policy is how many votes an action takes. The zero value is the least that
// is ever asked for; settings only add to it.
type Policy struct {
	Sev1Votes        int // votes for a disruptive action of level 1, at least 1
	DestructiveVotes int // votes for a destructive action, at least 2
}

// VotesNeeded returns how many people besides the requester must vote for an
// action of that class and level. Only reads, files written, and disruptive
// actions of a level known to be 2 or 3 take none: a changing action whose
// level is unknown, or a class that is not one, is treated as the worst.
func (p Policy) VotesNeeded(class runbooks.Class, level runbooks.Severity) int {
	sev1 := max(minSev1Votes, p.Sev1Votes)
	switch class {
	case runbooks.Read, runbooks.Sensitive, runbooks.Writes:
		return 0
	case runbooks.Disruptive:
		if level.Minor() {
			return 0
		}
		return sev1
	default: // destructive, and whatever is not a class at all
		return max(minDestructiveVotes, p.DestructiveVotes, sev1)
	}
}
