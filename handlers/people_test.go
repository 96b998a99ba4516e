package handlers

import (
	"strings"
	"testing"

	"dhbot/auth"
)

// TestPeople: everybody with a role is listed with it, and with whether they are
// still let in; who could not be looked up is not called active.
func TestPeople(t *testing.T) {
	h := newHouse(t)
	h.dir.profiles["UBEN"] = auth.Profile{ID: "UBEN", Organisation: homeTeam, Deleted: true}
	for i, p := range h.Rules.People {
		if p.Name == "chris" {
			h.Rules.People[i].Accounts = []auth.Account{{Team: homeTeam, User: "UNREACHABLE"}}
		}
	}
	got := h.say("URITA", "people").all()
	for _, want := range []string{"🟢 anna · operators", "🔴 ben · ", "not let in: ", "⚪ chris · ", "1 not let in, 1 not known"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}
