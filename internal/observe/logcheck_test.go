package observe

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

// logAt returns a log. lines has pairs: the age of a line in minutes before noon, as a float64, and
// the rest of the line, which begins with the level.
func logAt(lines ...any) string {
	var b strings.Builder
	for i := 0; i < len(lines); i += 2 {
		at := answertest.Noon.Add(-time.Duration(lines[i].(float64) * float64(time.Minute)))
		fmt.Fprintf(&b, "[%s] - %s\n", at.UTC().Format("2006-01-02T15:04:05.000000-0700"), lines[i+1])
	}
	return b.String()
}

// The log shows what a supervisor cannot: the rows of the incident key about errors and
// about a missing configuration.
func TestWithLog(t *testing.T) {
	up := Expect{Up: true, Level: runbooks.Critical}
	scheduled := Expect{Level: runbooks.Critical}
	const unknown, none, one, two, three = runbooks.Unknown, runbooks.None, runbooks.Critical, runbooks.Moderate, runbooks.Low
	const alive = "INFO - db_dis ALIVE"
	for _, tt := range []struct {
		name        string
		status, pid string
		uptime      string
		e           Expect
		log         string
		before      float64 // minutes ago: the last line at an earlier check; 0 for none
		want        runbooks.Severity
		headline    string
		text        string
	}{
		{"0 no errors", "OK", "7", "3h 2m", up, logAt(10.0, alive, 0.5, alive), 0, none, "Running", "No errors in its log from "},
		{"3 errors", "OK", "7", "3h 2m", up, logAt(14.0, "INFO - x", 3.0, "ERROR - disk is full", 2.0, "ERROR - again", 0.5, alive), 0, three, "Running with errors in its log", "2 errors in its log from "},
		{"3 the first is the evidence", "OK", "7", "3h 2m", up, logAt(3.0, "ERROR - disk is full", 2.0, "FATAL - ends"), 0, three, "Running with errors in its log", "disk is full"},
		{"0 errors of yesterday", "OK", "7", "3h 2m", up, logAt(16.0, "ERROR - disk is full", 0.5, alive), 0, none, "Running", "No errors"},
		{"0 errors while it started", "OK", "7", "4m", up, logAt(3.5, "ERROR - not authenticated", 0.5, alive), 0, none, "Running", "No errors"},
		{"3 errors after it had started", "OK", "7", "4m", up, logAt(3.5, "ERROR - not authenticated", 1.0, "ERROR - still not"), 0, three, "Running with errors in its log", "still not"},
		{"3 trouble and errors", "Resource limit matched", "7", "3h 2m", up, logAt(1.0, "ERROR - slow"), 0, three, "Running with trouble", "1 error in its log"},
		{"2 stays 2 with errors", "OK", "7", "3h 2m", scheduled, logAt(1.0, "ERROR - slow"), 0, two, "Up when it should be down", "1 error"},
		{"2 runs without supervision", "Not monitored", "", "", up, logAt(9.0, alive, 0.5, alive), 9, two, "Running without supervision", "so it runs"},
		{"2 runs when it should be down", "Not monitored", "", "", scheduled, logAt(0.5, alive), 1, two, "Up when it should be down", "so it runs"},
		{"not monitored, first check", "Not monitored", "", "", up, logAt(9.0, alive, 0.5, alive), 0, unknown, "Not monitored", "check again in a minute"},
		{"not monitored, and its log has not grown", "Not monitored", "", "", up, logAt(9.0, alive, 1.5, alive), 1.5, unknown, "Not monitored", "check again in a minute"},
		{"not monitored, and its log has ended", "Not monitored", "", "", up, logAt(9.0, alive, 8.0, "INFO - db_dis SHUTTING_DOWN"), 0, one, "Down when it should be up", "SHUTTING_DOWN"},
		{"not monitored, and just shut down", "Not monitored", "", "", up, logAt(0.5, "INFO - db_dis SHUTTING_DOWN"), 0, one, "Down when it should be up", "SHUTTING_DOWN"},
		{"1 down, with the reason in its log", "Execution failed | Does not exist", "", "", up, logAt(3.0, "FATAL - no memory"), 0, one, "Down when it should be up", "no memory"},
		{"an unreadable log changes nothing", "OK", "7", "3h 2m", up, "not a log\n", 0, none, "Running", "OK"},
		{"in maintenance nothing counts", "OK", "7", "3h 2m", Expect{Up: true, Level: one, Maintenance: true}, logAt(1.0, "ERROR - slow"), 0, none, "Up, in maintenance", "OK"},
	} {
		o := Observe(runbooks.Monit, "db_dis", answertest.Of(answertest.Block("db_dis", tt.status, "Monitored", tt.pid, tt.uptime, "Sat, 21 Nov 2026 02:00:00")))
		if o.PID > 0 {
			o.Alive = AliveProved
		}
		var before time.Time
		if tt.before > 0 {
			before = answertest.Noon.Add(-time.Duration(tt.before * float64(time.Minute)))
		}
		look := ParseLog(tt.log).LookAt(o, answertest.Noon)
		look.Before = before
		f := WithLog(Assess(o, tt.e), o, tt.e, look)
		if f.Severity != tt.want || f.Headline != tt.headline || !strings.Contains(f.Text, tt.text) {
			t.Errorf("%s: %v, %q: %q", tt.name, f.Severity, f.Headline, f.Text)
		}
		if f.Severity == three && tt.status == "OK" && !strings.Contains(f.Evidence.Line, "ERROR") {
			t.Errorf("%s: the evidence is %q", tt.name, f.Evidence.Line)
		}
	}
}

