package observe

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

// observed is the expected result of a sample.
type observed struct {
	service string
	state   State
	pid     int
	pending string
	number  string // the finding's severity, if the process should be up and has level 1
}

const (
	sev0    = "Sev 0 · None"
	sev1    = "Sev 1 · Critical"
	sev3    = "Sev 3 · Low"
	nothing = "unknown"
)

// Every status sample of every archive, and its expected result.
var statusSamples = map[string]map[string]observed{
	"monit": {
		"daemon-down-root-status":          {"db_tdcp", Unseen, 0, "", nothing},
		"daemon-down-status":               {"db_tdcp", Unseen, 0, "", nothing},
		"daemon-hung-status":               {"db_tdcp", Unseen, 0, "", nothing},
		"status-after-restart-unmonitored": {"db_ltds", Up, 7304, "", sev0},
		"status-after-stop-failed-later":   {"db_dis", Up, 2173, "", sev0},
		"status-all":                       {"db_dis", Up, 705, "", sev0},
		"status-bad-regex":                 {"db_dis", Unseen, 0, "", nothing},
		"status-case":                      {"DB_DIS", Unseen, 0, "", nothing},
		"status-connection-failed":         {"web_api_service", Trouble, 55887, "", sev3},
		"status-connection-failed-pty":     {"web_api_service", Trouble, 55887, "", sev3},
		"status-crashloop-end":             {"tailer1", NotMonitored, 0, "", nothing},
		"status-cus":                       {"cus", Missing, 0, "", sev1},
		"status-dash":                      {"-v", Missing, 0, "", sev1},
		"status-during-failing-start":      {"db_ltds", Starting, 0, "restart", nothing},
		"status-empty":                     {"", Unseen, 0, "", nothing},
		"status-execution-failed":          {"db_ltds", Failed, 0, "", sev1},
		"status-execution-failed-pty":      {"db_ltds", Failed, 0, "", sev1},
		"status-failing-45s":               {"db_ltds", Starting, 0, "restart", nothing},
		"status-initializing":              {"db_tdcp", Up, 407, "", sev0},
		"status-initializing-pty":          {"db_tdcp", Up, 407, "", sev0},
		"status-just-after-reload":         {"db_tdcp", Up, 255, "", sev0},
		"status-ok":                        {"db_dis", Up, 705, "", sev0},
		"status-ok-batch":                  {"db_dis", Up, 705, "", sev0},
		"status-ok-pty":                    {"db_dis", Up, 705, "", sev0},
		"status-ok-pty-batch":              {"db_dis", Up, 705, "", sev0},
		"status-port-ok":                   {"web_api_service", Up, 52605, "", sev0},
		"status-prefix":                    {"db_", Missing, 0, "", sev1},
		"status-resource-limit":            {"db_tdcp", Trouble, 255, "", sev3},
		"status-restart-pending-pty":       {"db_ltds", Up, 7304, "restart", nothing},
		"status-restart-pending-queued":    {"db_ltds", Up, 7304, "restart", nothing},
		"status-stop-failed":               {"db_dis", Up, 2173, "", sev0},
		"status-stopped":                   {"db_ltds", NotMonitored, 0, "", nothing},
		"status-system":                    {"infra", Unseen, 0, "", nothing},
		"status-unknown":                   {"nosuch", Missing, 0, "", sev1},
		"status-unmonitored-running":       {"db_ltds", NotMonitored, 0, "", nothing},
	},
	"monit-access": {
		"badpass-status":      {"db_tdcp", Unseen, 0, "", nothing},
		"httpd-only-status":   {"db_tdcp", Unseen, 0, "", nothing},
		"httpd-only-status-2": {"db_tdcp", Unseen, 0, "", nothing},
		"mode644-status":      {"db_tdcp", Unseen, 0, "", nothing},
		"no-monitrc-status":   {"db_tdcp", Unseen, 0, "", nothing},
		"nosudo-status":       {"db_tdcp", Unseen, 0, "", nothing},
		"nosvc-status":        {"db_tdcp", Up, 260, "", sev0},
		"owner-status":        {"db_tdcp", Unseen, 0, "", nothing},
		"root-status":         {"db_tdcp", Up, 437, "", sev0},
	},
	"systemd": {
		"dh-etcd-activating":       {"dh-etcd", Recovering, 0, "", nothing},
		"dh-etcd-failing-show":     {"dh-etcd", Recovering, 0, "", nothing},
		"dh-etcd-killed":           {"dh-etcd", Recovering, 0, "", nothing},
		"dh-etcd-running":          {"dh-etcd", Up, 65911, "", sev0},
		"dh-etcd-running-nopager":  {"dh-etcd", Up, 65911, "", sev0},
		"dh-etcd-running-noquorum": {"dh-etcd", Up, 451, "", sev0},
		"dh-etcd-running-pty":      {"dh-etcd", Unseen, 0, "", nothing},
		"dh-etcd-show":             {"dh-etcd", Up, 65911, "", sev0},
		"dh-etcd-stopped":          {"dh-etcd", Down, 0, "", sev1},
		"mariadb-on-query":         {"mariadb", Down, 0, "", sev1},
		"mariadb-running":          {"mariadb", Up, 543, "", sev0},
		"monit-status":             {"monit", Up, 460, "", sev0},
		"status-nosudo":            {"dh-etcd", Up, 65911, "", sev0},
		"unknown-unit":             {"nosuchunit", Missing, 0, "", sev1},
	},
	"systemctl-replacement": {
		"show":                   {"dh-etcd", Unseen, 0, "", nothing},
		"status-bad":             {"bad", Failed, 0, "", sev1},
		"status-running":         {"dh-etcd", Up, 0, "", sev0},
		"status-running-nopager": {"dh-etcd", Up, 0, "", sev0},
		"status-stopped":         {"dh-etcd", Down, 0, "", sev1},
		"unknown":                {"nosuchunit", Missing, 0, "", sev1},
	},
}

