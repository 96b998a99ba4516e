package hostsim

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// start0 is the start time of the models of these tests.
var start0 = time.Date(2026, 11, 21, 2, 3, 17, 0, time.UTC)

// sampleHosts returns the hosts on which the samples in testdata were taken. The
// processes of each host are in the order of its monit control file.
func sampleHosts() []HostSpec {
	query := []string{"log_aggregator_service", "tailer1", "db_tdcp", "db_query_server", "etcd"}
	return []HostSpec{
		{Name: "infra", Processes: []string{
			"configuration_server", "authentication_server", "db_acl_write_server", "iris_controller", "log_aggregator_service",
			"tailer1", "db_dis", "db_merge_server", "db_ltds", "db_tdcp", "status_dashboard", "client_update_service", "web_api_service",
			"etcd", "mariadb",
		}},
		{Name: "query1", Processes: query},
		{Name: "query2", Processes: query},
	}
}

// sampleWorld returns a healthy cluster after two checks of monit, with the
// durations of the samples: a cycle of 5 s, and programs limited to 15 s.
func sampleWorld() *world {
	w := newWorld(Current, sampleHosts(), measured(5*time.Second, 15*time.Second, 1), start0)
	w.etcd.leader = "etcd-2"
	w.advance(start0.Add(6 * time.Second))
	return w
}

// later advances a model.
func (w *world) later(d time.Duration) { w.advance(w.now.Add(d)) }

// toEnd runs a command line on a host until it ends, like the SSH server, but advances the model
// instead of waiting.
func (w *world) toEnd(hostName, line string) answer {
	_, a := w.run(w.machine(hostName), Login, line)
	w.later(a.takes)
	for settle := a.settle; settle != nil; {
		end, done := settle()
		if done {
			return end
		}
		w.later(settleEvery)
	}
	return a
}

// samples has the host and the state in which each sample in testdata was taken. The keys are the
// names of the samples.
var samples = map[string]struct {
	host  string
	state func(w *world, infra *machine)
}{
	"monit_status-restart-pending-queued": {state: func(w *world, m *machine) {
		m.process("db_dis").slowStart = 10 * time.Second
		w.toEnd("infra", "sudo -n -u irisadmin monit restart db_dis")
		w.toEnd("infra", "sudo -n -u irisadmin monit restart db_ltds")
	}},
	"monit_status-execution-failed": {state: func(w *world, m *machine) {
		m.process("db_ltds").failStart = true
		m.process("db_ltds").die(w.now)
		w.later(21 * time.Second)
	}},
	"monit_status-during-failing-start": {state: func(w *world, m *machine) {
		m.process("db_ltds").failStart = true
		w.toEnd("infra", "sudo -n -u irisadmin monit restart db_ltds")
		w.later(3 * time.Second)
	}},
	"monit_status-stopped": {state: func(w *world, _ *machine) {
		w.toEnd("infra", "sudo -n -u irisadmin monit stop db_ltds")
		w.later(3 * time.Second)
	}},
	"monit_status-connection-failed": {state: func(w *world, m *machine) {
		m.process("web_api_service").portDead = true
		w.later(11 * time.Second)
	}},
	"monit_status-resource-limit": {state: func(w *world, m *machine) {
		m.process("db_tdcp").hungry = true
		w.later(6 * time.Second)
	}},
	"monit_status-port-ok": {state: func(w *world, m *machine) {
		m.process("web_api_service").die(w.now)
		w.later(15 * time.Second)
	}},
	"monit_summary-restart-pending": {state: func(w *world, m *machine) {
		m.process("db_dis").slowStart = 10 * time.Second
		w.toEnd("infra", "sudo -n -u irisadmin monit restart db_dis")
		w.toEnd("infra", "sudo -n -u irisadmin monit restart db_ltds")
		w.later(3 * time.Second)
	}},
	"monit_daemon-down-status":          {state: daemon(daemonStopped)},
	"monit_daemon-down-reload":          {state: daemon(daemonStopped)},
	"monit_daemon-down-restart":         {state: daemon(daemonStopped)},
	"monit_daemon-down-root-restart":    {state: daemon(daemonStopped)},
	"monit_daemon-down-stop-unknown":    {state: daemon(daemonStopped)},
	"monit_daemon-hung-status":          {state: daemon(daemonHung)},
	"etcd_one-down-status-table":        {state: etcdDown("query2")},
	"etcd_one-down-status-json":         {state: etcdDown("query2")},
	"etcd_one-down-health-table":        {state: etcdDown("query2")},
	"etcd_one-down-health-json":         {state: etcdDown("query2")},
	"etcd_no-quorum-status-json":        {state: etcdDown("query1", "query2")},
	"etcd_no-quorum-health-json":        {state: etcdDown("query1", "query2")},
	"etcd_no-quorum-role-list":          {state: etcdDown("query1", "query2")},
	"etcd_on-query-node":                {host: "query1"},
	"etcd_on-query-node-ro":             {host: "query1"},
	"systemd_mariadb-on-query":          {host: "query1"},
	"systemd_dh-etcd-is-active-stopped": {state: etcdDown("infra")},
	"systemd_restart-etcd-failing":      {state: func(_ *world, m *machine) { m.unit("etcd").failStart = true }},
	"systemd_dh-etcd-failing-show": {state: func(w *world, m *machine) {
		m.unit("etcd").failStart = true
		w.toEnd("infra", "sudo -n systemctl restart dh-etcd")
	}},
	"logs_tail-applog": {state: func(w *world, m *machine) {
		m.process("db_dis").die(w.now)
		m.process("db_dis").spawn(w.now)
		w.later(32 * time.Second)
	}},
	"mariadb_down-query": {state: func(w *world, m *machine) { m.unit("mariadb").stop(w.now) }},
	"sudo_n-dhask":       {state: func(_ *world, m *machine) { m.sudo = false }},
	"sudo_plain-dhask":   {state: func(_ *world, m *machine) { m.sudo = false }},
}

