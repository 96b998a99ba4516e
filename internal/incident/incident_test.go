package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/audit"
	"dhbot/runbooks"
)

var began = time.Date(2026, 3, 14, 14, 0, 0, 0, time.UTC)

const every = 30 * time.Second

// quiet is the Rules.Quiet that the config sets by default.
const quiet = 2 * time.Minute

var dis = runbooks.Target{Process: "db_dis", Host: "infra-1"}

// look returns the result of check number n of a target. The letter says what the check found.
func look(t *testing.T, target runbooks.Target, letter rune, n int) Seen {
	t.Helper()
	s := Seen{Target: target, At: began.Add(time.Duration(n) * every), Severity: runbooks.None, Headline: string(letter)}
	switch letter {
	case '.':
	case '1':
		s.Severity = runbooks.Critical
	case '2':
		s.Severity = runbooks.Moderate
	case '3':
		s.Severity = runbooks.Low
	case '?':
		s.Severity, s.WorstCase = runbooks.Unknown, runbooks.Critical
	case 'r':
		s.Severity, s.WorstCase, s.Recovering = runbooks.Unknown, runbooks.Critical, true
	case 'h':
		s.Severity, s.Hold = runbooks.Critical, "in work"
	default:
		t.Fatalf("no look %q", letter)
	}
	return s
}

// short returns a level as one character.
func short(s runbooks.Severity) string {
	if n, ok := s.Number(); ok {
		return fmt.Sprint(n)
	}
	return "?"
}

// told formats a change as "CHECK:FROM>TO@SINCE". CHECK and SINCE are numbers of checks. A tilde at
// the end means that the change is about flapping.
func told(c Change) string {
	at := func(t time.Time) int { return int(t.Sub(began) / every) }
	s := fmt.Sprintf("%d:%s>%s@%d", at(c.At), short(c.From), short(c.To), at(c.Since))
	if c.Flaps > 0 {
		s += "~"
	}
	return s
}

