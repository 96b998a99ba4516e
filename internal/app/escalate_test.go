package app

import (
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/internal/config"
	"dhbot/runbooks"
)

func TestPolicyOf(t *testing.T) {
	rules := &auth.Rules{People: []auth.Person{{Name: "anna", Accounts: []auth.Account{{User: "U0ANNA"}}}, {Name: "ben"}}}
	p, err := policyOf(config.Escalation{After: time.Minute, People: []string{"anna", "ben"}, Level: 2}, rules)
	if err != nil || len(p.Callees) != 1 || p.Callees[0].Account.User != "U0ANNA" || p.Level != runbooks.Moderate || p.Page != nil {
		t.Errorf("policy %+v, %v, want only anna, from Sev 2", p, err)
	}
}