func daemon(s daemonState) func(*world, *machine) {
	return func(w *world, m *machine) { m.monit.setState(s, w.now) }
}

func etcdDown(hosts ...string) func(*world, *machine) {
	return func(w *world, _ *machine) {
		for _, h := range hosts {
			w.machine(h).unit("etcd").stop(w.now)
		}
	}
}

// TestSamples runs the command of every sample in the state in which it was taken. It compares
// stdout, stderr and the exit code with those of the real tools. Only numbers, ids, sizes and ages
// may differ.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/samples/*.txtar")
	if err != nil || len(files) < 70 {
		t.Fatalf("samples missing: %d files, %v", len(files), err)
	}
	seen := map[string]bool{}
	for _, name := range files {
		id := strings.TrimSuffix(filepath.Base(name), ".txtar")
		seen[id] = true
		t.Run(id, func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := txtar.Parse(raw)
			rc, err := strconv.Atoi(strings.TrimSpace(string(want.Files[0].Data)))
			if err != nil {
				t.Fatal(err)
			}
			s := samples[id]
			w := sampleWorld()
			if s.state != nil {
				s.state(w, w.machine("infra"))
			}
			if s.host == "" {
				s.host = "infra"
			}
			got := w.toEnd(s.host, strings.TrimSpace(string(want.Comment)))
			if got.exit != rc {
				t.Errorf("exit %d, want %d", got.exit, rc)
			}
			if d := cmp.Diff(shape(string(want.Files[1].Data)), shape(got.out)); d != "" {
				t.Errorf("stdout (-real +simulated):\n%s", d)
			}
			if d := cmp.Diff(shape(string(want.Files[2].Data)), shape(got.err)); d != "" {
				t.Errorf("stderr (-real +simulated):\n%s", d)
			}
		})
	}
	for id := range samples {
		if !seen[id] {
			t.Errorf("state for a sample that does not exist: %s", id)
		}
	}
}

// shapes match the parts of the output that may differ when a real command runs twice.
var shapes = []struct {
	re *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`client-[0-9a-f-]{36}`), "client-UUID"},
	{regexp.MustCompile(`\b[0-9a-f]{16}\b`), "MEMBER"},
	{regexp.MustCompile(`; .* ago`), "; AGE ago"},
	{regexp.MustCompile(`(uptime:?) +(\d+[dh] )*\d+m`), "$1 AGE"},
	{regexp.MustCompile(`\d+(\.\d+)*`), "#"},
	{regexp.MustCompile(`# (kB|MB|GB)`), "# B"},
}

