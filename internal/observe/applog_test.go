package observe

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/runbooks"
)

var readyStep = runbooks.Step{Kind: runbooks.Wait, Manager: runbooks.Monit, Service: "db_dis", Until: runbooks.Ready, Within: runbooks.Duration(time.Minute)}

func at(hms string) time.Time {
	t, err := time.Parse(time.DateTime, "2026-11-21 "+hms)
	if err != nil {
		panic(err)
	}
	return t
}

// The third false success: monit says OK, and the application is not there
// yet (recorded: restart-slow-app).
func TestReady(t *testing.T) {
	const started = "[2026-11-21T02:39:55.341979+0000] - INFO - db_dis INITIALIZING (pid 1177)\n"
	const loaded = "[2026-11-21T02:39:55.342003+0000] - INFO - ConfigurationLogger - loaded root file iris-db_dis.prop from Configuration Server\n"
	const running = "[2026-11-21T02:40:15.342451+0000] - INFO - db_dis RUNNING\n"
	const oldLife = "[2026-11-21T02:20:00.000000+0000] - INFO - db_dis RUNNING\n"
	for _, tt := range []struct {
		name, out, since string
		state            Proof
		text             string
	}{
		{"not yet", started + loaded, "02:39:53", NotYet, "INITIALIZING last"},
		{"running", started + loaded + running, "02:39:53", Met, "ready: RUNNING in its log, no errors since"},
		{"the running of the life before", oldLife, "02:39:53", NotYet, "no RUNNING since"},
		{"stopping last", oldLife + "[2026-11-21T02:39:54.0+0000] - INFO - db_dis SHUTTING_DOWN\n", "02:39:53", NotYet, "SHUTTING_DOWN"},
		{"down again", started + running + "[2026-11-21T02:40:16.0+0000] - FATAL - db_dis out of memory\n[2026-11-21T02:40:17.0+0000] - INFO - db_dis SHUTTING_DOWN\n", "02:39:53", NotYet, "1 fatal error"},
		{"a heartbeat is no start", "[2026-11-21T02:39:54.0+0000] - INFO - db_dis ALIVE - heap\n", "02:39:53", NotYet, "no RUNNING"},
		{"running and alive", started + running + "[2026-11-21T02:41:15.0+0000] - INFO - db_dis ALIVE - heap\n", "02:39:53", Met, "ready"},
		{"the host's clock is 4 s behind", running, "02:40:19", Met, "ready"},
		{"the host's clock is 6 s behind", running, "02:40:22", NotYet, "no RUNNING"},
		{"another zone", "[2026-11-20T21:40:15.342451-0500] - INFO - db_dis RUNNING\n", "02:39:53", Met, "ready"},
		{"another zone, long ago", "[2026-11-21T02:40:15.342451+0300] - INFO - db_dis RUNNING\n", "02:39:53", NotYet, "no RUNNING"},
		{"no zone", "[2026-11-21T02:40:15.342451] - INFO - db_dis RUNNING\n", "02:39:53", NotYet, "no zone"},
		{"errors since", started + "[2026-11-21T02:40:00.0+0000] - ERROR - x - y\n" + running, "02:39:53", Met, "1 error since"},
		{"the word in a message", "[2026-11-21T02:40:00.0+0000] - INFO - worker 3 is RUNNING\n", "02:39:53", NotYet, "no RUNNING"},
		{"the word quoted by a message", "[2026-11-21T02:40:00.0+0000] - INFO - got 'x\n db_dis RUNNING'\n", "02:39:53", NotYet, "no RUNNING"},
		{"empty", "", "02:39:53", NotYet, "no readable line"},
	} {
		v := Evaluate(readyStep, nil, answer(tt.out), at(tt.since))
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.name, v.State, v.Text, tt.state, tt.text)
		}
		if end := TimedOut(readyStep, nil, v); tt.state != Met && (end.State != Noted || !strings.HasPrefix(end.Text, "up, but not ready within 1m0s: ")) {
			t.Errorf("%s: gave up: %s: %q", tt.name, end.State, end.Text)
		}
	}
}

