package hostsim

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// TestHungDaemonActsWhenItWakes reproduces a measurement. The client of a frozen monit reports an
// error, but the requested restart still happens later.
func TestHungDaemonActsWhenItWakes(t *testing.T) {
	w := sampleWorld()
	m := w.machine("infra")
	pid := m.process("db_dis").pid
	m.monit.setState(daemonHung, w.now)
	if a := w.toEnd("infra", "sudo -n monit restart db_dis"); a.exit != 1 || !a.changes {
		t.Fatalf("%+v", a)
	}
	w.later(time.Minute)
	if m.process("db_dis").pid != pid {
		t.Fatal("a hung daemon acted")
	}
	m.monit.setState(daemonUp, w.now)
	w.later(3 * time.Second)
	if p := m.process("db_dis"); p.pid == pid || p.status() != "OK" {
		t.Errorf("after waking: pid %d, %s", p.pid, p.status())
	}
}

// A second request to restart a process is ignored while the first restart is still running.
func TestSecondRestartWhilePending(t *testing.T) {
	w := sampleWorld()
	m := w.machine("infra")
	for range 3 {
		w.toEnd("infra", "sudo -n monit restart db_dis")
	}
	last := m.lastPID
	w.later(10 * time.Second)
	if m.lastPID != last+13 {
		t.Errorf("%d processes were started, want 1", (m.lastPID-last)/13)
	}
}

// A process whose start fails repeatedly alternates between the states that were measured, until
// monit gives up.
func TestFailingStartEndsUnmonitored(t *testing.T) {
	w := sampleWorld()
	p := w.machine("infra").process("db_ltds")
	p.failStart = true
	p.die(w.now)
	var seen []string
	for range 3 * 60 * 10 {
		w.later(100 * time.Millisecond)
		if s := p.status(); len(seen) == 0 || seen[len(seen)-1] != s {
			seen = append(seen, s)
		}
	}
	want := []string{"OK"}
	for range restartLimit {
		want = append(want, "Initializing", "Execution failed | Does not exist")
	}
	if want = append(want, "Not monitored"); !slices.Equal(seen, want) {
		t.Errorf("states %q, want %q", seen, want)
	}
	if p.pid != 0 {
		t.Error("the process runs")
	}
}

func TestApplicationLog(t *testing.T) {
	w := sampleWorld()
	p := w.machine("infra").process("db_dis")
	logged := func(n string) string {
		return w.toEnd("infra", "tail -n "+n+" /var/log/deephaven/dis/DataImportServer.log.current").out
	}
	p.slowApp = 20 * time.Second
	w.toEnd("infra", "sudo -n monit restart db_dis")
	w.later(3 * time.Second)
	if p.status() != "OK" || strings.Contains(logged("50"), "RUNNING") {
		t.Errorf("monit is OK long before RUNNING: %s\n%s", p.status(), logged("50"))
	}
	w.later(20 * time.Second)
	if !strings.HasSuffix(logged("1"), "] - INFO - db_dis RUNNING\n") {
		t.Errorf("after 20 s: %s", logged("5"))
	}
	processFaults["errors"](p, 0, w.now)
	w.later(5 * time.Second)
	if n := strings.Count(logged("5"), " - ERROR - "); n != 5 {
		t.Errorf("%d errors in 5 lines", n)
	}
	processFaults["clear"](p, 0, w.now)
	w.later(20 * time.Minute) // into the next slice
	if s := logged("500"); strings.Contains(s, "RUNNING") || strings.Count(s, "ALIVE") == 0 {
		t.Errorf(".current covers more than its slice:\n%s", s)
	}
	if a := w.toEnd("infra", "ls /var/log/deephaven/dis/DataImportServer.log.2026-*"); strings.Count(a.out, "\n") < 3 {
		t.Errorf("older slices: %+v", a)
	}
}

func TestNeverReady(t *testing.T) {
	w := sampleWorld()
	p := w.machine("infra").process("db_dis")
	p.neverReady = true
	w.toEnd("infra", "sudo -n monit restart db_dis")
	w.later(10 * time.Minute)
	if s := w.toEnd("infra", "cat /var/log/deephaven/dis/DataImportServer.log.current").out; p.status() != "OK" || strings.Contains(s, "RUNNING") {
		t.Errorf("%s\n%s", p.status(), s)
	}
}

