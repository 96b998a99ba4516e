package app

import (
	"fmt"
	"slices"

	"dhbot/auth"
	"dhbot/internal/config"
	"dhbot/internal/engine"
	"dhbot/internal/escalation"
	"dhbot/internal/pager"
	"dhbot/runbooks"
)

// newEscalator makes the escalator.
func (b *bot) newEscalator() (*escalation.Escalator, error) {
	clusters := map[string]escalation.Policy{}
	for name, e := range b.Escalations {
		p, err := policyOf(e, b.Settings.Rules)
		if err != nil {
			return nil, fmt.Errorf("the escalation of %s: %w", name, err)
		}
		clusters[name] = p
	}
	return escalation.New(escalation.Config{
		Keeper:       b.Store,
		Runs:         b.Store,
		Posts:        b.Store,
		Messenger:    unshared{b.slack},
		Absent:       b.presence.Ask,
		AuditChannel: b.AuditChannel,
		Clusters:     clusters,
		Replica:      b.Replica,
		Every:        b.Times.Escalation,
		Now:          b.Now,
		Logger:       b.Log.With("part", "escalation"),
	})
}

func policyOf(e config.Escalation, rules *auth.Rules) (escalation.Policy, error) {
	level := map[int]runbooks.Severity{1: runbooks.Critical, 2: runbooks.Moderate, 3: runbooks.Low}[e.Level]
	p := escalation.Policy{After: e.After, Group: e.Group, Level: level}
	for _, person := range rules.People {
		if slices.Contains(e.People, person.Name) && len(person.Accounts) > 0 {
			p.Callees = append(p.Callees, engine.Callee{Person: person.Name, Account: person.Accounts[0]})
		}
	}
	if e.Page == nil {
		return p, nil
	}
	to, err := PagerOf(e.Page)
	p.Page = &escalation.Page{After: e.Page.After, Name: e.Page.Name(), Pager: to}
	return p, err
}

func PagerOf(p *config.Page) (*pager.Pager, error) {
	return pager.New(pager.Config{Shape: p.Shape, URL: p.URL, RoutingKey: p.RoutingKey, CAFile: p.CAFile})
}