// Each series of checks, 30 s apart, posts exactly the wanted changes.
func TestTrack(t *testing.T) {
	watcher, follower := DefaultRules(quiet), FollowRules()
	for _, tt := range []struct {
		what, looks string
		rules       Rules
		want        string
	}{
		{"well", "....", watcher, ""},
		{"one bad check", ".1.....", watcher, ""},
		{"a second check confirms", ".11", watcher, "2:0>1@1"},
		{"posted once", ".1111111", watcher, "2:0>1@1"},
		{"an unknown state is posted", ".??", watcher, "2:0>?@1"},
		{"one unknown check", "..?..", watcher, ""},
		{"down, then unknown", ".1?", watcher, "2:0>?@1"},
		{"a worse level", ".3311", watcher, "2:0>3@1 4:3>1@3"},
		{"from down to unknown", ".11??", watcher, "2:0>1@1 4:1>?@3"},
		{"one unknown check in between", ".11?11", watcher, "2:0>1@1"},
		{"over after two quiet minutes", ".11.....", watcher, "2:0>1@1 7:1>0@3"},
		{"not quiet for long enough", ".11...1.....", watcher, "2:0>1@1 11:1>0@7"},
		{"nothing is posted during a run", ".11hhhhhhhh", watcher, "2:0>1@1"},
		{"a run that did not help", ".11hhhh1111", watcher, "2:0>1@1"},
		{"a run that helped", ".11hh.....", watcher, "2:0>1@1 9:1>0@5"},
		{"a run that began before the problem was posted", ".1hhhh...", watcher, ""},
		{"starting", ".rrrr..", watcher, ""},
		{"starting does not begin the quiet time", ".11rr.....", watcher, "2:0>1@1 9:1>0@5"},
		{"a start that fails", ".rr11", watcher, "4:0>1@3"},
		// Five changes are the third outage.
		{"flapping, never confirmed by a second check", ".1.1.1.1.1.1.1", watcher, "5:0>1@1~"},
		{"flapping by starting again", ".r.r.r.r.r.r", watcher, "5:0>1@1~"},
		{"flapping, posted before", ".11..11..11..11..11", watcher, "2:0>1@1 9:1>1@1~"},
		{"down, and started without success", ".11r1r1r1r1r.....", watcher, "2:0>1@1 16:1>0@12"},
		{"two outages are not flapping", ".11..11.....", watcher, "2:0>1@1 11:1>0@7"},
		{"flapping that ends well", ".1.1.1.............", watcher, "5:0>1@1~ 16:1>0@6"},
		{"flapping that stays down", ".1.1.11111111111111", watcher, "5:0>1@1~ 15:1>1@5"},
		{"flapping that gets worse", ".3.3.3.1.1.3", watcher, "5:0>3@1~ 9:3>1@7~"},
		{"flapping that stays down and gets worse", ".3.3.311", watcher, "5:0>3@1~ 7:3>1@6~"},
		{"flapping with one check that finds it worse", ".3.3.3.1.3.3", watcher, "5:0>3@1~"},
		{"flapping with one unknown check", ".3.3.3.?.3.3", watcher, "5:0>3@1~"},
		{"slow changes are not flapping", ".11" + strings.Repeat(".", 12) + "11" + strings.Repeat(".", 12) + "11", watcher,
			"2:0>1@1 7:1>0@3 16:0>1@15 21:1>0@17 30:0>1@29"},
		{"a watch is posted at once", ".11..", follower, "2:0>1@1 4:1>0@3"},
		{"a watch posts nothing after a single check", ".1.1", follower, ""},
	} {
		var m Memory
		var got []string
		for n, letter := range []rune(tt.looks) {
			for _, c := range m.See([]Seen{look(t, dis, letter, n)}, began.Add(time.Duration(n)*every), tt.rules) {
				got = append(got, told(c))
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s (%s): posted %q, want %q", tt.what, tt.looks, s, tt.want)
		}
	}
}

// A track with nothing to remember is dropped, and a target that is missing from a check
// counts as healthy.
func TestMemoryForgets(t *testing.T) {
	var m Memory
	host := runbooks.Target{Host: "query-2"}
	var got []string
	for n := range 40 {
		var list []Seen
		if n > 0 && n < 4 {
			list = []Seen{look(t, host, '?', n), look(t, dis, '.', n)}
		}
		for _, c := range m.See(list, began.Add(time.Duration(n)*every), DefaultRules(quiet)) {
			got = append(got, told(c)+" "+c.Headline)
		}
	}
	if diff := cmp.Diff([]string{"2:0>?@1 ?", "8:?>0@4 Answers again"}, got); diff != "" {
		t.Error(diff)
	}
	if len(m) != 0 {
		t.Errorf("remembered: %+v", m[0])
	}
}

// A flapping target that is found worse is soon checked again. If the problem was already observed
// several times, no second check is needed.
func TestFlappingAndWorse(t *testing.T) {
	for _, proved := range []bool{false, true} {
		var m Memory
		for n, letter := range ".3.3.3.1" {
			s := look(t, dis, letter, n)
			s.Proved = proved && letter == '1'
			changes := m.See([]Seen{s}, s.At, DefaultRules(quiet))
			worse := letter == '1'
			if n > 5 && (m.Unknown() != (worse && !proved) || (len(changes) > 0) != (worse && proved)) {
				t.Errorf("proved %t, check %d: check soon %t, posted %v", proved, n, m.Unknown(), changes)
			}
		}
		m.See([]Seen{look(t, dis, '.', 8)}, began, DefaultRules(quiet))
		if m.Unknown() {
			t.Errorf("proved %t: checked soon although it is well", proved)
		}
	}
}

// If a process takes too long to start, its problem began when the start began.
func TestNotUp(t *testing.T) {
	var m Memory
	for n, letter := range ".rrr" {
		m.See([]Seen{look(t, dis, letter, n)}, began, DefaultRules(quiet))
	}
	if got := m.NotUp(dis); !got.Equal(began.Add(every)) {
		t.Errorf("starting since %v", got)
	}
	m.See([]Seen{look(t, dis, '.', 5)}, began, DefaultRules(quiet))
	if got := m.NotUp(dis); !got.IsZero() {
		t.Errorf("up, and starting since %v", got)
	}
}

// cluster applies a series of checks of each target to a Cluster. It returns the final state, and
// the outcomes of the audit records.
func cluster(t *testing.T, looks map[runbooks.Target]string) (*Cluster, []string) {
	t.Helper()
	c := &Cluster{V: FormVersion, Cluster: "prod"}
	var records []string
	for n := 0; ; n++ {
		var list []Seen
		for target, row := range looks {
			if n < len(row) {
				list = append(list, look(t, target, rune(row[n]), n))
			}
		}
		if list == nil {
			return c, records
		}
		for _, r := range c.See(list, began.Add(time.Duration(n)*every), DefaultRules(quiet), "C0INCIDENT") {
			if _, err := audit.Canonical(audit.Link(r, 0, "")); err != nil {
				t.Error(err)
			}
			records = append(records, fmt.Sprintf("%d %s: %s", n, r.Target, r.Outcome))
		}
		// The state is stored and read again, as by another leader.
		data, err := Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		c = &Cluster{}
		if err := decode(data, c); err != nil {
			t.Fatal(err)
		}
	}
}

// Problems that the same check finds are one incident, and a later problem is a new incident. An
// incident is over when all its problems are over. Another leader continues with the same
// incidents.
func TestClusterIncidents(t *testing.T) {
	ltds, merge := runbooks.Target{Process: "db_ltds", Host: "infra-1"}, runbooks.Target{Process: "db_merge_server", Host: "infra-1"}
	c, records := cluster(t, map[runbooks.Target]string{
		dis:   ".11111.....1111.....",
		ltds:  ".22................",
		merge: "...33333333333333333",
	})
	want := []string{
		"2 db_dis on infra-1: opened: Sev 1 · Critical",
		"2 db_ltds on infra-1: opened: Sev 2 · Moderate",
		"4 db_merge_server on infra-1: opened: Sev 3 · Low",
		"7 db_ltds on infra-1: resolved: Sev 0 · None",
		"10 db_dis on infra-1: resolved: Sev 0 · None",
		"12 db_dis on infra-1: opened: Sev 1 · Critical",
		"19 db_dis on infra-1: resolved: Sev 0 · None",
	}
	// The order of two changes in one check is undefined.
	if len(records) > 1 && strings.Contains(records[0], "ltds") {
		records[0], records[1] = records[1], records[0]
	}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, i := range c.Incidents {
		got = append(got, fmt.Sprintf("%s %d items, %d open, %d notes, peak %s, ended %v", i.ID, len(i.Items), len(i.Open()), len(i.Notes), i.Peak(), i.Ended != nil))
	}
	if diff := cmp.Diff([]string{
		"prod-1 2 items, 0 open, 2 notes, peak Sev 1 · Critical, ended true",
		"prod-2 1 items, 1 open, 0 notes, peak Sev 3 · Low, ended false",
		"prod-3 1 items, 0 open, 1 notes, peak Sev 1 · Critical, ended true",
	}, got); diff != "" {
		t.Error(diff)
	}
	c.Drop("prod-1")
	if len(c.Incidents) != 2 || c.Last != 3 {
		t.Errorf("%d incidents after one was dropped, the last is %d", len(c.Incidents), c.Last)
	}
}

// A failure that another failure causes is shown in that other incident. It is not a separate
// incident.
func TestCausedFailureIsNoIncidentOfItsOwn(t *testing.T) {
	c := &Cluster{V: FormVersion, Cluster: "prod"}
	conf, auth := runbooks.Target{Process: "configuration_server", Host: "infra-1"}, runbooks.Target{Process: "authentication_server", Host: "infra-1"}
	for n := range 5 {
		behind := look(t, auth, '1', n)
		behind.Hold, behind.Behind = "because configuration_server on infra-1 is down", []runbooks.Target{conf}
		c.See([]Seen{look(t, conf, '1', n), behind}, began.Add(time.Duration(n)*every), DefaultRules(quiet), "C0")
	}
	if len(c.Incidents) != 1 || len(c.Incidents[0].Items) != 1 || c.Incidents[0].Items[0].Target != conf {
		t.Fatalf("incidents: %+v", c.Incidents)
	}
	if diff := cmp.Diff([]runbooks.Target{auth}, c.Incidents[0].Items[0].Behind); diff != "" {
		t.Error(diff)
	}
}

// Notes that cannot be posted do not pile up, and keep their numbers.
func TestNotesAreBoundedAndNumbered(t *testing.T) {
	var m Message
	for n := range mostNotes + 5 {
		m.note(Change{Headline: fmt.Sprint(n + 1)})
	}
	c, n, ok := m.NextNote()
	if !ok || n != 6 || c.Headline != "6" || len(m.Notes) != mostNotes {
		t.Errorf("note %d is %q, of %d", n, c.Headline, len(m.Notes))
	}
	m.NoteTold()
	if c, n, _ := m.NextNote(); n != 7 || c.Headline != "7" {
		t.Errorf("then note %d is %q", n, c.Headline)
	}
}

// A watch takes the first check as its current state, and posts only the changes after it.
func TestFollow(t *testing.T) {
	f := Follow{V: FormVersion, Scope: Scope{Cluster: "prod", Process: "db_dis"}, Person: "operator", Began: began, Until: began.Add(DefaultLength)}
	var got []string
	for n, letter := range "11..11.." {
		if f.See([]Seen{look(t, dis, letter, n)}, began.Add(time.Duration(n)*every), FollowRules()) {
			got = append(got, fmt.Sprintf("%d %s", n, f.Worst))
		}
	}
	if diff := cmp.Diff([]string{"0 Sev 1 · Critical", "3 Sev 0 · None", "5 Sev 1 · Critical", "7 Sev 0 · None"}, got); diff != "" {
		t.Error(diff)
	}
	if len(f.Notes) != 3 || len(f.Lately) != 3 {
		t.Errorf("%d notes, %d changes shown", len(f.Notes), len(f.Lately))
	}
	for what, r := range map[string]audit.Record{
		"until 2026-03-14 14:30 UTC": f.Start(began), "ended: enough seen": f.End(began, "approver", "enough seen"),
	} {
		if r.Kind != audit.ReadDone || r.Outcome != what || r.Target != "db_dis" {
			t.Errorf("record %+v, want %s", r, what)
		}
		if _, err := audit.Canonical(audit.Link(r, 0, "")); err != nil {
			t.Error(err)
		}
	}
}

func TestScopeAsText(t *testing.T) {
	for _, tt := range []struct {
		s             Scope
		said, command string
	}{
		{Scope{"prod", "db_dis", "infra-1"}, "db_dis on infra-1 · prod", "watch db_dis on infra-1 in prod"},
		{Scope{"prod", "db_dis", ""}, "db_dis · prod", "watch db_dis in prod"},
		{Scope{"prod", "", "infra-1"}, "infra-1 · prod", "watch infra-1 in prod"},
		{Scope{"prod", "", ""}, "prod", "watch in prod"},
	} {
		if got := tt.s.String(); got != tt.said {
			t.Errorf("%q, want %q", got, tt.said)
		}
		if got := tt.s.Command("watch"); got != tt.command {
			t.Errorf("%q, want %q", got, tt.command)
		}
	}
}

// TestFollowName checks that two watches of the same target in the same thread have the same name,
// and that a "/" in a part of the name does not add a level to the key in the store.
func TestFollowName(t *testing.T) {
	a := Follow{Scope: Scope{Cluster: "prod", Process: "db_dis"}, Message: Message{Channel: "C1", Thread: "1.2"}}
	b := a
	b.Person, b.Until = "somebody else", began
	if a.FollowName() != b.FollowName() || a.FollowName() != "follow/prod/db_dis/-/C1/1.2" {
		t.Errorf("%s, %s", a.FollowName(), b.FollowName())
	}
	b.Scope.Host = "x/../y"
	if n := strings.Count(b.FollowName(), "/"); n != 5 {
		t.Errorf("%s has %d parts", b.FollowName(), n)
	}
}

func TestStoredFormOfAnotherVersion(t *testing.T) {
	var c Cluster
	if err := decode([]byte(`{"v":3,"cluster":"prod","more":1}`), &c); !errors.Is(err, ErrNewerForm) {
		t.Errorf("newer: %v", err)
	}
	for _, bad := range []string{`{"cluster":"prod"}`, `{"v":1,"other":1}`, `[]`} {
		if err := decode([]byte(bad), &c); err == nil || errors.Is(err, ErrNewerForm) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// An unknown level is still unknown after it was stored.
func TestUnknownIsStored(t *testing.T) {
	b, err := json.Marshal(Change{From: runbooks.None, To: runbooks.Unknown})
	if err != nil {
		t.Fatal(err)
	}
	c := Change{To: runbooks.Critical}
	if err := json.Unmarshal(b, &c); err != nil || c.To != runbooks.Unknown || c.From != runbooks.None {
		t.Errorf("%s became %+v, %v", b, c, err)
	}
}
