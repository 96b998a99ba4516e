package auth

import "slices"

// Calls has the two groups of approvers that a request in a cluster mentions, one after the other.
// It does not change who may vote. An empty First means every approver who is not in Next. An empty
// Next means every approver who is not in First.
type Calls struct {
	First, Next []string // names of approvers
}

// Round says which approvers a mention for a request includes. Several mentions may have the same
// round.
type Round uint8

// The closed set of rounds.
const (
	FirstRound Round = iota // the first group
	NextRound               // the first group and the next
	LastRound               // everyone who may vote
)

// Call returns the people to mention in one round of mentions for a request in a cluster. All
// returned people may vote. askedBy is the requester's name. If the first group has no eligible
// person, the next group is mentioned at once.
func (r *Rules) Call(cluster, askedBy string, round Round) []Person {
	eligible := r.Eligible(cluster, askedBy)
	calls := r.Calls[cluster]
	keep := func(want func(name string) bool) []Person {
		var out []Person
		for _, p := range eligible {
			if want(p.Name) {
				out = append(out, p)
			}
		}
		return out
	}
	first := func(name string) bool { return calls.first(name) }
	next := func(name string) bool { return calls.first(name) || calls.next(name) }
	var out []Person
	if round == FirstRound {
		out = keep(first)
	}
	if len(out) == 0 && round != LastRound {
		out = keep(next)
	}
	if len(out) == 0 {
		return eligible
	}
	return out
}

func (c Calls) first(name string) bool {
	if len(c.First) > 0 {
		return slices.Contains(c.First, name)
	}
	return !slices.Contains(c.Next, name)
}

func (c Calls) next(name string) bool {
	if len(c.Next) > 0 {
		return slices.Contains(c.Next, name)
	}
	return !c.first(name)
}