// Years may pass between two calls.
func TestLongSilence(t *testing.T) {
	w := sampleWorld()
	w.later(24 * time.Hour)
	if a := w.toEnd("infra", "sudo -n monit report up"); a.out != "14\n" {
		t.Errorf("%+v", a)
	}
	if n := len(w.machine("infra").process("db_dis").log.lines); n > 2*keptLines {
		t.Errorf("%d log lines kept", n)
	}
}

func TestBlockingRestartAll(t *testing.T) {
	w := sampleWorld()
	m := w.machine("query1")
	before := m.process("tailer1").pid
	if a := w.toEnd("query1", "sudo -n -u irisadmin /usr/illumon/latest/bin/dh_monit --block restart all"); a.exit != 0 {
		t.Fatalf("%+v", a)
	}
	if p := m.process("tailer1"); p.pid == before || p.status() != "OK" {
		t.Errorf("returned too early: %s", p.status())
	}
}

func TestLayouts(t *testing.T) {
	for _, g := range []string{Current, Legacy} {
		hosts := DefaultLayout(g)
		if err := checkLayout(g, hosts); err != nil || len(hosts) != 3 {
			t.Fatalf("%s: %v", g, err)
		}
		placed := map[string]bool{}
		for _, h := range hosts {
			for _, p := range h.Processes {
				placed[p] = true
			}
		}
		absent := map[string][]string{Current: {"db_rta", "client_update_service"}, Legacy: {"status_dashboard"}}[g]
		for _, s := range services {
			if placed[s.name] == slices.Contains(absent, s.name) {
				t.Errorf("%s: %s placed: %v", g, s.name, placed[s.name])
			}
		}
		if !placed[etcdID] || !placed[mariadbID] {
			t.Errorf("%s: etcd or mariadb missing", g)
		}
	}
	w := newWorld(Legacy, DefaultLayout(Legacy), measured(0, 0, 0), start0)
	if a := w.toEnd("infra-1", "tail -n 1 /var/log/deephaven/misc/WebServer.log.current"); a.exit != 0 || !strings.Contains(a.out, "web_api_service") {
		t.Errorf("legacy Web API log: %+v", a)
	}
}

func TestStartRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, cfg := range map[string]Config{
		"Dir is empty":           {},
		"has no default layout":  {Dir: dir, Generation: "legacy-1999"},
		"no process \"dis\"":     {Dir: dir, Hosts: []HostSpec{{Name: "a", Processes: []string{"dis"}}}},
		"used twice":             {Dir: dir, Hosts: []HostSpec{{Name: "a"}, {Name: "a"}}},
		"not a loopback address": {Dir: dir, Hosts: []HostSpec{{Name: "a", Listen: "0.0.0.0:0"}}},
		"cannot be negative":     {Dir: dir, Cycle: -1},
		"client key":             {Dir: filepath.Join(dir, "file", "below")},
	} {
		c, err := Start(cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if c != nil {
			t.Errorf("%s: both a cluster and an error", want)
		}
	}
}

