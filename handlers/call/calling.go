package call

import (
	"context"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/engine"
)

// presentAge is the maximum age of an answer about a possible approver's account. Such an
// answer only prevents requests that cannot succeed; the platform is queried again at the
// approval.
const presentAge = 5 * time.Minute

// Approvable refuses a request that can never be approved: too few people may approve it,
// or too few of them have an active account. If the platform does not answer, every
// account counts as active.
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
	return auth.RefuseIn(cluster, auth.TooFew, "too few approvers of %s other than %s still have access: this needs %d. Without access: %s.",
		cluster, asked, need, strings.Join(gone, ", "))
}

// Gone returns the reason if every account of a person is refused. It returns "" if an account is
// accepted, or if an account could not be looked up.
func (s *Base) Gone(ctx context.Context, p auth.Person) string {
	why, unknown := s.StillIn(ctx, p)
	if unknown {
		return ""
	}
	return why
}

// StillIn returns the reason if every account of a person is refused, and "" if one is accepted.
// The result unknown is true if no account is accepted and at least one could not be looked up.
func (s *Base) StillIn(ctx context.Context, p auth.Person) (why string, unknown bool) {
	accounts := p.Accounts
	if len(accounts) == 0 { // a person with terminal access only
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

// Callees returns the people, each with their first account. A person without accounts gets a
// terminal account (auth.LocalTeam).
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

// ToCall returns the people that reminder n of a run mentions: first the approvers already
// mentioned, then the next group, finally all possible approvers. It omits people who have voted.
// It returns no one if an approver has said since the previous reminder that they are looking at
// the run. The last reminder mentions people even then.
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
