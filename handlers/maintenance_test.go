package handlers

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/fleet"
	"dhbot/internal/test/statustest"
)

// newTestServiceAt returns a test service with a clock controlled by the test.
func newTestServiceAt(t *testing.T) (*testService, *time.Time) {
	t.Helper()
	h := newTestService(t)
	now := time.Now().Truncate(time.Millisecond).UTC()
	h.Now = func() time.Time { return now }
	return h, &now
}

func (h *testService) at(now time.Time, user, text string) *answers {
	m := h.message(user, text)
	m.At = now
	return h.handleMessage(m)
}

// TestMaintenance: while maintenance lasts, a process that is down is not an incident. Afterwards
// it is an incident.
func TestMaintenance(t *testing.T) {
	h, now := newTestServiceAt(t)
	h.hosts.say = down("db_dis")
	say := func(user, text string) string { t.Helper(); return h.at(*now, user, text).all() }
	wants := func(answer string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(answer, p) {
				t.Errorf("%q is missing in %s", p, answer)
			}
		}
	}
	wants(say("URITA", "maintenance"), "Nothing is in maintenance")
	wants(say("URITA", "status db_dis on infra-1 in prod"), "Sev 1 · Critical")
	wants(say("UBEN", "maintenance db_dis on infra-1 in prod 2h because disk swap"), "Maintenance of db_dis@infra-1 in prod", "by ben: “disk swap”")
	wants(say("URITA", "status db_dis on infra-1 in prod"), "Sev 0 · None", "Start failed, in maintenance", "In maintenance until", "by ben")
	wants(say("URITA", "status in prod"), "1 in maintenance", "db_dis on infra-1 · Start failed, in maintenance until")
	wants(say("URITA", "maintenance"), "1 in maintenance", "db_dis@infra-1", "(2 h left) by ben")
	wants(say("UANNA", "maintenance db_dis in prod end"), "db_dis is not in maintenance in prod. In maintenance: db_dis@infra-1")
	*now = now.Add(2*time.Hour - time.Minute)
	wants(say("URITA", "status db_dis on infra-1 in prod"), "Sev 0 · None")
	*now = now.Add(time.Minute)
	wants(say("URITA", "status db_dis on infra-1 in prod"), "Sev 1 · Critical")
	wants(say("URITA", "maintenance"), "Nothing is in maintenance")

	wants(say("UANNA", "maint dis in prod 1d"), "Maintenance of db_dis in prod", "by anna, no reason given")
	wants(say("URITA", "status db_dis on infra-1 in prod"), "Sev 0 · None")
	wants(say("UBEN", "maintenance db_dis in prod end because swap is done"), "Maintenance of db_dis in prod ended by ben: “swap is done”")
	wants(say("URITA", "status db_dis on infra-1 in prod"), "Sev 1 · Critical")

	var told []string
	if err := h.store.Trail(t.Context(), 1, func(s audit.Sealed) error {
		if r := s.Record; r.Kind == audit.Announced {
			told = append(told, r.Person+" "+r.Target+" "+strings.Fields(r.Outcome)[0]+" "+r.Text)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{`ben db_dis@infra-1 until disk swap`, "anna db_dis until ", "ben db_dis ended swap is done"}
	if !slices.Equal(told, want) {
		t.Errorf("recorded %q, want %q", told, want)
	}
}

// TestMaintenanceIsForOperators: only operators can announce maintenance. Like every
// change, it needs a claimed message; an unclear target or duration announces nothing.
func TestMaintenanceIsForOperators(t *testing.T) {
	h, now := newTestServiceAt(t)
	for _, tt := range []struct {
		user, text, want string
		spoil            func(*call.Message)
	}{
		{user: "URITA", text: "maintenance db_dis in prod 2h", want: "Not allowed"},
		{user: "UNOBODY", text: "maintenance", want: "Not allowed"},
		{user: "UBEN", text: "maintenance db_dis in prod", want: "For how long"},
		{user: "UBEN", text: "maintenance db_dis in prod disk swap", want: "For how long"},
		{user: "UBEN", text: "maintenance db_dis in prod 1m", want: "lasts from 5m to 7d"},
		{user: "UBEN", text: "maintenance db_dis in prod 8d", want: "lasts from 5m to 7d"},
		{user: "UBEN", text: "maintenance db_diss in prod 2h", want: "db_dis"},
		{user: "UBEN", text: "maintenance db_dis in prod end", want: "not in maintenance"},
		{user: "UBEN", text: "maintenance db_dis in prod 2h", want: "state store", spoil: func(m *call.Message) { m.Key = "" }},
		{user: "UBEN", text: "maintenance db_dis in prod 2h", want: "shared", spoil: func(m *call.Message) { m.ChannelShared = true }},
	} {
		m := h.message(tt.user, tt.text)
		m.At = *now
		if tt.spoil != nil {
			tt.spoil(&m)
		}
		if a := h.handleMessage(m); !strings.Contains(a.all(), tt.want) {
			t.Errorf("%s: %q", tt.text, a.all())
		}
	}
	if list, err := h.store.Maintenance(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("announced: %v, %v", list, err)
	}
}

// TestNotNeededIsNoIncident: MariaDB being down is not an incident if the ACLs are in
// etcd.
func TestNotNeededIsNoIncident(t *testing.T) {
	h := newTestService(t)
	for acls, want := range map[fleet.ACLStore]string{fleet.ACLsInEtcd: "Down (optional)", fleet.ACLsInMySQL: "Sev 1 · Critical"} {
		h.Fleet.Clusters[0] = estate(acls)
		h.hosts.say = saying(statustest.World{"mariadb": {Status: "inactive (dead)"}})
		if a := h.say("UANNA", "status mariadb in prod"); !strings.Contains(a.all(), want) {
			t.Errorf("ACLs in %s: %s", acls, a.all())
		}
	}
}

// TestLongMaintenance: maintenance of a Sev 1 process for more than 4 h requires an approver as
// second person. The first person cannot bypass this by announcing the maintenance again, or for
// another target.
func TestLongMaintenance(t *testing.T) {
	h, now := newTestServiceAt(t)
	say := func(user, text string) string { t.Helper(); return h.at(*now, user, text).all() }
	until := func() time.Time {
		t.Helper()
		list, err := h.Windows.Maintenance(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		return list[0].Until
	}
	if a := say("UANNA", "help maintenance"); !strings.Contains(a, "ends after at most 4 h, unless another person, who is operator and approver, announces it too") {
		t.Errorf("help: %s", a)
	}
	begun := *now
	if a := say("UANNA", "maintenance db_dis in prod 1d because move"); !strings.Contains(a, "Shortened to 4 h") || !until().Equal(begun.Add(4*time.Hour)) {
		t.Errorf("alone: until %s: %s", until(), a)
	}
	*now = begun.Add(3 * time.Hour)
	if a := say("UANNA", "maintenance db_dis in prod 4h because move"); !until().Equal(begun.Add(4 * time.Hour)) {
		t.Errorf("again, alone: until %s: %s", until(), a)
	}
	*now = begun.Add(3*time.Hour + time.Minute)
	if a := say("UANNA", "maintenance db_dis in prod end"); !strings.Contains(a, "ended") {
		t.Errorf("the end: %s", a)
	}
	if a := say("UANNA", "maintenance db_dis in prod 4h because move"); !until().Equal(begun.Add(4 * time.Hour)) {
		t.Errorf("ended and announced again: until %s: %s", until(), a)
	}
	*now = begun.Add(4*time.Hour + time.Minute)
	if a := say("UANNA", "maintenance db_dis in prod 4h because move"); !strings.Contains(a, "an approver other than you") {
		t.Errorf("after its end: %s", a)
	}
	*now = begun.Add(4*time.Hour - time.Minute)
	if a := say("UANNA", "maintenance db_dis on infra-1 in prod 4h because move"); !strings.Contains(a, "an approver other than you") {
		t.Errorf("under another target: %s", a)
	}
	if a := say("UBEN", "maintenance db_dis in prod 1d because move"); !strings.Contains(a, "Approved by ben") || !until().Equal(now.Add(24*time.Hour)) {
		t.Errorf("by a second person: until %s: %s", until(), a)
	}
}
