package handlers

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/refusal"
)

var windowID = regexp.MustCompile(`M-[A-Z2-7]{12}`)

// windows returns the stored windows.
func (h *testService) windows(t *testing.T) []fleet.Maintenance {
	t.Helper()
	list, err := h.store.Maintenance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestMaintenanceWindow: a window is requested in advance and approved by another person.
// It begins and ends at its stored times.
func TestMaintenanceWindow(t *testing.T) {
	h, now := newTestServiceAt(t)
	h.hosts.say = down("db_dis")
	begin := now.Add(30 * time.Hour)
	say := func(user, text string) string { t.Helper(); return h.at(*now, user, text).all() }
	no := func(user, text string, code refusal.Code) { t.Helper(); refused(t, h.at(*now, user, text), code) }
	ask := "maintenance window infra-1 in prod from=" + begin.Format(time.RFC3339Nano) + " until=2d because rack move"
	asked := say("UANNA", ask)
	contains(t, asked, "Approval needed: maintenance window for infra-1 in prod", "by anna: “rack move”", "ben", "chris", "[Approve]", "[Cancel]")
	id := windowID.FindString(asked)
	approve, cancel := "maintenance approve in prod id="+id, "maintenance cancel in prod id="+id+" because parts are late"

	no("UANNA", ask, call.AlreadyThere)
	no("UANNA", approve, auth.OwnRequest)
	no("WANNA", approve, auth.OwnRequest)
	no("URITA", approve, auth.LacksRole)
	no("URITA", cancel, auth.LacksRole)
	no("UCHRIS", "maintenance approve in prod id=M-AAAAAAAAAAAA", call.NotFound)
	contains(t, say("URITA", "maintenance"), "0 in maintenance, 1 upcoming", "waits for an approval", id)
	if list := h.windows(t); len(list) != 1 || !list[0].Waits {
		t.Fatalf("stored: %+v", list)
	}

	contains(t, say("UCHRIS", approve), "Maintenance window for infra-1 in prod", "by anna, approved by chris: “rack move”")
	no("UCHRIS", approve, call.NotNow)
	contains(t, say("URITA", "maintenance"), "0 in maintenance, 1 upcoming", "begins in 30 h")

	status := "status db_dis on infra-1 in prod"
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{begin.Add(-time.Minute), "Sev 1 · Critical"},
		{begin, "Start failed, in maintenance"},
		{begin.Add(48*time.Hour - time.Minute), "Start failed, in maintenance"},
		{begin.Add(48 * time.Hour), "Sev 1 · Critical"},
	} {
		*now = tt.at
		contains(t, say("URITA", status), tt.want)
	}
	no("UANNA", cancel, call.NotFound)

	// A restart within a window still needs an approval.
	begin = now.Add(time.Hour)
	ask = "maintenance window infra-1 in prod from=" + begin.Format(time.RFC3339Nano) + " until=2d because rack move"
	id = windowID.FindString(say("UANNA", ask))
	say("UBEN", "maintenance approve in prod id="+id)
	*now = begin.Add(time.Minute)
	contains(t, say("URITA", "maintenance"), "1 in maintenance", "48 h left")
	contains(t, say("UANNA", "maintenance db_dis in prod end"), "db_dis is not in maintenance in prod. In maintenance: the window for infra-1 (`maintenance-cancel in prod id="+id+"`)")
	say("UANNA", "restart db_dis on infra-1 in prod because rack move")
	if open, err := h.store.Open(t.Context()); err != nil || len(open) != 1 || open[0].Run.State != engine.Waiting || open[0].Run.Need != 1 {
		t.Errorf("a restart in a window: %+v, %v", open, err)
	}
	contains(t, say("UCHRIS", "maintenance cancel in prod id="+id+" because moved"), "cancelled by chris: “moved”")
	contains(t, say("URITA", status), "Sev 1 · Critical")

	var told []string
	if err := h.store.Trail(t.Context(), 1, func(s audit.Sealed) error {
		if r := s.Record; r.Kind == audit.Announced {
			told = append(told, r.Person+" "+r.Target+" "+strings.Join(strings.Fields(r.Outcome)[:2], " ")+" "+r.Text)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range told {
		told[i] = windowID.ReplaceAllString(told[i], "M")
	}
	want := []string{
		"anna infra-1 asked for rack move", "chris infra-1 approved M, rack move",
		"anna infra-1 asked for rack move", "ben infra-1 approved M, rack move", "chris infra-1 cancelled M moved",
	}
	if !slices.Equal(told, want) {
		t.Errorf("recorded %q, want %q", told, want)
	}
}

// TestWindowNotApproved: without approval a window does not begin. It cannot be approved
// after its start.
func TestWindowNotApproved(t *testing.T) {
	h, now := newTestServiceAt(t)
	h.hosts.say = down("db_dis")
	begin := now.Add(time.Hour)
	ask := "maintenance-window in prod from=" + begin.Format(time.RFC3339Nano) + " until=" + begin.Add(8*time.Hour).Format(time.RFC3339Nano)
	id := windowID.FindString(h.at(*now, "UANNA", ask).all())
	if list := h.windows(t); len(list) != 1 || !list[0].Waits || list[0].Host != "" {
		t.Fatalf("stored: %+v", list)
	}
	*now = begin
	contains(t, h.at(*now, "URITA", "status db_dis on infra-1 in prod").all(), "Sev 1 · Critical")
	refused(t, h.at(*now, "UBEN", "maintenance-approve in prod id="+id), call.NotFound)
	begin = now.Add(time.Hour)
	contains(t, h.at(*now, "UANNA", "maintenance-window in prod from="+begin.Format(time.RFC3339Nano)+" until=2d").all(), "Approval needed")
}

// TestWindowWithTooFewApprovers: a window that too few people may approve is refused at
// once, like an invalid window.
func TestWindowWithTooFewApprovers(t *testing.T) {
	h, now := newTestServiceAt(t)
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339Nano) }
	for text, want := range map[string]string{
		"maintenance-window in prod":                                                                    "from= needs a date and time with a zone",
		"maintenance-window in prod from=2026-12-05T20:00 until=2d":                                     "from= needs a date and time with a zone",
		"maintenance-window in prod from=" + at(time.Hour):                                              "until= needs",
		"maintenance-window in prod from=" + at(-time.Minute) + " until=2d":                             "begin in the future",
		"maintenance-window in prod from=" + at(91*24*time.Hour) + " until=2d":                          "within 90 days",
		"maintenance-window in prod from=" + at(time.Hour) + " until=8d":                                "from 5m to 7d",
		"maintenance-window in prod from=" + at(time.Hour) + " until=" + at(0):                          "from 5m to 7d",
		"maintenance-window db_dis in prod from=" + at(time.Hour) + " until=2d":                         "is for whole hosts, not for db_dis",
		"maintenance-window infra-9 in prod from=" + at(time.Hour) + " until=2d":                        "from= needs a date and time",
		"maintenance-window in prod from=" + at(time.Hour) + " until=2d if the parts are there by then": "can't wait for a condition",
	} {
		contains(t, h.at(*now, "UANNA", text).all(), want)
	}
	refused(t, h.at(*now, "URITA", "maintenance-window in prod from="+at(time.Hour)+" until=2d"), auth.LacksRole)
	// A window for several hosts needs the requester's tap on Run. A window that cannot
	// be approved is refused.
	contains(t, h.at(*now, "UANNA", "maintenance-window infra-1, query-1 in prod from="+at(time.Hour)+" until=2d").all(), "[Run]")
	const hint = "the command runs without this question"
	contains(t, h.at(*now, "UANNA", "maintenance-window infra-1 in prod from="+at(time.Hour)+" until=2d rack move").all(), hint)
	if a := h.at(*now, "UANNA", "maintenance-window infra-1, query-1 in prod from="+at(time.Hour)+" until=2d rack move").all(); !strings.Contains(a, "[Run]") || strings.Contains(a, hint) {
		t.Errorf("with a reason after the word because, two hosts need a tap too: %s", a)
	}
	h.Rules.Clusters["prod"][auth.Approver] = []string{"anna"}
	refused(t, h.at(*now, "UANNA", "maintenance-window in prod from="+at(time.Hour)+" until=2d"), auth.TooFew)
	if list := h.windows(t); len(list) != 0 {
		t.Errorf("stored: %+v", list)
	}
}