// shape returns the lines of an output, without the parts that may differ. It sorts lists of
// endpoints, because etcdctl prints them in no fixed order.
func shape(s string) []string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		for _, r := range shapes {
			l = r.re.ReplaceAllString(l, r.by)
		}
		lines[i] = l
	}
	if strings.Contains(s, ":2379") {
		slices.Sort(lines)
	}
	return lines
}

func TestEtcdKeepsServingWithOneMemberDown(t *testing.T) {
	w := sampleWorld()
	etcdDown("query1")(w, nil) // the leader
	got := w.toEnd("infra", "sudo -n -u irisadmin /usr/illumon/latest/bin/etcdctl.sh endpoint status -w json")
	if got.exit != 1 || strings.Count(got.out, `"Endpoint"`) != 2 || w.etcd.leader != "etcd-1" || w.etcd.term != 3 {
		t.Errorf("exit %d, leader %s, term %d: %s", got.exit, w.etcd.leader, w.etcd.term, got.out)
	}
}

// The unit of a running etcd member stays active without quorum. A restarted member is not ready
// until there is a quorum.
func TestEtcdMemberWaitsForQuorum(t *testing.T) {
	w := sampleWorld()
	etcdDown("query1", "query2")(w, nil)
	if got := w.toEnd("infra", "sudo -n systemctl is-active dh-etcd"); got.out != "active\n" {
		t.Errorf("without quorum: %q", got.out)
	}
	got := w.toEnd("query1", "sudo -n systemctl restart dh-etcd")
	if got.exit != 0 || w.machine("query1").unit("etcd").state != unitRunning {
		t.Errorf("two of three: %+v", got)
	}
	etcdDown("infra", "query1")(w, nil)
	before := w.now
	got = w.toEnd("query1", "sudo -n systemctl restart dh-etcd")
	if got.exit != 1 || !strings.Contains(got.err, "a timeout was exceeded") || w.now.Sub(before) < 89*time.Second {
		t.Errorf("one of three after %s: %+v", w.now.Sub(before), got)
	}
}

func TestUnitsComeBackAfterKill(t *testing.T) {
	w := sampleWorld()
	for _, id := range []string{"etcd", "mariadb"} {
		u := w.machine("infra").unit(id)
		pid := u.pid
		u.kill(w.now)
		if u.state != unitRetrying || u.pid != 0 {
			t.Errorf("%s after kill: state %d pid %d", id, u.state, u.pid)
		}
		w.later(7 * time.Second)
		if u.state != unitRunning || u.pid == pid || u.retries != 1 {
			t.Errorf("%s 7 s later: state %d pid %d retries %d", id, u.state, u.pid, u.retries)
		}
	}
}

// systemd restarts mariadb only after a signal (Restart=on-abort).
func TestMariaDBStaysFailed(t *testing.T) {
	w := sampleWorld()
	w.machine("infra").unit("mariadb").failStart = true
	if a := w.toEnd("infra", "sudo -n systemctl restart mariadb"); a.exit != 1 {
		t.Errorf("%+v", a)
	}
	w.later(time.Hour)
	if a := w.toEnd("infra", "systemctl is-active mariadb"); a.out != "failed\n" || a.exit != 3 {
		t.Errorf("%+v", a)
	}
}

