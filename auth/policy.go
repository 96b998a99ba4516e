package auth

import "dhbot/runbooks"

// Floors that no setting lowers (docs/roles.md).
const (
	minSev1Votes        = 1
	minDestructiveVotes = 2
)

// Policy determines how many votes an action needs. The zero value requires the minimum, which
// settings can only raise.
type Policy struct {
	Sev1Votes        int // votes for a disruptive action of level 1, at least 1
	DestructiveVotes int // votes for a destructive action, at least 2
}

// VotesNeeded returns how many people besides the requester must vote for an action of this class
// and level. Reads, writes, and disruptive actions of level 2 or 3 need none. An action whose level
// is unknown, or an unknown class, counts as the worst.
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
	default: // destructive, and any unknown class
		return max(minDestructiveVotes, p.DestructiveVotes, sev1)
	}
}
