package status

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/incident"
	"dhbot/internal/observe/proof"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
	"dhbot/runbooks"
)

// No surface shows a better state than another, and none is green without proof. This must hold for
// every answer of the supervisor, for a new and an old answer, and for every state of the pid, the
// log and a dependency.
func TestNoSurfaceIsGreenerThanAnother(t *testing.T) {
	statuses := []string{
		"OK", "Running", "Connection failed", "Resource limit matched", "Execution failed | Does not exist", "Does not exist", "Initializing",
		"Not monitored", "OK - restart pending", "Mumbling", "missing",
	}
	logs := map[string][]string{
		"none": nil, "clean": {"10m INFO - x", "20s INFO - db_dis ALIVE"}, "errors": {"10m INFO - x", "1m ERROR - no space"},
		"fatal": {"1m FATAL - no memory"}, "ended": {"10m INFO - x", "5m INFO - db_dis SHUTTING_DOWN"},
	}
	needs := map[string]statustest.Process{"up": {}, "down": failed, "not monitored": {Status: "Not monitored"}}
	n := 0
	for _, status := range statuses {
		for _, gone := range []bool{false, true} {
			for logName, log := range logs {
				for needName, need := range needs {
					for _, stale := range []time.Duration{0, time.Hour} {
						p := statustest.Process{Status: status, Gone: gone, Log: log, Stale: stale}
						switch status {
						case "missing":
							p.Status, p.Missing = "", true
						case "Execution failed | Does not exist", "Does not exist", "Initializing":
							p.PID = -1
						}
						n++
						what := fmt.Sprintf("%s, pid gone %v, log %s, need %s, stale %s", status, gone, logName, needName, stale)
						compareSurfaces(t, what, statustest.World{"db_dis": p, "authentication_server": need})
					}
				}
			}
		}
	}
	if n < 600 {
		t.Errorf("only %d combinations", n)
	}
}

var disOnInfra = runbooks.Target{Process: "db_dis", Host: "infra-1"}

// compareSurfaces compares what every surface shows about the process db_dis, each time with a new
// Assessor.
func compareSurfaces(t *testing.T, what string, world statustest.World) {
	t.Helper()
	fresh := func() *site {
		s := newSite(t, fleet.ACLsInEtcd)
		s.world = world
		return s
	}
	alone := rowOf(t, fresh().assess(t, process("db_dis")), "db_dis", "infra-1")
	if alone.Finding.Code == "" {
		t.Errorf("%s: %q has no code", what, alone.Finding.Headline)
	}
	for name, sc := range map[string]incident.Scope{"host": {Cluster: "prod", Host: "infra-1"}, "cluster": prod, "one host": {Cluster: "prod", Process: "db_dis", Host: "infra-1"}} {
		b := fresh().assess(t, sc)
		r := rowOf(t, b, "db_dis", "infra-1")
		if r.Severity() != alone.Severity() || r.Finding.Code != alone.Finding.Code || r.WorstCase() != alone.WorstCase() {
			t.Errorf("%s: in the status of %s it is %v, %s; alone it is %v, %s", what, name, r.Severity(), r.Finding.Code, alone.Severity(), alone.Finding.Code)
		}
		if alone.Severity().Worse(b.Worst()) {
			t.Errorf("%s: the %s is %v although one process is %v", what, name, b.Worst(), alone.Severity())
		}
	}
	s := fresh()
	_, seen, err := s.Look(t.Context(), prod, func(runbooks.Target) time.Time { return time.Time{} })
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range seen {
		quiet := one.Hold != "" || alone.Finding.LogErrors // reported with another target, or only above a rate of errors
		if one.Target == disOnInfra && one.Severity != alone.Severity() && !quiet {
			t.Errorf("%s: the monitor reports %v, but status %v", what, one.Severity, alone.Severity())
		}
	}
	switch v := fresh().AllUp(t.Context(), "prod", "infra-1"); {
	case alone.Severity() != runbooks.None && v.State == proof.Met,
		alone.Severity() != runbooks.None && alone.Severity() != runbooks.Low && v.State == proof.Noted:
		t.Errorf("%s: the check that ends a sequence is %s although one process is %v", what, v.State, alone.Severity())
	}
	p := world["db_dis"]
	if up := p.Status == "OK" || p.Status == "Running"; alone.Severity() == runbooks.None && (!up || p.Gone || world["authentication_server"].Status == failed.Status) {
		t.Errorf("%s: green", what)
	}
}

