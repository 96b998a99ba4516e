package proof

import (
	"bufio"
	"bytes"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhbot/internal/observe"
	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

// look is what monit reported at one time.
type look struct {
	at     time.Duration
	answer remote.Result
}

var lookLine = regexp.MustCompile(`^ *(\d+) ms  (?:before +)?status=\[([^]]*)\] monitoring=\[([^]]*)\] monit_pid=\[([^]]*)\] uptime=\[([^]]*)\] data=\[([^]]*)\]`)

// timeline reads a file of testdata/timelines, which was recorded on a real host, second by second.
// It returns the name of the service, the state before the command, and the states after it.
func timeline(t *testing.T, name string) (service string, before look, after []look) {
	t.Helper()
	data, err := os.ReadFile("testdata/timelines/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	service = "db_dis"
	var looks []look
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		line := lines.Text()
		if fields := strings.Fields(line); len(looks) == 0 && strings.HasPrefix(line, "# infra ") {
			service = fields[2]
		}
		m := lookLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		ms, _ := strconv.Atoi(m[1])
		l := look{at: time.Duration(ms) * time.Millisecond}
		l.answer = answertest.Of(answertest.Block(service, m[2], m[3], m[4], m[5], m[6]))
		l.answer.Ended = answertest.Noon.Add(l.at)
		looks = append(looks, l)
	}
	if len(looks) < 2 {
		t.Fatalf("%s: %d looks", name, len(looks))
	}
	return service, looks[0], looks[1:]
}

// within is the time limit of a restart in the runbooks.
const within = 3 * time.Minute

func waitStep(service string, until runbooks.Condition) runbooks.Step {
	return runbooks.Step{Kind: runbooks.Wait, Manager: runbooks.Monit, Service: service, Until: until, Within: runbooks.Duration(within)}
}

// replay evaluates a recorded timeline as the engine would, with a read every 2 s. It times out
// when the last state has lasted for the whole time of the step.
func replay(step runbooks.Step, before []byte, looks []look) (Verdict, time.Duration) {
	var last Verdict
	for at := time.Duration(0); at <= within; at += 2 * time.Second {
		now := looks[0]
		for _, l := range looks {
			if l.at <= at {
				now = l
			}
		}
		r := now.answer
		r.Ended = answertest.Noon.Add(at)
		last = Evaluate(step, before, r, answertest.Noon)
		if last.State == Met || last.State == Noted || last.State == Never {
			return last, at
		}
	}
	return TimedOut(step, before, last), within
}

// TestTimelines replays every recorded timeline. In three of them a failed or unfinished restart
// looks like a success: restart-unmonitored, restart-stop-fails, and restart-slow-app (see
// TestReady).
func TestTimelines(t *testing.T) {
	for _, tt := range []struct {
		name     string
		until    runbooks.Condition
		state    State
		text     string
		old, new int
		by       time.Duration // the latest time of the verdict
	}{
		{"restart-normal", runbooks.Restarted, Met, "pid 1565 → 4818", 1565, 4818, 2 * time.Second},
		{"restart-slow-stop", runbooks.Restarted, Met, "pid 4818 → 9385", 4818, 9385, 10 * time.Second},
		{"restart-slow-start-program", runbooks.Restarted, Met, "pid 12306 → 19526", 12306, 19526, 18 * time.Second},
		{"restart-queued", runbooks.Restarted, Met, "pid 7304 → 54459", 7304, 54459, 12 * time.Second},
		{"restart-slow-app", runbooks.Restarted, Met, "pid 654 → 1177", 654, 1177, 2 * time.Second},
		{"restart-stop-fails", runbooks.Restarted, Never, "not restarted: same pid 2173 as before; it was probably not stopped", 2173, 2173, 16 * time.Second},
		{"restart-unmonitored", runbooks.Restarted, Never, "probably not restarted: it was not monitored before, so pid 7304 may be the old process", 0, 7304, 2 * time.Second},
		{"restart-unmonitored-2", runbooks.Restarted, Never, "not restarted: monit only resumed its monitoring; pid 596 has been up 1m", 0, 596, 2 * time.Second},
		{"restart-stopped", runbooks.Restarted, Never, "probably not restarted", 0, 18363, 2 * time.Second},
		{"restart-fail-start", runbooks.Restarted, Never, `still not restarted after 3m0s: monit: "Initializing"`, 645, 0, within},
		{"restart-connection-failed", runbooks.Restarted, Never, "still not restarted after 3m0s: pid 55887 → 58693, but its port does not answer", 55887, 58693, within},
		{"crash-loop", runbooks.Restarted, Never, "not up: monit: \"Not monitored\": monit gave up on it after repeated failures", 704, 0, 30 * time.Second},
		{"crash-kill9", runbooks.Restarted, Met, "pid 672 → 2173", 672, 2173, 10 * time.Second},
		{"start", runbooks.Running, Met, "running, pid 7304", 0, 7304, 2 * time.Second},
		{"restart-stopped", runbooks.Running, Met, "running, pid 18363", 0, 18363, 2 * time.Second},
		{"connection-failed", runbooks.Running, Met, "running, pid 55887", 52605, 55887, 2 * time.Second},
		{"stop", runbooks.Stopped, Noted, "monit does not report whether the process has ended", 612, 0, 2 * time.Second},
		{"unmonitor", runbooks.Stopped, Noted, "monit does not report whether the process has ended", 7304, 0, 0},
		{"restart-unmonitored", runbooks.Stopped, Never, `still not stopped after 3m0s: monit: "OK", pid 7304`, 0, 7304, within},
	} {
		service, first, looks := timeline(t, tt.name)
		before := Evaluate(waitStep(service, runbooks.Answers), nil, first.answer, time.Time{})
		if before.State != Met || before.Seen == nil {
			t.Errorf("%s: before: %+v", tt.name, before)
			continue
		}
		v, at := replay(waitStep(service, tt.until), before.Seen, looks)
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) || v.OldPID != tt.old || v.NewPID != tt.new {
			t.Errorf("%s, %s: %s after %s: %q, pid %d → %d; want %s: %q, pid %d → %d",
				tt.name, tt.until, v.State, at, v.Text, v.OldPID, v.NewPID, tt.state, tt.text, tt.old, tt.new)
		}
		if at > tt.by {
			t.Errorf("%s, %s: verdict after %s, want by %s", tt.name, tt.until, at, tt.by)
		}
	}
	files, err := os.ReadDir("testdata/timelines")
	if err != nil || len(files) != 17 {
		t.Errorf("%d timelines (%v), but this table has 17", len(files), err)
	}
}

