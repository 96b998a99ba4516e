package status

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
	"dhbot/runbooks"
)

// Errors in the logs of etcd and MariaDB are findings about a running process
// on every surface. For a process that is down, the log gives the reason,
// however old it is.
func TestUnitLogs(t *testing.T) {
	for what, tt := range map[string]struct {
		process string
		world   statustest.Process
		code    observe.Code
		says    string // "" if no error may be shown
	}{
		"etcd, well":          {"etcd", statustest.Process{Log: []string{"9m INFO - elected", "1m WARN - took too long"}}, observe.FoundRunning, ""},
		"etcd, errors":        {"etcd", statustest.Process{Log: []string{"9m INFO - elected", "1m ERROR - no space left on device"}}, observe.FoundErrors, "no space left"},
		"etcd, old errors":    {"etcd", statustest.Process{Log: []string{"19m ERROR - no space left on device", "1m INFO - compacted"}}, observe.FoundRunning, ""},
		"mariadb, errors":     {"mariadb", statustest.Process{Log: []string{"9m Note - ready for connections", "1m ERROR - InnoDB: Table is corrupt"}}, observe.FoundErrors, "Table is corrupt"},
		"mariadb, old errors": {"mariadb", statustest.Process{Log: []string{"2h ERROR - InnoDB: Table is corrupt", "1m Note - x"}}, observe.FoundRunning, ""},
		"mariadb, quiet":      {"mariadb", statustest.Process{Log: []string{"2h Note - ready for connections"}}, observe.FoundRunning, ""},
		"mariadb, just started": {
			"mariadb", statustest.Process{Up: 90 * time.Second, Log: []string{"80s ERROR - a plugin is not there", "70s Note - ready for connections"}}, observe.FoundRunning, "",
		},
		"mariadb, down for hours": {
			"mariadb", statustest.Process{Status: "failed (Result: exit-code)", Log: []string{"3h ERROR - InnoDB: Unable to lock ./ibdata1", "3h ERROR - Aborting"}},
			observe.FoundDown, "Unable to lock",
		},
	} {
		s := newSite(t, fleet.ACLsInMySQL)
		service := map[string]string{"etcd": "dh-etcd", "mariadb": "mariadb"}[tt.process]
		s.world[service+"@infra-1"] = tt.world
		if _, _, err := s.Look(t.Context(), prod, nil); err != nil { // the monitor checks first
			t.Fatal(err)
		}
		alone := rowOf(t, s.assess(t, process(tt.process)), tt.process, "infra-1")
		board, _, err := s.Look(t.Context(), prod, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range map[string]Row{"alone": alone, "the monitor": rowOf(t, board, tt.process, "infra-1")} {
			if r.Finding.Code != tt.code || tt.says != "" && !strings.Contains(r.Finding.Text, tt.says) ||
				tt.says == "" && strings.Contains(r.Finding.Text, "ERROR") {
				t.Errorf("%s: %s: %s, %s", what, name, r.Finding.Code, r.Finding.Text)
			}
		}
	}
}

// In the background, the log of a healthy unit is read every five minutes. The checks in between
// show the last result. The log of an unhealthy unit is read at each check. So is any log if a
// person requested the check.
func TestUnitLogIsReadSeldom(t *testing.T) {
	s := newSite(t, fleet.ACLsInMySQL)
	s.world["mariadb"] = statustest.Process{Log: []string{"1m ERROR - InnoDB: Table is corrupt"}}
	read := func(f func()) int {
		before := s.asked["journalctl"] + s.asked["/var/log/mariadb/mariadb.log"]
		f()
		return s.asked["journalctl"] + s.asked["/var/log/mariadb/mariadb.log"] - before
	}
	look := func() {
		b, _, err := s.Look(t.Context(), prod, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r := rowOf(t, b, "mariadb", "infra-1"); r.Finding.Code != observe.FoundErrors {
			t.Errorf("%s, %s", r.Finding.Code, r.Finding.Text)
		}
	}
	const all = 4 // MariaDB and three members of etcd
	for i, want := range []int{all, 0, 0} {
		if n := read(look); n != want {
			t.Errorf("check %d: %d reads, want %d", i+1, n, want)
		}
		s.at = s.at.Add(30 * time.Second)
	}
	if n := read(func() { s.assess(t, prod) }); n != all {
		t.Errorf("for a person: %d reads, want %d", n, all)
	}
	s.at = s.at.Add(unitLogEvery)
	if n := read(look); n != all {
		t.Errorf("five minutes later: %d reads, want %d", n, all)
	}
	s.world["dh-etcd@query-1"] = statustest.Process{Status: "failed (Result: exit-code)"}
	for range 2 {
		if n := read(look); n != 1 {
			t.Errorf("one unit is down: %d reads, want only its own log", n)
		}
		s.at = s.at.Add(30 * time.Second)
	}
}

// If the bot may not read a log, this is reported, but the process does not become unknown.
func TestUnitLogRefused(t *testing.T) {
	s := newSite(t, fleet.ACLsInMySQL)
	s.refused = "/var/log/mariadb/mariadb.log"
	r := rowOf(t, s.assess(t, process("mariadb")), "mariadb", "infra-1")
	if r.Severity() != runbooks.None || !strings.Contains(r.LogWhy, remote.SudoRefused.String()) {
		t.Errorf("%v, %q", r.Severity(), r.LogWhy)
	}
}
