package proof

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

var readyStep = runbooks.Step{Kind: runbooks.Wait, Manager: runbooks.Monit, Service: "db_dis", Until: runbooks.Ready, Within: runbooks.Duration(time.Minute)}

// The third of the cases in which an unsuccessful restart looks like a success (see TestTimelines):
// monit says OK, but the application is not ready yet (recorded: restart-slow-app).
func TestReady(t *testing.T) {
	const started = "[2026-11-21T02:39:55.341979+0000] - INFO - db_dis INITIALIZING (pid 1177)\n"
	const loaded = "[2026-11-21T02:39:55.342003+0000] - INFO - ConfigurationLogger - loaded root file iris-db_dis.prop from Configuration Server\n"
	const running = "[2026-11-21T02:40:15.342451+0000] - INFO - db_dis RUNNING\n"
	const oldLife = "[2026-11-21T02:20:00.000000+0000] - INFO - db_dis RUNNING\n"
	for _, tt := range []struct {
		name, out, since string
		state            State
		text             string
	}{
		{"not yet", started + loaded, "02:39:53", NotYet, "is INITIALIZING"},
		{"running", started + loaded + running, "02:39:53", Met, "ready: RUNNING in its log, no errors since"},
		{"RUNNING of the previous process", oldLife, "02:39:53", NotYet, "no RUNNING since the start"},
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
		v := Evaluate(readyStep, nil, answertest.Of(tt.out), answertest.At(tt.since))
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.name, v.State, v.Text, tt.state, tt.text)
		}
		if end := TimedOut(readyStep, nil, v); tt.state != Met && (end.State != Noted || !strings.HasPrefix(end.Text, "up, but not ready within 1m0s: ")) {
			t.Errorf("%s: gave up: %s: %q", tt.name, end.State, end.Text)
		}
	}
}

// A restart does not fail only because the log cannot be read.
func TestReadyUnreadable(t *testing.T) {
	logs := answertest.Read(t, "logs")
	for name, want := range map[string]string{"cat-denied": "Permission denied", "cat-missing": "No such file"} {
		v := Evaluate(readyStep, nil, logs[name].Result, answertest.Noon)
		end := TimedOut(readyStep, nil, v)
		if v.State != NotYet || end.State != Noted || !strings.Contains(end.Text, want) {
			t.Errorf("%s: %s, then %s: %q", name, v.State, end.State, end.Text)
		}
	}
	v := Evaluate(readyStep, nil, remote.Result{Outcome: remote.TimedOut}, answertest.Noon)
	if end := TimedOut(readyStep, nil, v); v.State != Unknown || end.State != Noted || !strings.Contains(end.Text, "timed out") {
		t.Errorf("timed out: %s, then %s: %q", v.State, end.State, end.Text)
	}
}