func TestStatusSamples(t *testing.T) {
	for archive, want := range statusSamples {
		manager := runbooks.Monit
		if strings.HasPrefix(archive, "system") {
			manager = runbooks.Systemd
		}
		for name, s := range answertest.Read(t, archive) {
			w, known := want[name]
			if reads := strings.Contains(s.Cmd+" ", " status ") || strings.Contains(s.Cmd, " show "); reads != known {
				t.Errorf("%s/%s: is a status read: %v, is in the table: %v", archive, name, reads, known)
				continue
			}
			if !known {
				continue
			}
			o := Observe(manager, w.service, s.Result)
			if o.PID > 0 {
				o.Alive = AliveProved
			}
			f := Assess(o, Expect{Up: true, Level: runbooks.Critical})
			got := observed{w.service, o.State, o.PID, o.Pending, f.Severity.String()}
			if diff := cmp.Diff(w, got, cmp.AllowUnexported(observed{})); diff != "" {
				t.Errorf("%s/%s (-want +got):\n%s", archive, name, diff)
			}
			if o.Line == "" || f.Headline == "" || f.Text == "" || !f.Evidence.At.Equal(answertest.Noon) {
				t.Errorf("%s/%s: a finding without evidence: %+v", archive, name, f)
			}
			if (o.State == Unseen) != (o.Why != "") {
				t.Errorf("%s/%s: state %v, why %q", archive, name, o.State, o.Why)
			}
			roundTrip(t, o)
		}
	}
}

func roundTrip(t *testing.T, o Observation) {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back Observation
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	if diff := cmp.Diff(o, back); diff != "" {
		t.Errorf("JSON loses something (-want +got):\n%s", diff)
	}
}

func TestMonitWords(t *testing.T) {
	for _, tt := range []struct {
		status, monitoring, pid string
		state                   State
		pending                 string
	}{
		{"OK", "Monitored", "7", Up, ""},
		{"Running", "Monitored", "7", Up, ""},
		{"Accessible", "Monitored", "7", Up, ""},
		{"Online with all services", "Monitored", "7", Up, ""},
		{"Status ok", "Monitored", "7", Up, ""},
		{"UP", "Monitored", "7", Up, ""},
		{"Running - restart pending", "Monitored", "7", Up, "restart"},
		{"OK - stop pending", "Monitored", "7", Up, "stop"},
		{"Not monitored - start pending", "Not monitored", "", NotMonitored, "start"},
		{"Connection failed - restart pending", "Monitored", "7", Trouble, "restart"},
		{"Connection failed | Resource limit matched", "Monitored", "7", Trouble, ""},
		{"Execution failed", "Monitored", "7", Trouble, ""},
		{"Execution failed", "Monitored", "", Failed, ""},
		{"Does not exist", "Monitored", "", Recovering, ""},
		{"Does not exist", "Monitored", "7", Recovering, ""},
		{"Initializing", "Initializing", "", Starting, ""},
		// Never up if a part is missing.
		{"OK", "Monitored", "", Unseen, ""},
		{"OK", "Monitored", "0", Unseen, ""},
		{"OK", "Monitored", "-7", Unseen, ""},
		{"OK", "Not monitored", "7", NotMonitored, ""},
		{"OK | Mumbling", "Monitored", "7", Unseen, ""},
		{"Okay", "Monitored", "7", Unseen, ""},
		{"OK - reboot pending", "Monitored", "7", Unseen, ""},
		{"OK-restart pending", "Monitored", "7", Unseen, ""},
	} {
		o := Observe(runbooks.Monit, "db_dis", answertest.Of(answertest.Block("db_dis", tt.status, tt.monitoring, tt.pid, "1m", "now")))
		if o.State != tt.state || o.Pending != tt.pending {
			t.Errorf("status %q, %s, pid %q: %v, pending %q; want %v, pending %q", tt.status, tt.monitoring, tt.pid, o.State, o.Pending, tt.state, tt.pending)
		}
	}
}