// A process can be restarted only if monit knows and monitors it.
func TestSupervised(t *testing.T) {
	for _, tt := range []struct {
		status, monitoring, pid string
		state                   State
		text                    string
	}{
		{"OK", "Monitored", "7", Met, "pid 7"},
		{"Connection failed", "Monitored", "7", Met, "pid 7"},
		{"Execution failed | Does not exist", "Monitored", "", Met, "Execution failed"},
		{"Initializing", "Initializing", "", Met, "Initializing"},
		{"OK - restart pending", "Monitored", "7", NotYet, "another request"},
		{"Not monitored", "Not monitored", "", Never, "not restarted: db_dis is not monitored"},
		{"Mumbling", "Monitored", "7", Unknown, "Mumbling"},
	} {
		step := waitStep("db_dis", runbooks.Supervised)
		v := Evaluate(step, nil, answertest.Of(answertest.Block("db_dis", tt.status, tt.monitoring, tt.pid, "", "x")), time.Time{})
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.status, v.State, v.Text, tt.state, tt.text)
		}
		if end := TimedOut(step, nil, v); tt.state != Met && (end.State != Never || tt.state != Never && !strings.Contains(end.Text, "nothing was changed")) {
			t.Errorf("%s: gave up: %s: %q", tt.status, end.State, end.Text)
		}
	}
	missing := remote.Result{Outcome: remote.Answered, Exit: 1, Stderr: answertest.Output("Service 'db_dis' not found\n"), Ended: answertest.Noon}
	if v := Evaluate(waitStep("db_dis", runbooks.Supervised), nil, missing, time.Time{}); v.State != Never || !strings.Contains(v.Text, "not restarted") {
		t.Errorf("not in monit: %+v", v)
	}
	if v := Evaluate(waitStep("db_dis", runbooks.Answers), nil, missing, time.Time{}); v.State != Met {
		t.Errorf("an answer that monit does not know the process must be final: %+v", v)
	}
}

