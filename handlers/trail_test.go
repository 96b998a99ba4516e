package handlers

import (
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
)

// record adds a past record to the trail.
func (h *testService) record(t *testing.T, ago time.Duration, r audit.Record) {
	t.Helper()
	r.At = time.Now().Add(-ago)
	if err := h.store.Append(t.Context(), r, ""); err != nil {
		t.Fatal(err)
	}
}

func TestAudit(t *testing.T) {
	h := newTestService(t)
	h.record(t, 30*time.Hour, audit.Record{Kind: audit.Approved, Run: "R-2222", Person: "ben", Cluster: "prod", Action: "restart", Target: "db_ltds on query-1"})
	h.record(t, 3*time.Hour, audit.Record{Kind: audit.Requested, Run: "R-3333", Person: "anna", Cluster: "prod", Action: "restart", Target: "db_dis on infra-1", Text: "disk was full"})
	h.record(t, 2*time.Hour, audit.Record{Kind: audit.Approved, Run: "R-3333", Person: "ben", Cluster: "prod", Action: "restart", Target: "db_dis on infra-1"})
	h.record(t, time.Hour, audit.Record{Kind: audit.Requested, Run: "R-4444", Person: "anna", Cluster: "qa", Action: "restart", Target: "db_dis on infra-1"})
	h.record(t, time.Hour, audit.Record{Kind: audit.Refused, Account: auth.Account{Team: homeTeam, User: "UBEN"}.String(), Text: "Not allowed: ben is not."})
	for _, tt := range []struct {
		user, text string
		has, hasnt []string
	}{
		{"UANNA", "audit", []string{"R-3333", "R-4444", "ben is not"}, []string{"R-2222"}},
		{"URITA", "audit", []string{"R-3333"}, []string{"R-4444"}}, // rita is not a reader of qa
		{"UANNA", "audit since=2d", []string{"R-2222", "R-3333"}, nil},
		{"UANNA", "audit 150m", []string{"ben"}, []string{"disk was full", "R-2222"}},
		{"UANNA", "audit ben", []string{"approved", "ben is not"}, []string{"disk was full"}},
		{"UANNA", "audit r-3333", []string{"disk was full", "approved"}, []string{"R-4444", "refused"}},
		{"UANNA", "audit dis in qa", []string{"R-4444"}, []string{"R-3333", "ben is not"}},
		{"UANNA", "audit db_ltds since=3d", []string{"R-2222"}, []string{"R-3333"}},
		{"UANNA", "audit db_dis ben", []string{"One thing at a time"}, []string{"R-3333"}},
		{"UANNA", "audit bem", []string{"audit ben"}, []string{"R-3333"}},
		{"UANNA", "audit since=90d", []string{"at most 31 days"}, []string{"R-3333"}},
		{"URITA", "audit in qa", []string{"a person, process or run"}, []string{"R-4444"}}, // rita gets the answer for an unknown cluster
		{"UNOBODY", "audit", []string{"Not allowed"}, []string{"R-3333"}},
	} {
		got := h.say(tt.user, tt.text).all()
		for _, want := range tt.has {
			if !strings.Contains(got, want) {
				t.Errorf("%s by %s lacks %q:\n%s", tt.text, tt.user, want, got)
			}
		}
		for _, wont := range tt.hasnt {
			if strings.Contains(got, wont) {
				t.Errorf("%s by %s has %q:\n%s", tt.text, tt.user, wont, got)
			}
		}
	}
}

// TestAuditIsRecorded: reading the trail is recorded. In a channel with other readers only
// the requester sees the answer.
func TestAuditIsRecorded(t *testing.T) {
	h := newTestService(t)
	h.record(t, time.Hour, audit.Record{Kind: audit.Approved, Run: "R-2222", Person: "ben", Cluster: "prod"})
	m := h.message("UANNA", "audit ben")
	m.ChannelShared = true
	a := h.handleMessage(m)
	if len(a.shown) != 0 || len(a.direct) != 1 || !strings.Contains(a.direct[0], "R-2222") {
		t.Errorf("shown %q, direct %q", a.shown, a.direct)
	}
	if again := h.say("UANNA", "audit anna").all(); !strings.Contains(again, "audit · ben") {
		t.Errorf("the trail lacks anna's read of it:\n%s", again)
	}
}

// TestLongAudit: a result that is too long for the card is sent as a file, complete.
func TestLongAudit(t *testing.T) {
	h := newTestService(t)
	for range 60 {
		h.record(t, time.Hour, audit.Record{Kind: audit.Approved, Run: "R-2222", Person: "ben", Cluster: "prod", Target: "db_dis on infra-1"})
	}
	a := h.say("UANNA", "audit")
	if n := strings.Count(a.all(), "R-2222"); len(a.files) != 1 || n > 20 {
		t.Fatalf("%d files, %d lines", len(a.files), n)
	}
	if n := strings.Count(string(a.files[0].Content), "R-2222"); n != 60 {
		t.Errorf("the file has %d of 60", n)
	}
	if a := h.say("UANNA", "timeline"); len(a.files) != 1 || strings.Count(string(a.files[0].Content), "ben approved R-2222") != 60 {
		t.Errorf("the timeline's files: %d", len(a.files))
	}
}

func TestTimelineTellsARun(t *testing.T) {
	h := newTestService(t)
	h.say("UANNA", "restart db_dis disk was full")
	id := h.openRuns(t)[0].Run.ID
	h.say("UBEN", "approve "+id+" db_dis")
	got := h.say("URITA", "timeline "+id).all()
	asked, approved := strings.Index(got, "anna asked for "+id+": restart db_dis"), strings.Index(got, "ben approved "+id)
	if asked < 0 || approved < asked || !strings.Contains(got, "“disk was full”") || !strings.Contains(got, "UTC") {
		t.Errorf("the timeline:\n%s", got)
	}
}
