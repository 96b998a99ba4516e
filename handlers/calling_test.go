package handlers

import (
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/internal/engine"
)

// TestCalled: a request mentions possible approvers, and its reminders the next group.
// People who have voted are not mentioned.
func TestCalled(t *testing.T) {
	h := newTestService(t)
	h.Rules.Calls = map[string]auth.Calls{"prod": {First: []string{"ben"}, Next: []string{"chris"}}}
	h.say("UANNA", "restart db_dis disk full")
	r := h.openRuns(t)[0].Run
	want := func(what string, got []engine.Callee, names ...string) {
		t.Helper()
		var list []string
		for _, c := range got {
			list = append(list, c.Person)
		}
		if strings.Join(list, " ") != strings.Join(names, " ") {
			t.Errorf("%s: %v are mentioned, want %v", what, list, names)
		}
	}
	want("the request", r.Called, "ben")
	if r.Called[0].Account != (auth.Account{Team: homeTeam, User: "UBEN"}) {
		t.Errorf("the mentioned account is %v", r.Called[0].Account)
	}
	want("reminder 1", h.ToCall(r, 1), "ben")
	want("reminder 2", h.ToCall(r, 2), "ben", "chris")
	want("reminder 3", h.ToCall(r, 3), "ben", "chris")
	r.Votes = []engine.Vote{{Actor: engine.Actor{Person: "ben"}}}
	want("reminder 2, after ben has voted", h.ToCall(r, 2), "chris")
	r.Looking = &engine.Look{Actor: engine.Actor{Person: "chris"}}
	want("reminder 1, while chris is looking", h.ToCall(r, 1))
	want("reminder 3, while chris is looking", h.ToCall(r, 3), "chris")

	h.say("UBEN", "restart db_dis again=yes")
	h.say("UANNA", "restart db_tdcp on query-1") // Sev 2: no approval
	for _, s := range h.openRuns(t) {
		if s.Run.Needed() == 0 && len(s.Run.Called) > 0 {
			t.Errorf("%s needs no vote, but mentions %v", s.Run.Plan.Title, s.Run.Called)
		}
	}
}

// TestApproversWithoutAccounts: a request is refused at once if the accounts of all its approvers are
// deactivated. It is not refused if the platform does not answer.
func TestApproversWithoutAccounts(t *testing.T) {
	h := newTestService(t)
	gone := func(user string) {
		h.dir.profiles[user] = auth.Profile{ID: user, Organisation: homeTeam, Deleted: true}
	}
	gone("UBEN")
	if a := h.say("UANNA", "restart db_dis disk full"); len(h.openRuns(t)) != 1 {
		t.Fatalf("chris's account is active, but the request is refused: %s", a.all())
	}
	gone("UCHRIS")
	a := h.say("UANNA", "restart configuration_server x")
	if len(h.openRuns(t)) != 1 || !strings.Contains(a.all(), "deactivated") || !strings.Contains(a.all(), "chris") || !strings.Contains(a.all(), "by hand") {
		t.Errorf("no account is active: %s", a.all())
	}
	for i, p := range h.Rules.People {
		if p.Name == "chris" {
			h.Rules.People[i].Accounts = []auth.Account{{Team: homeTeam, User: "UNREACHABLE"}}
		}
	}
	if a := h.say("UANNA", "restart configuration_server x"); len(h.openRuns(t)) != 2 {
		t.Errorf("the look-up of chris fails: %s", a.all())
	}
}

// TestLastTime: the card compares a request with the newest executed run of the same
// action and target.
func TestLastTime(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis first")
	first := h.openRuns(t)[0]
	if l := first.Run.Last; l == nil || l.ID != "" || l.Among != 0 {
		t.Errorf("the first request is compared with %+v", l)
	}
	h.end(t, first, engine.Done, -time.Hour)
	h.say("UANNA", "restart db_dis second")
	second := h.openRuns(t)[0]
	if l := second.Run.Last; l == nil || l.ID != first.Run.ID || l.State != engine.Done || l.Asked != "anna" || len(l.Differs) > 0 {
		t.Errorf("the second request is compared with %+v", l)
	}
	second.Run.Plan.Digest, second.Run.Plan.Steps[1].Login = "other", "root"
	for i := range second.Run.Plan.Steps {
		second.Run.Plan.Steps[i].Login = "root"
	}
	h.end(t, second, engine.Failed, -time.Minute)
	h.say("UBEN", "restart db_dis third")
	if l := h.openRuns(t)[0].Run.Last; l == nil || l.ID != second.Run.ID || l.State != engine.Failed || len(l.Differs) == 0 || !strings.Contains(l.Differs[0], "was root") {
		t.Errorf("the third request is compared with %+v", l)
	}
}

// end stores that a run was executed and ended some time ago.
func (h *testService) end(t *testing.T, s engine.Stored, as engine.State, ago time.Duration) {
	t.Helper()
	r := s.Run
	at := h.Now().Add(ago)
	r.State, r.StartedAt, r.EndedAt = as, &at, &at
	if _, err := h.store.Commit(t.Context(), engine.Change{Run: r, Rev: s.Rev}); err != nil {
		t.Fatal(err)
	}
}
