package handlers

import (
	"strings"
	"testing"

	"dhbot/auth"
)

// TestPeople: the list has every person with a role and the state of their account. A
// failed look-up is not shown as active.
func TestPeople(t *testing.T) {
	h := newTestService(t)
	h.dir.profiles["UBEN"] = auth.Profile{ID: "UBEN", Organisation: homeTeam, Deleted: true}
	for i, p := range h.Rules.People {
		if p.Name == "chris" {
			h.Rules.People[i].Accounts = []auth.Account{{Team: homeTeam, User: "UNREACHABLE"}}
		}
	}
	got := h.say("URITA", "people").all()
	for _, want := range []string{"🟢 anna · operators", "🔴 ben · ", "no access: ", "⚪ chris · ", "1 without access, 1 unknown"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}
