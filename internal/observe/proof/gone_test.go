package proof

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

// A stop is verified if the earlier pid no longer exists.
func TestGone(t *testing.T) {
	up := seen("OK", "4711", "x")
	failed := answertest.Of("")
	failed.Exit, failed.Stderr = 1, answertest.Output("error: no permission\n")
	long := answertest.Of("  1\n")
	long.Stdout.Total = 1 << 30
	for _, tt := range []struct {
		name   string
		before []byte
		r      remote.Result
		state  State
		text   string
	}{
		{"gone", up, answertest.Of("      1\n    436\n"), Met, "pid 4711 is gone"},
		{"gone, though another pid contains its digits", up, answertest.Of("1\n47110\n"), Met, "pid 4711 is gone"},
		{"still there", up, answertest.Of("      1\n   4711\n"), NotYet, "pid 4711 still runs"},
		{"a noisy login shell", up, answertest.Of("NOTICE 4711\n      1\n"), Met, "gone"},
		{"other users' processes are hidden", up, answertest.Of("   900\n"), Unknown, "hides"},
		{"no output", up, answertest.Of(""), Unknown, "hides"},
		{"refused", up, failed, Unknown, "no permission"},
		{"cut", up, long, Unknown, "too long"},
		{"unreachable", up, remote.Result{Outcome: remote.Unreachable, Detail: "refused"}, Unknown, "refused"},
		{"no pid before", seen("Not monitored", "", "x"), answertest.Of("1\n"), Noted, "the pid before the stop is unknown"},
		{"nothing seen before", nil, answertest.Of("1\n"), Noted, "the pid before the stop is unknown"},
		{"did not run", seen("Execution failed | Does not exist", "", "x"), answertest.Of("1\n"), Met, "not running"},
	} {
		v := Evaluate(waitStep("db_dis", runbooks.Gone), tt.before, tt.r, answertest.Noon)
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.name, v.State, v.Text, tt.state, tt.text)
		}
	}
	step := waitStep("db_dis", runbooks.Gone)
	end := TimedOut(step, up, Evaluate(step, up, answertest.Of("1\n4711\n"), answertest.Noon))
	if end.State != Never || !strings.Contains(end.Text, "still not stopped after 3m0s: pid 4711 still runs") {
		t.Errorf("a stop program that failed: %+v", end)
	}
}

// If the pid is gone, monit's "Not monitored" proves the stop.
func TestStoppedAfterGone(t *testing.T) {
	gone := Evaluate(waitStep("db_dis", runbooks.Gone), seen("OK", "4711", "x"), answertest.Of("1\n"), answertest.Noon)
	unmonitored := answertest.Of(answertest.Block("db_dis", "Not monitored", "Not monitored", "", "", "y"))
	if v := Evaluate(waitStep("db_dis", runbooks.Stopped), gone.Seen, unmonitored, answertest.Noon); v.State != Met {
		t.Errorf("verdict %+v, want that the stop is proved", v)
	}
	if v := Evaluate(waitStep("db_dis", runbooks.Stopped), seen("OK", "4711", "x"), unmonitored, answertest.Noon); v.State != Noted {
		t.Errorf("without the proof: %+v", v)
	}
	pending := answertest.Of(answertest.Block("db_dis", "OK - stop pending", "Monitored", "4711", "", "y"))
	if v := Evaluate(waitStep("db_dis", runbooks.Stopped), gone.Seen, pending, answertest.Noon); v.State != NotYet {
		t.Errorf("pending: %+v", v)
	}
}

// A process that was already running when it was to be started does not log RUNNING again.
func TestReadyOfARunningProcess(t *testing.T) {
	up := answertest.Of(answertest.Block("db_dis", "OK", "Monitored", "4711", "", "y"))
	up.Ended = answertest.Noon.Add(time.Minute)
	running := Evaluate(waitStep("db_dis", runbooks.Running), seen("OK", "4711", "x"), up, answertest.Noon)
	if running.State != Met || !strings.Contains(running.Text, "was running already") {
		t.Fatalf("verdict %+v, want that the process was running already", running)
	}
	if v := Evaluate(waitStep("db_dis", runbooks.Ready), running.Seen, answertest.Of(""), answertest.Noon); v.State != Met || !strings.Contains(v.Text, "running before") {
		t.Errorf("verdict %+v, want that the process was running before", v)
	}
	started := Evaluate(waitStep("db_dis", runbooks.Running), seen("Not monitored", "", "x"), up, answertest.Noon)
	if v := Evaluate(waitStep("db_dis", runbooks.Ready), started.Seen, answertest.Of(""), answertest.Noon); v.State != NotYet {
		t.Errorf("started now: %+v", v)
	}
}

// The log of db_merge_server has one of two names, so tail fails for the other name.
func TestReadyWithOneOfTwoNames(t *testing.T) {
	r := answertest.Of("==> /var/log/deephaven/merge_server/RemoteQueryDispatcher.log.current <==\n" +
		"[2026-11-21T12:00:03.000000+0000] - INFO - db_merge_server RUNNING\n")
	r.Exit, r.Stderr = 1, answertest.Output("tail: cannot open '/var/log/deephaven/merge_server/db_merge_server.log.current' for reading: No such file or directory\n")
	if v := Evaluate(waitStep("db_merge_server", runbooks.Ready), seen("OK", "7", "x"), r, answertest.Noon); v.State != Met || !strings.Contains(v.Text, "ready: RUNNING") {
		t.Errorf("verdict %+v, want ready", v)
	}
	r.Stdout = answertest.Output("")
	if v := Evaluate(waitStep("db_merge_server", runbooks.Ready), seen("OK", "7", "x"), r, answertest.Noon); v.State != NotYet || !strings.Contains(v.Text, "cannot open") {
		t.Errorf("neither: %+v", v)
	}
}
