package reads

import (
	"context"
	"slices"
	"sync"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card"
)

// ListPeople answers with the people configured for a cluster, their roles, and whether
// their accounts are active.
func (s *Reads) ListPeople(ctx context.Context, c *call.Call) error {
	roles := s.Rules.Clusters[c.Cluster.Name]
	var list []card.Member
	var who []auth.Person
	for _, p := range s.Rules.People {
		m := card.Member{Person: p.Name}
		for _, role := range []auth.Role{auth.Operator, auth.Approver, auth.Data, auth.Reader} {
			if slices.Contains(roles[role], p.Name) {
				m.Roles = append(m.Roles, string(role))
			}
		}
		if len(m.Roles) > 0 {
			list, who = append(list, m), append(who, p)
		}
	}
	var wg sync.WaitGroup
	turn := make(chan struct{}, peopleAtOnce)
	for i := range list {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			list[i].Gone, list[i].Unknown = s.StillIn(ctx, who[i])
		})
	}
	wg.Wait()
	return s.Answer(ctx, c, card.People(c.Cluster.Name, list))
}

// peopleAtOnce is the maximum number of concurrent account look-ups.
const peopleAtOnce = 4
