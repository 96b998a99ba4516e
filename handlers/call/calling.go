package call

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/engine"
)

// presentAge is how old an answer may be about whether a person who could vote
// is still there. It only spares people a request in vain; at the vote itself
// the platform is asked anew.
const presentAge = 5 * time.Minute

// Approvable refuses a request that no one could ever approve: too few people may vote,
// or too few of them have an account that still works. Where the platform does
// not answer, no account counts as gone.
func (s *Base) Approvable(ctx context.Context, cluster, asked string, need int) error {
	if err := s.Rules.EnoughEligible(cluster, asked, need); err != nil || need == 0 {
		return err
	}
	there := 0
	var gone []string
	for _, p := range s.Rules.Eligible(cluster, asked) {
		if why := s.Gone(ctx, p); why != "" {
			gone = append(gone, p.Name+" ("+why+")")
			continue
		}
		if there++; there == need {
			return nil
		}
	}
	return &auth.Refusal{Code: auth.TooFew, Cluster: cluster, Text: fmt.Sprintf("Not allowed: this needs %d of the approvers of %s besides %s, and of those who could some cannot come in any more: %s.",
		need, cluster, asked, strings.Join(gone, ", "))}
}

// Gone says why no account of a person is let in any more, "" where one is, or
// where it is not known.
func (s *Base) Gone(ctx context.Context, p auth.Person) string {
	why, unknown := s.StillIn(ctx, p)
	if unknown {
		return ""
	}
	return why
}

// StillIn is why no account of a person is let in any more, "" where one is;
// unknown says that an account could not be looked up and none is let in.
func (s *Base) StillIn(ctx context.Context, p auth.Person) (why string, unknown bool) {
	accounts := p.Accounts
	if len(accounts) == 0 { // somebody of the terminal only
		accounts = []auth.Account{{Team: auth.LocalTeam, User: p.Name}}
	}
	for _, a := range accounts {
		profile, err := s.Directory.Lookup(ctx, a, presentAge)
		if err != nil {
			unknown = true
			continue
		}
		profile.Account = a
		_, err = s.Rules.Identify(profile)
		if err == nil {
			return "", false
		}
		why = strings.TrimSuffix(strings.TrimPrefix(err.Error(), "Not allowed: "), ".")
	}
	return why, unknown
}

// Callees are the accounts by which people are called.
func Callees(people []auth.Person) []engine.Callee {
	var out []engine.Callee
	for _, p := range people {
		c := engine.Callee{Person: p.Name, Account: auth.Account{Team: auth.LocalTeam, User: p.Name}}
		if len(p.Accounts) > 0 {
			c.Account = p.Accounts[0]
		}
		out = append(out, c)
	}
	return out
}

// ToCall returns whom reminder n of a run calls: first the approvers called before,
// then the next group, in the end everybody who may vote. Who has voted is left
// alone, and so is everybody while an approver is looking.
func (s *Base) ToCall(r engine.Run, n int) []engine.Callee {
	if r.Quiet(n) {
		return nil
	}
	round := auth.FirstRound
	switch {
	case n >= engine.MaxReminders:
		round = auth.LastRound
	case n > 1:
		round = auth.NextRound
	}
	voted := map[string]bool{}
	for _, v := range r.Votes {
		voted[v.Person] = true
	}
	var out []engine.Callee
	for _, c := range Callees(s.Rules.Call(r.Plan.Cluster, r.Asked.Person, round)) {
		if !voted[c.Person] {
			out = append(out, c)
		}
	}
	return out
}