// If a host hides its processes from the bot, a process is green only if its supervisor has checked
// it recently.
func TestHiddenPids(t *testing.T) {
	for stale, want := range map[time.Duration]runbooks.Severity{0: runbooks.None, time.Hour: runbooks.Unknown} {
		s := newSite(t, fleet.ACLsInEtcd)
		s.world["db_dis"] = statustest.Process{Stale: stale}
		s.hidden = true
		for _, sc := range []incident.Scope{process("db_dis"), prod} {
			if r := rowOf(t, s.assess(t, sc), "db_dis", "infra-1"); r.Severity() != want {
				t.Errorf("stale for %s: %v, %s", stale, r.Severity(), r.Finding.Text)
			}
		}
	}
}

// A check by monit counts as fresh for two of monit's cycles, and for at least a minute. The cycle
// is estimated from monit's answers.
func TestStaleByTheCycleOfTheHost(t *testing.T) {
	for cycle, ages := range map[time.Duration]map[time.Duration]runbooks.Severity{
		5 * time.Second:  {50 * time.Second: runbooks.None, 90 * time.Second: runbooks.Unknown},
		10 * time.Minute: {15 * time.Minute: runbooks.None, 25 * time.Minute: runbooks.Unknown},
		0:                {3 * time.Minute: runbooks.None, 5 * time.Minute: runbooks.Unknown},
	} {
		for age, want := range ages {
			s := newSite(t, fleet.ACLsInEtcd)
			s.hidden = true
			if cycle > 0 {
				for range 4 {
					s.assess(t, prod)
					s.at = s.at.Add(cycle)
				}
			}
			s.world["db_dis"] = statustest.Process{Stale: age}
			if r := rowOf(t, s.assess(t, prod), "db_dis", "infra-1"); r.Severity() != want {
				t.Errorf("a cycle of %s, a check %s ago: %v, %s", cycle, age, r.Severity(), r.Finding.Text)
			}
		}
	}
}