// A running process whose supervisor has lost its configuration is level 2 of the key, whether or
// not it should be up.
func TestConfigurationMissing(t *testing.T) {
	shown := func(load, active, sub, pid string) remote.Result {
		return answertest.Of("LoadState=" + load + "\nActiveState=" + active + "\nSubState=" + sub + "\nMainPID=" + pid + "\n")
	}
	up := Expect{Up: true, Level: runbooks.Critical}
	for _, tt := range []struct {
		name     string
		r        remote.Result
		e        Expect
		want     runbooks.Severity
		headline string
	}{
		{"running, unit file gone", shown("not-found", "active", "running", "7"), up, runbooks.Moderate, "Up with its configuration missing"},
		{"running, unit file gone, not needed", shown("not-found", "active", "running", "7"), Expect{Up: true, Optional: true, Level: runbooks.Critical}, runbooks.Moderate, "Up with its configuration missing"},
		{"running when it should be down", shown("not-found", "active", "running", "7"), Expect{Level: runbooks.Critical}, runbooks.Moderate, "Up when it should be down"},
		{"not running, no unit", shown("not-found", "inactive", "dead", "0"), up, runbooks.Critical, "Not known to systemd"},
		{"not running, no unit, not needed", shown("not-found", "inactive", "dead", "0"), Expect{Up: true, Optional: true, Level: runbooks.Critical}, runbooks.None, "Down (optional)"},
		{"not running, no unit, scheduled", shown("not-found", "inactive", "dead", "0"), Expect{Level: runbooks.Critical}, runbooks.None, "Down as scheduled"},
		{"running", shown("loaded", "active", "running", "7"), up, runbooks.None, "Running"},
	} {
		f := Assess(Observe(runbooks.Systemd, "dh-etcd", tt.r), tt.e)
		if f.Severity != tt.want || f.Headline != tt.headline {
			t.Errorf("%s: %v, %q: %q", tt.name, f.Severity, f.Headline, f.Text)
		}
	}
	missing := remote.Result{Outcome: remote.Answered, Exit: 1, Ended: answertest.Noon}
	missing.Stderr = remote.Output{Head: []byte("Service 'web_api_service' not found\n"), Total: 36}
	f := Assess(Observe(runbooks.Monit, "web_api_service", missing), up)
	if f.Severity != runbooks.Critical || f.Headline != "Not known to monit" || !strings.Contains(f.Text, ".disabled") {
		t.Errorf("%v, %q: %q", f.Severity, f.Headline, f.Text)
	}
}