func seen(status, pid, collected string) []byte {
	o := observe.Observe(runbooks.Monit, "db_dis", answertest.Of(answertest.Block("db_dis", status, "Monitored", pid, "", collected)))
	return remember(memory{Observation: o})
}

// TestRestartedNeedsProof tests which observations verify a restart.
func TestRestartedNeedsProof(t *testing.T) {
	late := answertest.Noon.Add(time.Minute)
	for _, tt := range []struct {
		name                   string
		before                 []byte
		status, pid, collected string
		state                  State
		text                   string
	}{
		{"proof", seen("OK", "7", "x"), "OK", "8", "y", Met, "pid 7 → 8"},
		{"from nothing", seen("Execution failed | Does not exist", "", "x"), "OK", "8", "y", Met, "pid none → 8"},
		{"no observation before", nil, "OK", "8", "y", Never, "restart not verified"},
		{"an invalid observation", []byte("{"), "OK", "8", "y", Never, "restart not verified"},
		{"stale data", seen("OK", "7", "x"), "OK", "8", "x", NotYet, "has not checked again"},
		{"same pid", seen("OK", "7", "x"), "OK", "7", "y", Never, "not restarted: same pid 7"},
		{"same pid, stale data", seen("OK", "7", "x"), "OK", "7", "x", NotYet, "same pid 7"},
		{"still pending", seen("OK", "7", "x"), "OK - restart pending", "8", "y", NotYet, "pending"},
		{"start failed", seen("OK", "7", "x"), "Execution failed | Does not exist", "", "y", Never, "start failed"},
		{"just started again", seen("OK", "7", "x"), "Does not exist", "", "y", NotYet, "Does not exist"},
		{"not understood", seen("OK", "7", "x"), "Mumbling", "8", "y", Unknown, "Mumbling"},
		{"resource limit", seen("OK", "7", "x"), "Resource limit matched", "8", "y", Noted, "pid 7 → 8, but"},
	} {
		r := answertest.Of(answertest.Block("db_dis", tt.status, "Monitored", tt.pid, "", tt.collected))
		r.Ended = late
		v := Evaluate(waitStep("db_dis", runbooks.Restarted), tt.before, r, answertest.Noon)
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.name, v.State, v.Text, tt.state, tt.text)
		}
	}
	// In the first seconds, nothing counts as a failure.
	r := answertest.Of(answertest.Block("db_dis", "OK", "Monitored", "7", "", "y"))
	if v := Evaluate(waitStep("db_dis", runbooks.Restarted), seen("OK", "7", "x"), r, answertest.Noon.Add(-time.Second)); v.State != NotYet {
		t.Errorf("same pid after a second: %+v", v)
	}
}

func TestSystemdRestart(t *testing.T) {
	show := func(active, sub, pid, since string) remote.Result {
		r := answertest.Of("MainPID=" + pid + "\nExecMainStartTimestamp=" + since + "\nLoadState=loaded\nActiveState=" + active + "\nSubState=" + sub + "\n")
		r.Ended = answertest.Noon.Add(time.Minute)
		return r
	}
	step := runbooks.Step{Manager: runbooks.Systemd, Service: "dh-etcd", Until: runbooks.Restarted, Within: runbooks.Duration(within)}
	before := remember(memory{Observation: observe.Observe(runbooks.Systemd, "dh-etcd", show("active", "running", "7", "x"))})
	for _, tt := range []struct {
		r     remote.Result
		until runbooks.Condition
		state State
		text  string
	}{
		{show("active", "running", "8", "y"), runbooks.Restarted, Met, "pid 7 → 8"},
		{show("active", "running", "7", "x"), runbooks.Restarted, NotYet, "same pid 7"},
		{show("activating", "auto-restart", "0", "y"), runbooks.Restarted, NotYet, "auto-restart"},
		{show("failed", "failed", "0", "y"), runbooks.Restarted, Never, "start failed"},
		{show("inactive", "dead", "0", "y"), runbooks.Stopped, Met, "stopped"},
		{show("deactivating", "stop-sigterm", "7", "y"), runbooks.Stopped, NotYet, "deactivating"},
	} {
		step.Until = tt.until
		if v := Evaluate(step, before, tt.r, answertest.Noon); v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.until, v.State, v.Text, tt.state, tt.text)
		}
	}
}