// The output of systemctl status matches the samples, except for the journal at its end.
func TestUnitStatusHeads(t *testing.T) {
	for name, state := range map[string]func(*world, *unit){
		"dh-etcd-activating": func(w *world, u *unit) {
			u.failStart = true
			u.stop(w.now)
			u.start(w.now)
			w.later(2 * time.Second)
		},
		"dh-etcd-stopped": func(w *world, u *unit) { u.since = w.now.Add(-10 * time.Minute); u.stop(w.now) },
		"dh-etcd-killed":  func(w *world, u *unit) { u.kill(w.now) },
	} {
		want, err := os.ReadFile("testdata/" + name + ".status")
		if err != nil {
			t.Fatal(err)
		}
		w := sampleWorld()
		state(w, w.machine("query1").unit("etcd"))
		got := w.toEnd("query1", "sudo -n systemctl status dh-etcd --no-pager -l")
		head, journal, _ := strings.Cut(got.out, "\n\n")
		if d := cmp.Diff(shape(string(want)), shape(head+"\n")); d != "" || got.exit != 3 {
			t.Errorf("%s: exit %d (-real +simulated):\n%s", name, got.exit, d)
		}
		if !strings.Contains(journal, " query1 systemd[1]: ") {
			t.Errorf("%s: no journal:\n%s", name, journal)
		}
	}
}

// Stopping monit's own unit stops nothing else.
func TestMonitUnit(t *testing.T) {
	w := sampleWorld()
	m := w.machine("infra")
	pid := m.process("db_dis").pid
	for _, step := range []struct{ line, out string }{
		{"sudo -n systemctl stop monit", ""},
		{"systemctl is-active monit", "inactive\n"},
		{"sudo -n systemctl start monit", ""},
		{"systemctl is-active monit", "active\n"},
		{"systemctl show -p ActiveState,SubState monit", "ActiveState=active\nSubState=running\n"},
		{"systemctl show -p LoadState nosuch", "LoadState=not-found\n"},
	} {
		if got := w.toEnd("infra", step.line); got.out != step.out || got.err != "" {
			t.Errorf("%s: %+v", step.line, got)
		}
		w.later(6 * time.Second)
	}
	if p := m.process("db_dis"); p.pid != pid || p.status() != "OK" {
		t.Errorf("db_dis: pid %d → %d, %s", pid, p.pid, p.status())
	}
}

func TestJournal(t *testing.T) {
	w := sampleWorld()
	w.machine("infra").unit("etcd").kill(w.now)
	for line, want := range map[string]string{
		"sudo -n journalctl -u dh-etcd --no-pager -n 1":                                   "Nov 21 02:03:23 infra systemd[1]: dh-etcd.service: Failed with result 'signal'.\n",
		"sudo -n journalctl -u dh-etcd -o short-iso --no-pager -n 1 --utc":                "2026-11-21T02:03:23+0000 infra systemd[1]: dh-etcd.service: Failed with result 'signal'.\n",
		"sudo -n journalctl -u dh-etcd --no-pager -n 5 --since '2026-11-21 02:03:24 UTC'": "-- No entries --\n",
		"journalctl -u dh-etcd --no-pager":                                                "-- No entries --\n",
	} {
		if got := w.toEnd("infra", line); got.out != want || got.exit != 0 {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := w.toEnd("infra", "sudo -n journalctl -u dh-etcd --since banana"); got.exit != 1 || got.err != "Failed to parse timestamp: banana\n" {
		t.Errorf("%+v", got)
	}
	if got := w.toEnd("infra", "sudo -n journalctl -xefu dh-etcd"); got.exit != 127 {
		t.Errorf("following is not simulated: %+v", got)
	}
}

func TestSystemdAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		659 * time.Millisecond: "659ms", 52 * time.Second: "52s", 112 * time.Second: "1min 52s", 20 * time.Minute: "20min",
		65 * time.Minute: "1h 5min", 7 * time.Hour: "7h", 26 * time.Hour: "1 day 2h", 80 * time.Hour: "3 days",
	} {
		if got := systemdAge(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestMonitAge(t *testing.T) {
	for d, want := range map[time.Duration]string{59 * time.Second: "0m", 119 * time.Second: "1m", 2 * time.Hour: "2h 0m", 49*time.Hour + time.Minute: "2d 1h 1m"} {
		if got := monitAge(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestDate(t *testing.T) {
	w := sampleWorld()
	for line, want := range map[string]string{
		"date":             "Sat Nov 21 02:03:23 UTC 2026\n",
		"date -u +%s.%N":   fmt.Sprintf("%d.000000000\n", w.now.Unix()),
		"date '+%F %T %z'": "2026-11-21 02:03:23 +0000\n",
	} {
		if got := w.toEnd("infra", line); got.out != want || got.exit != 0 {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