// A crash loop is found within three checks if the process restarts at each check, and later if it
// restarts less often. A single death is not a crash loop. Neither are a few restarts by hand, or
// restarts during maintenance.
func TestCrashLoop(t *testing.T) {
	const every = 30 * time.Second
	type life = statustest.Process
	byHand := func(pid int, up ...time.Duration) life {
		l := life{PID: pid, Up: 4 * time.Second}
		for _, d := range up {
			l.Up = d
		}
		end := l.Up + 2*time.Second
		for n := range pid - 1001 { // and one pair of lines for each earlier restart
			ago := end + time.Duration(n)*2*every
			l.Log = slices.Insert(l.Log, 0, fmt.Sprintf("%s INFO - db_dis SHUTTING_DOWN", ago), fmt.Sprintf("%s INFO - db_dis INITIALIZING", ago-time.Second))
		}
		l.Inode = pid
		return l
	}
	young := func(pid int) life { return life{PID: pid, Up: 4 * time.Second} }
	for what, tt := range map[string]struct {
		looks []life
		want  int // the check that finds the loop, 0 for none
	}{
		"another pid at each check":                         {[]life{young(1001), young(1002), young(1003)}, 3},
		"a shorter uptime at each check":                    {[]life{{PID: 1001, Up: 4 * time.Second}, {PID: 1001, Up: 5 * time.Second}, {PID: 1001, Up: 3 * time.Second}}, 3},
		"up, started again, up":                             {[]life{young(1001), {Status: "Does not exist", PID: -1}, young(1002)}, 3},
		"started again at each check":                       {[]life{{Status: "Does not exist", PID: -1}, {Status: "Does not exist", PID: -1}, {Status: "Does not exist", PID: -1}}, 3},
		"dead, up, dead":                                    {[]life{{PID: 1001, Gone: true}, young(1002), {PID: 1002, Gone: true}}, 3},
		"one death":                                         {[]life{{PID: 1001, Up: time.Hour}, {PID: 1001, Gone: true}, {PID: 1002, Up: 20 * time.Second}, {PID: 1002, Up: 50 * time.Second}}, 0},
		"one death, seen three times":                       {[]life{{PID: 1001, Gone: true}, {Status: "Does not exist", PID: -1}, {PID: 1002, Up: 40 * time.Second}}, 0},
		"started a moment ago":                              {[]life{young(1001), {PID: 1001, Up: 34 * time.Second}, {PID: 1001, Up: 64 * time.Second}}, 0},
		"stopped":                                           {[]life{young(1001), {Status: "Not monitored"}, {Status: "Not monitored"}}, 0},
		"a start that takes its time":                       {[]life{{Status: "Initializing", PID: -1}, {Status: "Initializing", PID: -1}, young(1001)}, 0},
		"several within ten minutes":                        {[]life{{PID: 1001, Up: time.Hour}, young(1002), {PID: 1002, Up: 34 * time.Second}, young(1003), {PID: 1003, Up: 34 * time.Second}, young(1004)}, 4},
		"restarted by hand, three times within ten minutes": {[]life{{PID: 1001, Up: time.Hour}, byHand(1002), byHand(1002, 34*time.Second), byHand(1003), byHand(1003, 34*time.Second), byHand(1004)}, 0},
		"visible in the log of one check":                   {[]life{{PID: 1003, Up: 2 * time.Second, Log: []string{"20s INFO - db_dis INITIALIZING", "14s FATAL - x", "12s INFO - db_dis INITIALIZING", "6s FATAL - x", "2s INFO - db_dis INITIALIZING"}}}, 1},
	} {
		s := newSite(t, fleet.ACLsInEtcd)
		found := 0
		for i, l := range tt.looks {
			s.world["db_dis"] = l
			r := rowOf(t, s.assess(t, process("db_dis")), "db_dis", "infra-1")
			if r.Finding.Loop && found == 0 {
				found = i + 1
				if r.Severity() != runbooks.Critical {
					t.Errorf("%s: %v", what, r.Severity())
				}
			}
			s.at = s.at.Add(every)
		}
		if found != tt.want {
			t.Errorf("%s: found at check %d, want %d", what, found, tt.want)
		}
	}
	s := newSite(t, fleet.ACLsInEtcd)
	s.store.maintenance = []fleet.Maintenance{{Cluster: "prod", Process: "db_dis", From: s.at.Add(-time.Hour), Until: s.at.Add(time.Hour), By: "anna"}}
	for pid := range 5 {
		s.world["db_dis"] = young(1001 + pid)
		if r := rowOf(t, s.assess(t, process("db_dis")), "db_dis", "infra-1"); r.Severity() != runbooks.None {
			t.Errorf("in maintenance: %v, %s", r.Severity(), r.Finding.Headline)
		}
		s.at = s.at.Add(every)
	}
}

// Errors in a log are always shown. They open an incident only if there are too many a minute for
// long enough.
func TestErrorRate(t *testing.T) {
	lines := func(every time.Duration, for_ time.Duration) []string {
		list := []string{"19m INFO - x"}
		for at := for_; at >= 0; at -= every {
			list = append(list, fmt.Sprintf("%s ERROR - no space", at))
		}
		return list
	}
	for what, tt := range map[string]struct {
		log  []string
		want runbooks.Severity
	}{
		"one a second for six minutes":  {lines(time.Second, 6*time.Minute), runbooks.Low},
		"one a second for four minutes": {lines(time.Second, 4*time.Minute), runbooks.None},
		"one a minute for ten minutes":  {lines(time.Minute, 10*time.Minute), runbooks.None},
	} {
		s := newSite(t, fleet.ACLsInEtcd)
		s.world["db_dis"] = statustest.Process{Log: tt.log}
		b := s.assess(t, prod)
		if r := rowOf(t, b, "db_dis", "infra-1"); r.Severity() != runbooks.Low {
			t.Errorf("%s: shown as %v", what, r.Severity())
		}
		for _, one := range s.seen(b, false) {
			if one.Target == disOnInfra && one.Severity != tt.want {
				t.Errorf("%s: the monitor reports %v, want %v", what, one.Severity, tt.want)
			}
		}
	}
}