func TestMonitReadsOnlyTheNamedBlock(t *testing.T) {
	ok := answertest.Block("db_dis", "OK", "Monitored", "7", "1m", "now")
	for _, tt := range []struct {
		name, out string
		want      State
	}{
		{"noise before", "NOTICE: maintenance\n  status                       Failed\n" + ok, Up},
		{"noise after", ok + "7304 db_dis DataImportServer\n  status                       Failed\n", Up},
		{"another block first", answertest.Block("db_dis2", "Not monitored", "Not monitored", "", "", "x") + ok, Up},
		{"only a longer name", answertest.Block("db_dis2", "OK", "Monitored", "7", "1m", "x"), Unseen},
		{"only another case", answertest.Block("DB_DIS", "OK", "Monitored", "7", "1m", "x"), Unseen},
		{"a program of the same name", strings.Replace(ok, "Process '", "Program '", 1), Unseen},
		{"the same name twice", ok + ok, Unseen},
		{"no status", "Process 'db_dis'\n  pid                          7\n", Unseen},
		{"cut off in the middle", ok[:60], Unseen},
		{"nothing", "", Unseen},
		{"indented by a terminal", strings.ReplaceAll(ok, "\n", "\r\n"), Up},
	} {
		if o := Observe(runbooks.Monit, "db_dis", answertest.Of(tt.out)); o.State != tt.want {
			t.Errorf("%s: %v (%s), want %v", tt.name, o.State, o.Why, tt.want)
		}
	}
}

func TestSystemdWords(t *testing.T) {
	status := func(active, pid string) string {
		return "● dh-etcd.service - etcd\n     Loaded: loaded (/etc/x; enabled)\n     Active: " + active +
			"\n   Main PID: " + pid + "\n\nNov 21 02:27:30 infra etcd[7]:      Active: active (running)\n"
	}
	for _, tt := range []struct {
		active, pid string
		want        State
		wantPID     int
	}{
		{"active (running) since Sat 2026-11-21 02:27:24 UTC; 52s ago", "7 (etcd)", Up, 7},
		{"reloading (reload) since Sat 2026-11-21 02:27:24 UTC; 52s ago", "7 (etcd)", Up, 7},
		{"active (exited) since Sat 2026-11-21 02:27:24 UTC; 52s ago", "7 (code=exited, status=0/SUCCESS)", Down, 0},
		{"active (mumbling)", "7 (etcd)", Unseen, 0},
		{"activating (start) since x; 1s ago", "7 (etcd)", Starting, 0},
		{"activating (auto-restart) (Result: exit-code) since x; 1s ago", "7 (code=exited)", Recovering, 0},
		{"deactivating (stop-sigterm) since x; 1s ago", "7 (etcd)", Stopping, 0},
		{"failed (Result: exit-code) since x; 1s ago", "7 (code=exited)", Failed, 0},
		{"inactive (dead)", "7 (code=killed, signal=TERM)", Down, 0},
		{"Active (Running)", "7 (etcd)", Unseen, 0},
	} {
		o := Observe(runbooks.Systemd, "dh-etcd", answertest.Of(status(tt.active, tt.pid)))
		if o.State != tt.want || o.PID != tt.wantPID {
			t.Errorf("%q: %v, pid %d; want %v, pid %d", tt.active, o.State, o.PID, tt.want, tt.wantPID)
		}
	}
	other := strings.Replace(status("active (running)", "7 (etcd)"), "dh-etcd.service", "dh-etcd2.service", 1)
	if o := Observe(runbooks.Systemd, "dh-etcd", answertest.Of(other)); o.State != Unseen {
		t.Errorf("another unit's answer: %v, want %v", o.State, Unseen)
	}
}

