package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/incident"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
	"dhbot/runbooks"
)

func (h *testService) follows(t *testing.T) []incident.StoredFollow {
	t.Helper()
	list, err := incident.Follows(t.Context(), h.store)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestWatchIsUnderstood checks the scope and duration of typed watches.
func TestWatchIsUnderstood(t *testing.T) {
	for _, tt := range []struct {
		text, want string // SCOPE for LENGTH, or the answer
	}{
		{"watch db_dis in prod 30m", "db_dis · prod for 30m0s"},
		{"watch db_dis in prod", "db_dis · prod for 30m0s"},
		{"watch db_dis 2h in prod", "db_dis · prod for 2h0m0s"},
		{"watch dis for 45 in prod", "is not a length of time"},
		{"watch dis in prod for 45min", "db_dis · prod for 45m0s"},
		{"Watch “dis” on infra-1 in prod 1hour", "db_dis on infra-1 · prod for 1h0m0s"},
		{"watch infra-1 in prod 10m", "infra-1 · prod for 10m0s"},
		{"watch infra-1 db_dis in prod", "db_dis on infra-1 · prod for 30m0s"},
		{"observe prod 1h30m", "prod for 1h30m0s"},
		{"watch in prod 5m", "prod for 5m0s"},
		{"watch 5m in prod", "prod for 5m0s"},
		{"watch everything in prod 5m", "prod for 5m0s"},
		{"watch db_dis in prod 30s", "is not a length of time from 1m to 12h. Type for example `watch db_dis 30m`"},
		{"watch db_dis in prod 3d", "is not a length of time"},
		{"watch db_dis in prod tomorrow", "“tomorrow” is not a length of time"},
		{"watch db_diss in prod 30m", "I don't know “db_diss” in prod"},
		{"watch db_dis in prod end", "There is no watch of db_dis · prod here"},
		{"watch", "Nothing is watched"},
	} {
		h := newTestService(t)
		a := h.say("UANNA", tt.text)
		got := a.all()
		for _, f := range h.follows(t) {
			got = fmt.Sprintf("%s for %s", f.Scope, f.Until.Sub(f.Began))
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// A watch is a read. Its start and its end are recorded, and the handler sends nothing to
// a host. There is one watch for each scope and channel.
func TestWatchStartsLastsAndEnds(t *testing.T) {
	h, now := newTestServiceAt(t)
	nudged := 0
	h.Watching = func() { nudged++ }
	say := func(user, text string) string { t.Helper(); return h.at(*now, user, text).all() }
	if a := say("URITA", "watch db_dis in prod 30m"); a != "" {
		t.Errorf("an answer besides its message: %q", a)
	}
	if a := say("UANNA", "watch db_dis in prod 2h"); !strings.Contains(a, "already watched here. New end: ") {
		t.Errorf("again: %q", a)
	}
	list := h.follows(t)
	if len(list) != 1 || list[0].Person != "rita" || list[0].Until.Sub(*now) != 2*time.Hour || list[0].Channel != "C1" {
		t.Fatalf("kept: %+v", list)
	}
	if a := say("UBEN", "watch"); !strings.Contains(a, "1 watched") || !strings.Contains(a, "for rita") {
		t.Errorf("list: %q", a)
	}
	elsewhere := h.message("UBEN", "watch db_dis in prod end")
	elsewhere.Channel, elsewhere.At = "C2", *now
	if a := h.handleMessage(elsewhere).all(); !strings.Contains(a, "watched in another channel") {
		t.Errorf("ended elsewhere: %q", a)
	}
	if a := say("UBEN", "watch db_dis in prod stop"); !strings.Contains(a, "No longer watched") {
		t.Errorf("end: %q", a)
	}
	if f := h.follows(t)[0]; f.Ended == nil || f.Why != "stopped by ben" {
		t.Errorf("kept: %+v", f)
	}
	if nudged != 4 || len(h.hosts.sent) != 0 {
		t.Errorf("the leader was notified %d times, %d commands were sent", nudged, len(h.hosts.sent))
	}
	var told []string
	if err := h.store.Trail(t.Context(), 1, func(e audit.Sealed) error {
		if e.Record.Action == "watch" {
			told = append(told, string(e.Record.Kind)+" "+e.Record.Person+" "+e.Record.Outcome)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(told) != 3 || told[2] != "read ben ended: stopped by ben" || !strings.HasPrefix(told[0], "read rita until ") {
		t.Errorf("the trail says %q", told)
	}
}

func TestWatchesAreBounded(t *testing.T) {
	h := newTestService(t)
	n := 0
	try := func(user string) string {
		n++
		m := h.message(user, "watch db_dis in prod")
		m.Thread = fmt.Sprint(n)
		return h.handleMessage(m).all()
	}
	for range incident.MostPerPerson {
		if a := try("UANNA"); a != "" {
			t.Fatal(a)
		}
	}
	if a := try("UANNA"); !strings.Contains(a, "for you, the maximum for one person") {
		t.Errorf("one too many of anna: %q", a)
	}
	for range incident.MostPerPerson {
		try("UBEN")
		try("URITA")
	}
	if list := h.follows(t); len(list) != incident.MostFollows {
		t.Fatalf("%d watches", len(list))
	}
	m := h.message("UBEN", "watch db_dis in prod end")
	if a := h.handleMessage(m).all(); !strings.Contains(a, "12 watches of db_dis · prod ended") {
		t.Errorf("all of them: %q", a)
	}
}

func TestWhereNothingIsWatched(t *testing.T) {
	h := newTestService(t)
	for want, spoil := range map[string]func(*call.Message){
		"shared with another organisation": func(m *call.Message) { m.ChannelShared = true },
		"I am not in this channel":         func(m *call.Message) { m.Outside, m.ChannelShared = true, true },
	} {
		m := h.message("URITA", "watch db_dis in prod")
		spoil(&m)
		if a := h.handleMessage(m); !strings.Contains(a.all(), want) || len(a.shown) > 0 || len(h.follows(t)) > 0 {
			t.Errorf("%s: %q, %d kept", want, a.all(), len(h.follows(t)))
		}
	}
	m := h.message("URITA", "watch db_dis in prod")
	m.Channel = "" // from the Home tab
	if a := h.handleMessage(m); !strings.Contains(a.all(), "Watching db_dis · prod for 30 min") || h.follows(t)[0].Channel != "C0OPEN" {
		t.Errorf("elsewhere: %q", a.all())
	}
}

// lookAt returns the result of one query of a scope, "TARGET: LEVEL HEADLINE (HOLD)".
func (h *testService) lookAt(t *testing.T, scope incident.Scope) map[string]string {
	t.Helper()
	never := func(runbooks.Target) time.Time { return time.Time{} }
	_, seen, err := h.Look(t.Context(), scope, never)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range seen {
		text := s.Severity.String() + " " + s.Headline
		if s.Hold != "" {
			text += " (" + s.Hold + ")"
		}
		out[s.Target.String()] = text
	}
	return out
}

// TestLookAtACluster checks which problems are reported, and which are held because of
// maintenance or a run.
func TestLookAtACluster(t *testing.T) {
	h := newTestService(t)
	wants := func(got map[string]string, target, want string) {
		t.Helper()
		if got[target] != want {
			t.Errorf("%s: %q, want %q", target, got[target], want)
		}
	}
	prod := incident.Scope{Cluster: "prod"}
	for target, text := range h.lookAt(t, prod) {
		if !strings.HasPrefix(text, "Sev 0") {
			t.Errorf("every process runs, but %s is %q", target, text)
		}
	}
	h.hosts.say = down("db_dis", "db_ltds")
	got := h.lookAt(t, prod)
	wants(got, "db_dis on infra-1", "Sev 1 · Critical Down when it should be up")
	wants(got, "db_ltds on infra-1", "Sev 2 · Moderate Down when it should be up")
	if a := h.say("UANNA", "restart db_dis in prod"); len(a.whispered) > 0 {
		t.Fatal(a.all())
	}
	h.say("UANNA", "maintenance db_ltds in prod 2h")
	got = h.lookAt(t, prod)
	wants(got, "db_dis on infra-1", "Sev 1 · Critical Down when it should be up") // a run that waits for approval does not hold the problem back
	wants(got, "db_ltds on infra-1", "Sev 0 · None In maintenance, announced by anna")
}

// A host that does not answer is one problem, whatever runs there.
func TestLookAtASilentHost(t *testing.T) {
	h := newTestService(t)
	h.hosts.say = func(c remote.Command) remote.Result {
		if c.Host == "query-2" {
			return remote.Result{Outcome: remote.Unreachable, Detail: "i/o timeout", Ended: time.Now()}
		}
		return running(c)
	}
	got := h.lookAt(t, incident.Scope{Cluster: "prod"})
	bad := 0
	for target, text := range got {
		if !strings.HasPrefix(text, "Sev 0") && !strings.Contains(text, "(not seen: query-2 could not be queried)") {
			bad++
			if target != "query-2" || !strings.Contains(text, "Could not check") {
				t.Errorf("%s is %q", target, text)
			}
		}
	}
	if bad != 1 {
		t.Errorf("%d problems are reported: %v", bad, got)
	}
}

// A process that has been starting for longer than a start takes counts as down.
func TestStartThatTakesTooLong(t *testing.T) {
	h := newTestService(t)
	h.hosts.say = saying(statustest.World{"db_dis": {Status: "Initializing", PID: -1}})
	at := func(ago time.Duration) incident.Seen {
		_, seen, err := h.Look(t.Context(), incident.Scope{Cluster: "prod", Process: "db_dis"}, func(runbooks.Target) time.Time { return time.Now().Add(-ago) })
		if err != nil || len(seen) != 1 {
			t.Fatal(seen, err)
		}
		return seen[0]
	}
	if s := at(time.Minute); !s.Recovering || s.Severity != runbooks.Unknown {
		t.Errorf("for a minute: %+v", s)
	}
	if s := at(10 * time.Minute); s.Recovering || s.Severity != runbooks.Critical {
		t.Errorf("for ten minutes: %+v", s)
	}
}
