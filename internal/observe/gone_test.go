package observe

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// A stop is proved by the pid that was there before and no longer is.
func TestGone(t *testing.T) {
	up := seen("OK", "4711", "x")
	failed := answer("")
	failed.Exit, failed.Stderr = 1, output("error: no permission\n")
	long := answer("  1\n")
	long.Stdout.Total = 1 << 30
	for _, tt := range []struct {
		name   string
		before []byte
		r      remote.Result
		state  Proof
		text   string
	}{
		{"gone", up, answer("      1\n    436\n"), Met, "pid 4711 is gone"},
		{"gone, though another pid holds its digits", up, answer("1\n47110\n"), Met, "pid 4711 is gone"},
		{"still there", up, answer("      1\n   4711\n"), NotYet, "pid 4711 still runs"},
		{"a noisy login shell", up, answer("NOTICE 4711\n      1\n"), Met, "gone"},
		{"other users' processes are hidden", up, answer("   900\n"), Unknown, "hides"},
		{"nothing at all", up, answer(""), Unknown, "hides"},
		{"refused", up, failed, Unknown, "no permission"},
		{"cut", up, long, Unknown, "too long"},
		{"unreachable", up, remote.Result{Outcome: remote.Unreachable, Detail: "refused"}, Unknown, "refused"},
		{"no pid before", seen("Not monitored", "", "x"), answer("1\n"), Noted, "the pid before the stop is unknown"},
		{"nothing seen before", nil, answer("1\n"), Noted, "the pid before the stop is unknown"},
		{"did not run", seen("Execution failed | Does not exist", "", "x"), answer("1\n"), Met, "not running"},
	} {
		v := Evaluate(waitStep("db_dis", runbooks.Gone), tt.before, tt.r, noon)
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.name, v.State, v.Text, tt.state, tt.text)
		}
	}
	step := waitStep("db_dis", runbooks.Gone)
	end := TimedOut(step, up, Evaluate(step, up, answer("1\n4711\n"), noon))
	if end.State != Never || !strings.Contains(end.Text, "still not stopped after 3m0s: pid 4711 still runs") {
		t.Errorf("a stop program that failed: %+v", end)
	}
}

// With the pid gone, monit's "Not monitored" is the rest of the proof.
func TestStoppedAfterGone(t *testing.T) {
	gone := Evaluate(waitStep("db_dis", runbooks.Gone), seen("OK", "4711", "x"), answer("1\n"), noon)
	unmonitored := answer(block("db_dis", "Not monitored", "Not monitored", "", "", "y"))
	if v := Evaluate(waitStep("db_dis", runbooks.Stopped), gone.Seen, unmonitored, noon); v.State != Met {
		t.Errorf("%+v", v)
	}
	if v := Evaluate(waitStep("db_dis", runbooks.Stopped), seen("OK", "4711", "x"), unmonitored, noon); v.State != Noted {
		t.Errorf("without the proof: %+v", v)
	}
	pending := answer(block("db_dis", "OK - stop pending", "Monitored", "4711", "", "y"))
	if v := Evaluate(waitStep("db_dis", runbooks.Stopped), gone.Seen, pending, noon); v.State != NotYet {
		t.Errorf("pending: %+v", v)
	}
}

// A process that was up before its start writes no new RUNNING.
func TestReadyOfARunningProcess(t *testing.T) {
	up := answer(block("db_dis", "OK", "Monitored", "4711", "", "y"))
	up.Ended = noon.Add(time.Minute)
	running := Evaluate(waitStep("db_dis", runbooks.Running), seen("OK", "4711", "x"), up, noon)
	if running.State != Met || !strings.Contains(running.Text, "was running already") {
		t.Fatalf("%+v", running)
	}
	if v := Evaluate(waitStep("db_dis", runbooks.Ready), running.Seen, answer(""), noon); v.State != Met || !strings.Contains(v.Text, "running before") {
		t.Errorf("%+v", v)
	}
	started := Evaluate(waitStep("db_dis", runbooks.Running), seen("Not monitored", "", "x"), up, noon)
	if v := Evaluate(waitStep("db_dis", runbooks.Ready), started.Seen, answer(""), noon); v.State != NotYet {
		t.Errorf("started now: %+v", v)
	}
}

// db_merge_server's log has one of two names: tail fails for the other.
func TestReadyWithOneOfTwoNames(t *testing.T) {
	r := answer("==> /var/log/deephaven/merge_server/RemoteQueryDispatcher.log.current <==\n" +
		"[2026-11-21T12:00:03.000000+0000] - INFO - db_merge_server RUNNING\n")
	r.Exit, r.Stderr = 1, output("tail: cannot open '/var/log/deephaven/merge_server/db_merge_server.log.current' for reading: No such file or directory\n")
	if v := Evaluate(waitStep("db_merge_server", runbooks.Ready), seen("OK", "7", "x"), r, noon); v.State != Met || !strings.Contains(v.Text, "ready: RUNNING") {
		t.Errorf("%+v", v)
	}
	r.Stdout = output("")
	if v := Evaluate(waitStep("db_merge_server", runbooks.Ready), seen("OK", "7", "x"), r, noon); v.State != NotYet || !strings.Contains(v.Text, "cannot open") {
		t.Errorf("neither: %+v", v)
	}
}