// If the supervisor could not be queried, the state is unknown, whatever the
// output.
func TestNotAnsweredIsUnseen(t *testing.T) {
	for outcome := remote.NoOutcome; outcome <= remote.FateUnknown; outcome++ {
		if outcome == remote.Answered {
			continue
		}
		r := answertest.Of(answertest.Block("db_dis", "OK", "Monitored", "7", "1m", "now"))
		r.Outcome, r.Detail = outcome, "no route to host"
		o := Observe(runbooks.Monit, "db_dis", r)
		f := Assess(o, Expect{Up: true, Level: runbooks.Moderate})
		if o.Known() || f.Severity != runbooks.Unknown || f.WorstCase != runbooks.Moderate {
			t.Errorf("%v: %v, %v, might be %v", outcome, o.State, f.Severity, f.WorstCase)
		}
		if !strings.Contains(f.Text, outcome.String()) || !strings.Contains(f.Text, "no route to host") {
			t.Errorf("%v: text %q names no reason", outcome, f.Text)
		}
	}
	if o := Observe("upstart", "db_dis", answertest.Of("")); o.Known() || !strings.Contains(o.Why, "upstart") {
		t.Errorf("an unknown manager: %+v", o)
	}
}

func TestSummarySamples(t *testing.T) {
	samples := answertest.Read(t, "monit")
	for _, tt := range []struct {
		sample, service string
		state           State
		pending         bool
	}{
		{"summary-ok", "db_dis", Up, false},
		{"summary-ok-pty", "db_dis", Up, false},
		{"summary-ok-pty-batch", "db_dis", Up, false},
		{"summary-regex", "db_ltds", Up, false},
		{"status-regex-alt", "tailer1", Up, false},
		{"summary-stopped", "db_ltds", NotMonitored, false},
		{"summary-crashloop-end", "tailer1", NotMonitored, false},
		{"summary-connection-failed", "web_api_service", Trouble, false},
		{"summary-resource-limit", "db_tdcp", Trouble, false},
		{"summary-execution-failed", "db_ltds", Failed, false},
		{"summary-restart-pending", "db_ltds", Up, true},
		{"summary-restart-pending", "db_dis", Starting, true},
		{"stop-all-summary-0s", "tailer1", Up, true},
		{"start-all-verify", "tailer1", Up, false},
	} {
		var found bool
		for _, row := range ParseSummary(samples[tt.sample].Result.Stdout.String()) {
			if row.Name != tt.service {
				continue
			}
			found = true
			if row.State != tt.state || row.Pending != tt.pending || row.Type != "Process" {
				t.Errorf("%s: %+v, want %v, pending %v", tt.sample, row, tt.state, tt.pending)
			}
		}
		if !found {
			t.Errorf("%s: no row of %s", tt.sample, tt.service)
		}
	}
	old := ParseSummary("The Monit daemon 5.6 uptime: 3d 2h 1m\n\nProcess 'db_dis'                    Running\nSystem 'infra'                      Running\n")
	if len(old) != 2 || old[0].Name != "db_dis" || old[0].State != Up || old[1].Type != "System" {
		t.Errorf("the form of older monit: %+v", old)
	}
	cut := ParseSummary(" db_dis                           Not monitored - start p...  Process       \n")
	if len(cut) != 1 || cut[0].State != NotMonitored || !cut[0].Pending {
		t.Errorf("a cut status: %+v", cut)
	}
	if rows := ParseSummary("Monit: the monit daemon is not running\nNOTICE: Process x\n"); rows != nil {
		t.Errorf("noise has rows: %+v", rows)
	}
}

// Garbage never means up: neither the exact words in the wrong place, nor any
// other bytes.
func FuzzObserve(f *testing.F) {
	for _, archive := range []string{"monit", "systemd"} {
		for _, s := range answertest.Read(f, archive) {
			f.Add(s.Result.Stdout.Bytes(), s.Result.Exit)
		}
	}
	f.Fuzz(func(t *testing.T, out []byte, exit int) {
		r := remote.Result{Outcome: remote.Answered, Exit: exit, Stdout: remote.Output{Head: out, Total: int64(len(out))}}
		text := string(out)
		if o := Observe(runbooks.Monit, "db_dis", r); o.State == Up {
			if exit != 0 || o.PID <= 0 || !strings.Contains(text, "Process") || !strings.Contains(text, "db_dis") {
				t.Errorf("up from %q, exit %d", out, exit)
			}
		}
		if o := Observe(runbooks.Systemd, "dh-etcd", r); o.State == Up {
			if exit != 0 && exit != 3 || !strings.Contains(text, "active") && !strings.Contains(text, "reloading") {
				t.Errorf("up from %q, exit %d", out, exit)
			}
		}
		for _, row := range ParseSummary(text) {
			if row.Name == "" || strings.ContainsAny(row.Name+row.Status, "\n\x1b") {
				t.Errorf("row %+v from %q", row, out)
			}
		}
	})
}
