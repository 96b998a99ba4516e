package etcd

import "fmt"

// Vote is a member in a count of votes.
type Vote struct {
	Name  string // the member's endpoint, or its name if it has no endpoint
	Reply Reply
	Why   string
	hosts []string
}

// Votes lists the voters and their replies. Learners do not vote.
type Votes struct {
	Voters   []Vote
	Learners []Vote
	// Uncounted says why the cluster's own list of members could not be used. It is "" if the list
	// was used, or if there was no list. If Uncounted is set, each endpoint counts as a member.
	Uncounted string
}

// Count counts the votes in the rows of `endpoint health`. The argument list is the cluster's own
// list of members. If it is nil, each endpoint counts as a member.
func Count(rows []Health, list []Listed) Votes {
	if len(list) == 0 {
		return byEndpoint(rows)
	}
	var v Votes
	used := 0
	for _, m := range list {
		vote := Vote{Name: m.Name, Reply: Unclear, Why: "it is not among the client's endpoints", hosts: m.hosts()}
		for _, row := range rows {
			if m.at(row.Endpoint) || anyHost(m.hosts(), []string{hostOf(row.Endpoint)}) && alone(list, row.Endpoint) {
				used++
				vote.take(row)
			}
		}
		if m.Learner {
			v.Learners = append(v.Learners, vote)
		} else {
			v.Voters = append(v.Voters, vote)
		}
	}
	if used >= len(rows) {
		return v
	}
	v = byEndpoint(rows)
	v.Uncounted = "the client's endpoints differ in spelling from the cluster's list of members"
	for n := len(v.Voters); n < Voters(list); n++ {
		v.Voters = append(v.Voters, Vote{Name: fmt.Sprintf("member %d of %d", n+1, Voters(list)), Reply: Unclear, Why: "it is not among the client's endpoints"})
	}
	return v
}

// alone reports whether exactly one listed member is on the endpoint's host.
func alone(list []Listed, endpoint string) bool {
	n := 0
	for _, m := range list {
		if anyHost(m.hosts(), []string{hostOf(endpoint)}) {
			n++
		}
	}
	return n == 1
}

// take stores a row of a member. If the member has several rows, the best is kept, because one
// working endpoint is enough.
func (v *Vote) take(row Health) {
	if v.Reply == Unclear || v.Reply == Silent || row.Reply == Serves {
		v.Name = row.Endpoint
		v.Reply, v.Why = row.Reply, row.Why
	}
}

func byEndpoint(rows []Health) Votes {
	var v Votes
	at := map[string]int{}
	for _, row := range rows {
		vote := Vote{Name: row.Endpoint, Reply: row.Reply, Why: row.Why, hosts: []string{hostOf(row.Endpoint)}}
		if row.Reply == Learner {
			v.Learners = append(v.Learners, vote)
			continue
		}
		if i, twice := at[hostPort(row.Endpoint)]; twice {
			v.Voters[i].take(row)
			continue
		}
		at[hostPort(row.Endpoint)] = len(v.Voters)
		v.Voters = append(v.Voters, vote)
	}
	return v
}

// count returns how many voters have a reply that satisfies a condition.
func (v Votes) count(is func(Reply) bool) (n int) {
	for _, vote := range v.Voters {
		if is(vote.Reply) {
			n++
		}
	}
	return n
}

// Answering returns the number of voters that answered.
func (v Votes) Answering() int {
	return v.count(func(r Reply) bool { return r != Silent && r != Unclear })
}

// Reading returns the number of voters that serve reads. They can only if there is a quorum.
func (v Votes) Reading() int {
	return v.count(func(r Reply) bool { return r == Serves || r == Alarmed })
}

// Unclear returns the number of voters whose reply is unclear.
func (v Votes) Unclear() int { return v.count(func(r Reply) bool { return r == Unclear }) }

// Need returns how many voters make a quorum.
func (v Votes) Need() int { return len(v.Voters)/2 + 1 }

// Find returns the member that has one of the names. The result votes is false for a learner.
func (v Votes) Find(names string) (vote Vote, votes, found bool) {
	hosts := func(v Vote) []string { return v.hosts }
	if i := Find(v.Voters, hosts, names); i >= 0 {
		return v.Voters[i], true, true
	}
	if i := Find(v.Learners, hosts, names); i >= 0 {
		return v.Learners[i], false, true
	}
	return Vote{}, false, false
}