// If the target could not be queried, the result is unknown.
func TestGaveUpUnseen(t *testing.T) {
	lost := remote.Result{Outcome: remote.Unreachable, Detail: "connection refused", Ended: answertest.Noon}
	for _, until := range []runbooks.Condition{runbooks.Restarted, runbooks.Running, runbooks.Stopped} {
		step := waitStep("db_dis", until)
		v := Evaluate(step, seen("OK", "7", "x"), lost, answertest.Noon)
		end := TimedOut(step, seen("OK", "7", "x"), v)
		if v.State != Unknown || end.State != Unknown || !strings.Contains(end.Text, "connection refused") {
			t.Errorf("%s: %+v, then %+v", until, v, end)
		}
		if end := TimedOut(step, nil, Verdict{}); end.State != Unknown || !strings.Contains(end.Text, "no answer came") {
			t.Errorf("%s: no answer: %+v", until, end)
		}
	}
}

func TestEvaluateExec(t *testing.T) {
	monit := answertest.Read(t, "monit")
	systemd := answertest.Read(t, "systemd")
	silent := runbooks.Step{Kind: runbooks.Exec, Manager: runbooks.Monit, Check: runbooks.Silent}
	zero := runbooks.Step{Kind: runbooks.Exec, Manager: runbooks.Systemd, Check: runbooks.ExitZero}
	outcome := func(o remote.Outcome) remote.Result { return remote.Result{Outcome: o, Detail: "because"} }
	exit := func(n int) remote.Result { return remote.Result{Outcome: remote.Answered, Exit: n} }
	for _, tt := range []struct {
		name  string
		step  runbooks.Step
		r     remote.Result
		state State
		text  string
	}{
		{"restart accepted", silent, monit["restart-ok"].Result, Met, "accepted"},
		{"noisy login shell", silent, answertest.Of("NOTICE: maintenance\n"), Met, "NOTICE"},
		{"unknown name", silent, monit["restart-unknown"].Result, Never, `There is no service named "nosuch"`},
		{"daemon down", silent, monit["daemon-down-restart"].Result, Unknown, "itself"},
		{"systemctl restart", zero, systemd["restart-etcd"].Result, Met, "done"},
		{"systemctl restart fails", zero, systemd["restart-etcd-failing"].Result, Never, "exit code 1: Job for dh-etcd.service failed"},
		{"systemctl not allowed", zero, systemd["restart-nosudo"].Result, Never, "Access denied"},
		{"systemctl no such unit", zero, systemd["unknown-restart"].Result, Never, "not found"},
		{"sudo refused", silent, outcome(remote.SudoRefused), Never, "nothing was changed"},
		{"unreachable", silent, outcome(remote.Unreachable), Never, "nothing was changed"},
		{"host key", silent, outcome(remote.HostKeyWrong), Never, "nothing was changed"},
		{"login", silent, outcome(remote.LoginRefused), Never, "nothing was changed"},
		{"monit silent", silent, outcome(remote.SupervisorSilent), Never, "nothing was changed"},
		{"never sent", silent, outcome(remote.NoOutcome), Never, "nothing was changed"},
		{"fate unknown", silent, outcome(remote.FateUnknown), Unknown, "unknown whether it ran"},
		{"timed out", silent, outcome(remote.TimedOut), Unknown, "unknown whether it ran"},
		{"an unknown outcome", silent, outcome(200), Unknown, "unknown"},
		{"time limit", silent, exit(124), Unknown, "limit"},
		{"killed at the limit", silent, exit(137), Unknown, "limit"},
		{"killed", silent, remote.Result{Outcome: remote.Answered, Signal: "KILL"}, Unknown, "signal KILL"},
		{"an unknown check", runbooks.Step{Check: "by magic"}, exit(0), Unknown, "by magic"},
		{"a person's step", runbooks.Step{Check: runbooks.Ticked}, exit(0), Unknown, "ticked"},
	} {
		v := EvaluateExec(tt.step, tt.r)
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.name, v.State, v.Text, tt.state, tt.text)
		}
	}
}
