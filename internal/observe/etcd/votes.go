package etcd

import "fmt"

// Vote is a member in a count of votes.
type Vote struct {
	Name  string // its endpoint, or its name where the client knows no endpoint
	Reply Reply
	Why   string
	hosts []string
}

// Votes is who votes, and who of them answered. Learners do not vote.
type Votes struct {
	Voters   []Vote
	Learners []Vote
	// Uncounted says why members could not be told apart by the cluster's own
	// list, so that each endpoint counts as one; "" where they could.
	Uncounted string
}

// Count counts the votes of a health. list is the cluster's own, nil where it
// is not known: members are then told apart by their endpoints alone.
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
	v.Uncounted = "the client's endpoints are written otherwise than the cluster's list of members"
	for n := len(v.Voters); n < Voters(list); n++ {
		v.Voters = append(v.Voters, Vote{Name: fmt.Sprintf("member %d of %d", n+1, Voters(list)), Reply: Unclear, Why: "it is not among the client's endpoints"})
	}
	return v
}

// alone reports whether only one listed member is at the endpoint's host.
func alone(list []Listed, endpoint string) bool {
	n := 0
	for _, m := range list {
		if anyHost(m.hosts(), []string{hostOf(endpoint)}) {
			n++
		}
	}
	return n == 1
}

// take gives a member a row of its own; of several the best counts, since one
// way to it is enough.
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

// count is how many voters replied so.
func (v Votes) count(is func(Reply) bool) (n int) {
	for _, vote := range v.Voters {
		if is(vote.Reply) {
			n++
		}
	}
	return n
}

// Answering is how many voters answered.
func (v Votes) Answering() int {
	return v.count(func(r Reply) bool { return r != Silent && r != Unclear })
}

// Reading is how many voters serve reads, which they do only with a quorum.
func (v Votes) Reading() int {
	return v.count(func(r Reply) bool { return r == Serves || r == Alarmed })
}

// Unclear is how many voters have no clear reply.
func (v Votes) Unclear() int { return v.count(func(r Reply) bool { return r == Unclear }) }

// Need is how many voters a quorum is.
func (v Votes) Need() int { return len(v.Voters)/2 + 1 }

// Find is the member at one of the names, among voters or learners.
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