// A fatal error just before a start belongs to the previous process. A fatal error after the start
// counts, although other errors in the first minutes after a start do not.
func TestFatalOfTheProcessBefore(t *testing.T) {
	const start = "30s INFO - db_dis INITIALIZING"
	for what, tt := range map[string]struct {
		log  []string
		want runbooks.Severity
	}{
		"before": {[]string{"32s FATAL - x", start, "28s INFO - db_dis RUNNING"}, runbooks.None},
		"after":  {[]string{"32s INFO - x", start, "20s FATAL - x"}, runbooks.Low},
		"errors": {[]string{"32s INFO - x", start, "20s ERROR - x"}, runbooks.None},
	} {
		s := newSite(t, fleet.ACLsInEtcd)
		s.world["db_dis"] = statustest.Process{Up: 30 * time.Second, Log: tt.log}
		if r := rowOf(t, s.assess(t, prod), "db_dis", "infra-1"); r.Severity() != tt.want {
			t.Errorf("%s: %v, %s", what, r.Severity(), r.Finding.Text)
		}
	}
}

// If a host cannot be queried, every surface shows it as unknown, with the worst severity that it
// could have.
func TestSilentHost(t *testing.T) {
	for _, o := range []remote.Outcome{remote.Unreachable, remote.SudoRefused, remote.SupervisorSilent, remote.LoginRefused} {
		s := newSite(t, fleet.ACLsInEtcd)
		s.silent["infra-1"] = o
		for _, sc := range []incident.Scope{process("db_dis"), prod} {
			if r := rowOf(t, s.assess(t, sc), "db_dis", "infra-1"); r.Severity() != runbooks.Unknown || r.WorstCase() != runbooks.Critical {
				t.Errorf("%s: %v, could be up to %v", o, r.Severity(), r.WorstCase())
			}
		}
	}
}

// TestWindowHoldsBackHosts: a finding about a host as a whole is not an incident while the host is
// in a maintenance window.
func TestWindowHoldsBackHosts(t *testing.T) {
	at := time.Date(2026, 3, 14, 20, 0, 0, 0, time.UTC)
	window := fleet.Maintenance{Cluster: "prod", Host: "query-1", From: at, Until: at.Add(time.Hour), By: "anna"}
	one := window
	one.Process = "db_dis"
	board := func(m fleet.Maintenance, at time.Time) Board {
		return Board{Cluster: "prod", At: at, Maintenance: []fleet.Maintenance{m}, Hosts: []HostFinding{
			{Host: "query-1", Severity: runbooks.Low, Headline: "monit has checked nothing for 10 min"},
			{Host: "query-2", Severity: runbooks.Low, Headline: "monit has checked nothing for 10 min"},
		}}
	}
	for _, tt := range []struct {
		what string
		b    Board
		want runbooks.Severity
	}{
		{"in the window", board(window, at), runbooks.None},
		{"before the window", board(window, at.Add(-time.Second)), runbooks.Low},
		{"after the window", board(window, at.Add(time.Hour)), runbooks.Low},
		{"maintenance of a process", board(one, at), runbooks.Low},
	} {
		seen := (&Assessor{}).seen(tt.b, false)
		if len(seen) != 2 || seen[0].Severity != tt.want || seen[1].Severity != runbooks.Low {
			t.Errorf("%s: %+v", tt.what, seen)
		}
	}
}