// A log that cannot be read is no failed restart.
func TestReadyUnreadable(t *testing.T) {
	logs := readSamples(t, "logs")
	for name, want := range map[string]string{"cat-denied": "Permission denied", "cat-missing": "No such file"} {
		v := Evaluate(readyStep, nil, logs[name].result, noon)
		end := TimedOut(readyStep, nil, v)
		if v.State != NotYet || end.State != Noted || !strings.Contains(end.Text, want) {
			t.Errorf("%s: %s, then %s: %q", name, v.State, end.State, end.Text)
		}
	}
	v := Evaluate(readyStep, nil, remote.Result{Outcome: remote.TimedOut}, noon)
	if end := TimedOut(readyStep, nil, v); v.State != Unknown || end.State != Noted || !strings.Contains(end.Text, "timed out") {
		t.Errorf("timed out: %s, then %s: %q", v.State, end.State, end.Text)
	}
}

func TestReadLogSamples(t *testing.T) {
	logs := readSamples(t, "logs")
	quiet := ReadLog(logs["tail-applog"].result.Stdout.String(), time.Time{})
	if quiet.Errors != 0 || quiet.Word != "RUNNING" || !quiet.At.Equal(at("02:38:46").Add(956532*time.Microsecond)) ||
		!quiet.Last.Equal(at("02:39:17").Add(20145*time.Microsecond)) {
		t.Errorf("tail-applog: %+v", quiet)
	}
	noisy := logs["tail-errors"].result.Stdout.String()
	all := ReadLog(noisy, time.Time{})
	if all.Errors != strings.Count(noisy, " - ERROR - ") || all.Errors == 0 || !strings.Contains(all.FirstError, "Connection reset by peer") {
		t.Errorf("tail-errors: %+v", all)
	}
	// The start-up grace is the caller's: errors before it do not count.
	if later := ReadLog(noisy, at("02:39:24")); later.Errors != all.Errors-2 || later.Word != "" {
		t.Errorf("tail-errors since 02:39:24: %+v", later)
	}
}

func FuzzReadLog(f *testing.F) {
	for _, s := range readSamples(f, "logs") {
		f.Add(s.result.Stdout.String())
	}
	f.Fuzz(func(t *testing.T, out string) {
		since := at("02:39:00")
		log := ReadLog(out, since)
		if log.Word != "" && (log.At.Before(since) || !strings.Contains(out, log.Word[:1])) {
			t.Errorf("%+v from %q", log, out)
		}
		if proof, _ := readiness(log); proof == Met && !strings.Contains(out, "] - ") {
			t.Errorf("ready from %q", out)
		}
	})
}

// Deephaven's levels above ERROR count as errors, and a stack trace counts
// once, on whatever level its lines come.
func TestLogLevelsAndTraces(t *testing.T) {
	line := func(level, message string) string {
		return "[2026-11-28T11:59:03.123456-0500] - " + level + " - " + message + "\n"
	}
	for _, tt := range []struct {
		name           string
		out            string
		errors, fatals int
	}{
		{"field: STDERR and EMAIL", line("STDERR", "java.lang.OutOfMemoryError: Java heap space") + line("EMAIL", "x"), 2, 0},
		{"all levels", line("FATAL", "x") + line("EMAIL", "x") + line("STDERR", "x") + line("ERROR", "x") + line("WARN", "x") + line("STDOUT", "x") + line("INFO", "x") + line("DEBUG", "x"), 3, 1},
		{"a trace of bare lines", line("ERROR", "cannot connect") + "java.net.ConnectException: refused\n\tat java.net.Socket.connect(Socket.java:1)\nCaused by: x\n\t... 12 more\n", 1, 0},
		{"a trace on STDERR", line("STDERR", "java.lang.OutOfMemoryError") + line("STDERR", "\tat com.illumon.A.b(A.java:1)") + line("STDERR", "\tat com.illumon.C.d(C.java:2)") + line("STDERR", "Caused by: java.io.IOException") + line("STDERR", "\t... 12 more"), 1, 0},
		{"two traces on STDERR", line("STDERR", "java.lang.OutOfMemoryError") + line("STDERR", "\tat x.A.b(A.java:1)") + line("INFO", "between") + line("STDERR", "java.lang.Error") + line("STDERR", "\tat x.A.b(A.java:1)"), 2, 0},
		{"the end of a trace alone", line("STDERR", "\tat x.A.b(A.java:1)") + line("STDERR", "\tat x.A.c(A.java:2)"), 1, 0},
		{"the word in another line", line("INFO", "ERROR and EMAIL are words"), 0, 0},
	} {
		if log := ReadLog(tt.out, time.Time{}); log.Errors != tt.errors || log.Fatals != tt.fatals {
			t.Errorf("%s: %d errors, %d fatal; want %d, %d", tt.name, log.Errors, log.Fatals, tt.errors, tt.fatals)
		}
	}
}