func TestFaultErrorsListValidNames(t *testing.T) {
	c := startCluster(t)
	for _, tc := range []struct {
		host, process, fault string
		args                 []string
		want                 string
	}{
		{"infra-2", "", "freeze", nil, "hosts are infra-1, query-1, query-2"},
		{"infra-1", "db_query_server", "kill", nil, "its processes are configuration_server, "},
		{"query-1", "mariadb", "kill", nil, "no process \"mariadb\" on query-1"},
		{"infra-1", "db_dis", "freeze", nil, "clear, crash-loop, errors, fail-start"},
		{"infra-1", "-", "kill", nil, "clear, down, drop, freeze"},
		{"infra-1", "etcd", "port", nil, "clear, fail-start, kill"},
		{"infra-1", "db_dis", "slow-app", []string{"long"}, `write for example "20s"`},
		{"infra-1", "db_dis", "slow-app", []string{"-1s"}, "is not a duration"},
		{"infra-1", "db_dis", "kill", []string{"9"}, "takes no argument"},
	} {
		if err := c.Fault(tc.host, tc.process, tc.fault, tc.args...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

// Every fault can be set and cleared, on a running and on a stopped process. The model can still
// advance afterwards.
func TestEveryFaultCanBeCleared(t *testing.T) {
	process, unit, _ := Faults()
	for _, name := range process {
		w := sampleWorld()
		p := w.machine("infra").process("db_dis")
		for range 2 {
			processFaults[name](p, faultDefaults[name], w.now)
			w.toEnd("infra", "sudo -n monit restart db_dis")
			w.later(2 * time.Minute)
			p.die(w.now)
		}
		processFaults["clear"](p, 0, w.now)
		processFaults["start"](p, 0, w.now)
		w.later(time.Minute)
		if s := p.status(); s != "OK" {
			t.Errorf("%s: %s after clear and start", name, s)
		}
	}
	for _, name := range unit {
		w := sampleWorld()
		u := w.machine("infra").unit("etcd")
		unitFaults[name](u, faultDefaults[name], w.now)
		w.later(time.Minute)
		unitFaults["clear"](u, 0, w.now)
		unitFaults["start"](u, 0, w.now)
		w.later(time.Minute)
		if u.state != unitRunning {
			t.Errorf("etcd %s: state %d after clear and start", name, u.state)
		}
	}
}

// FuzzSplitLine checks that a quoted word arrives unchanged. It also checks that an unquoted line
// is refused if it has a character with a special meaning for the shell.
func FuzzSplitLine(f *testing.F) {
	for _, s := range []string{"db_dis", "a b", "it's", `"x"`, "$(id)", "`id`", "a;b", "a\nb", "*", "?[x]", "~", "{a,b}", `\`, "", "é—", "#", "!x", "a=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		if words, err := splitLine("monit status " + quoted); err == nil {
			if len(words) != 3 || words[2].text != s || words[2].pattern != "" {
				t.Errorf("%q arrived as %q", s, words)
			}
		} else if utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\r") {
			t.Errorf("%q quoted: %v", s, err)
		}
		words, err := splitLine(s)
		if err != nil || strings.ContainsAny(s, `'"\`) {
			return
		}
		if strings.ContainsAny(strings.TrimSpace(s), "$`;&|<>(){}\n") {
			t.Errorf("%q was split into %q", s, words)
		}
	})
}

// Words that mvdan.cc/sh has quoted arrive unchanged, too.
func TestQuotedWords(t *testing.T) {
	for _, s := range []string{"", "a'b", `a"b\c`, "$x `y` *?[z]", "a;b|c&d", "~/x", "{1,2}", "Ünïcödé", "-n"} {
		q, err := syntax.Quote(s, syntax.LangPOSIX)
		if err != nil {
			t.Fatal(err)
		}
		words, err := splitLine("cat " + q)
		if err != nil || len(words) != 2 || words[1].text != s || words[1].pattern != "" {
			t.Errorf("%q as %s: %q, %v", s, q, words, err)
		}
	}
}

func TestWrappers(t *testing.T) {
	w := sampleWorld()
	for line, want := range map[string]answer{
		"env LC_ALL=C nosuch":                     {err: "env: 'nosuch': No such file or directory\n", exit: 127},
		"timeout -k 5 9 nosuch":                   {err: "timeout: failed to run command 'nosuch': No such file or directory\n", exit: 127},
		"timeout banana true":                     {err: "timeout: invalid time interval 'banana'\n", exit: 125},
		"sudo -n /tmp/monit status":               {err: "sudo: /tmp/monit: command not found\n", exit: 1},
		"/opt/x/monit status":                     {err: "bash: line 1: /opt/x/monit: No such file or directory\n", exit: 127},
		"sudo -n -u irisadmin whoami":             {out: "irisadmin\n"},
		"env A=1 timeout 5 sudo -n whoami":        {out: "root\n"},
		"true":                                    {},
		"env":                                     {},
		"sudo -n journalctl -u nosuch --no-pager": {out: "-- No entries --\n"},
	} {
		if got := w.toEnd("infra", line); got.out != want.out || got.err != want.err || got.exit != want.exit {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
	// sudo drops a variable that is set before sudo, and keeps a variable that is set after
	// it (measured).
	const ctl = "/usr/illumon/latest/bin/etcdctl.sh role list"
	if a := w.toEnd("query1", "env DH_ETCD_USER=schema-ro sudo -n -u irisadmin "+ctl); a.exit != 1 {
		t.Errorf("before sudo: %+v", a)
	}
	if a := w.toEnd("query1", "sudo -n -u irisadmin DH_ETCD_USER=schema-ro "+ctl); a.exit != 0 {
		t.Errorf("after sudo: %+v", a)
	}
}
