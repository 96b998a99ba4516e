package observe

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

// TestIncidentKey covers every row of the incident key, and the cases between its rows.
func TestIncidentKey(t *testing.T) {
	up := Expect{Up: true, Level: runbooks.Critical}
	moderate := Expect{Up: true, Level: runbooks.Moderate}
	scheduled := Expect{Up: false, Level: runbooks.Critical}
	longAgo := Expect{Up: true, Level: runbooks.Critical, Since: answertest.Noon.Add(-time.Hour)}
	justNow := Expect{Up: true, Level: runbooks.Critical, Since: answertest.Noon.Add(-time.Minute)}
	spare := Expect{Up: true, Level: runbooks.Critical, Optional: true}
	worked := Expect{Up: true, Level: runbooks.Critical, Maintenance: true}

	const unknown, none, one, two, three = runbooks.Unknown, runbooks.None, runbooks.Critical, runbooks.Moderate, runbooks.Low
	for _, tt := range []struct {
		row                        string
		status, pid                string
		e                          Expect
		severity, condition, might runbooks.Severity
		recovering                 bool
		headline, text             string
	}{
		{"0 running", "OK", "7", up, none, none, 0, false, "Running", "OK"},
		{"0 down as scheduled", "Execution failed | Does not exist", "", scheduled, none, none, 0, false, "Down as scheduled", "Execution failed"},
		{"1 down when it should be up", "Execution failed | Does not exist", "", up, one, one, 0, false, "Down when it should be up", "Execution failed"},
		{"1, with the level of its own outage", "Execution failed | Does not exist", "", moderate, two, one, 0, false, "Down when it should be up", "Execution failed"},
		{"1 never came up", "Initializing", "", longAgo, one, one, 0, false, "Down when it should be up", "1h0m0s"},
		{"1 not seen up since", "Does not exist", "", longAgo, one, one, 0, false, "Down when it should be up", "1h0m0s"},
		{"2 up when it should be down", "OK", "7", scheduled, two, two, 0, false, "Up when it should be down", "OK"},
		{"2 up when it should be down, and in trouble", "Connection failed", "7", scheduled, two, two, 0, false, "Up when it should be down", "Connection failed"},
		{"3 performing poorly", "Resource limit matched", "7", up, three, three, 0, false, "Running with trouble", "Resource limit matched"},
		{"3 port not answering", "Connection failed", "7", moderate, three, three, 0, false, "Port not answering", "for users it is down"},

		{"nothing needs it, down", "Execution failed | Does not exist", "", spare, none, none, 0, false, "Down (optional)", "Execution failed"},
		{"nothing needs it, up", "OK", "7", spare, none, none, 0, false, "Running (optional)", "OK"},
		{"nothing needs it, not monitored", "Not monitored", "", spare, none, none, 0, false, "Not monitored (optional)", "Not monitored"},
		{"nothing needs it, in trouble", "Resource limit matched", "7", spare, three, three, 0, false, "Running with trouble", "Resource limit matched"},
		{"nothing needs it, not understood", "Mumbling", "7", spare, unknown, unknown, three, false, "Could not be observed", "Mumbling"},
		{"maintenance, down", "Execution failed | Does not exist", "", worked, none, none, 0, false, "Start failed, in maintenance", "Execution failed"},
		{"maintenance, stopped", "Not monitored", "", worked, none, none, 0, false, "Not monitored, in maintenance", "Not monitored"},
		{"maintenance, up already", "OK", "7", worked, none, none, 0, false, "Up, in maintenance", "OK"},
		{"maintenance, in trouble", "Connection failed", "7", worked, none, none, 0, false, "Up, with trouble, in maintenance", "Connection failed"},
		{"maintenance, not understood", "Mumbling", "7", worked, unknown, unknown, three, false, "Could not be observed", "Mumbling"},

		{"recovering: being started", "Initializing", "", up, unknown, unknown, one, true, "Recovering", "Initializing"},
		{"recovering: still in time", "Initializing", "", justNow, unknown, unknown, one, true, "Recovering", "Initializing"},
		{"recovering: just started again", "Does not exist", "", moderate, unknown, unknown, two, true, "Recovering", "Does not exist"},
		{"pending", "OK - restart pending", "7", up, unknown, unknown, one, true, "Asked to restart", "not finished"},
		{"pending, long", "Initializing - restart pending", "", longAgo, unknown, unknown, one, false, "Asked to restart 1h0m0s ago", "hangs"},
		{"not monitored", "Not monitored", "", moderate, unknown, unknown, two, false, "Not monitored", "stopped by hand, given up"},
		{"not monitored when it should be down", "Not monitored", "", scheduled, unknown, unknown, two, false, "Not monitored", "running without supervision"},
		{"starting when it should be down", "Initializing", "", scheduled, unknown, unknown, two, true, "Recovering", "Initializing"},
		{"not understood", "Mumbling", "7", up, unknown, unknown, one, false, "Could not be observed", "Mumbling"},
	} {
		o := Observe(runbooks.Monit, "db_dis", answertest.Of(answertest.Block("db_dis", tt.status, "Monitored", tt.pid, "", "Sat, 21 Nov 2026 02:00:00")))
		if o.PID > 0 {
			o.Alive = AliveProved
		}
		f := Assess(o, tt.e)
		if f.Severity != tt.severity || f.Condition != tt.condition || f.WorstCase != tt.might || f.Recovering != tt.recovering {
			t.Errorf("%s: severity %v, condition %v, might be %v, recovering %v; want %v, %v, %v, %v",
				tt.row, f.Severity, f.Condition, f.WorstCase, f.Recovering, tt.severity, tt.condition, tt.might, tt.recovering)
		}
		if !strings.HasPrefix(f.Headline, tt.headline) || !strings.Contains(f.Text, tt.text) {
			t.Errorf("%s: %q: %q, want %q and %q", tt.row, f.Headline, f.Text, tt.headline, tt.text)
		}
		if f.Evidence.Line != "status "+tt.status || f.Evidence.Collected == "" || !f.Evidence.At.Equal(answertest.Noon) {
			t.Errorf("%s: evidence %+v", tt.row, f.Evidence)
		}
	}
}

// If a catalog has no level for a process, its outage counts as critical, not
// as harmless.
func TestOutageWithoutLevelIsCritical(t *testing.T) {
	f := Assess(Observation{State: Down}, Expect{Up: true})
	if f.Severity != runbooks.Critical {
		t.Errorf("severity %v, want %v", f.Severity, runbooks.Critical)
	}
	f = Assess(Observation{}, Expect{Up: true})
	if f.Severity != runbooks.Unknown || f.WorstCase != runbooks.Critical {
		t.Errorf("severity %v, might be %v", f.Severity, f.WorstCase)
	}
}

// Green requires a verified pid, or a recent check by monit.
func TestOldEvidenceIsNotGreen(t *testing.T) {
	up := Expect{Up: true, Level: runbooks.Critical}
	const hour = time.Hour
	for what, tt := range map[string]struct {
		alive Alive
		age   time.Duration
		dated bool
		want  runbooks.Severity
	}{
		"proved":                   {AliveProved, 0, false, runbooks.None},
		"verified, monit is stale": {AliveProved, hour, true, runbooks.None},
		"gone":                     {AliveGone, 0, true, runbooks.Critical},
		"not checked, fresh":       {AliveUnknown, time.Minute, true, runbooks.None},
		"not checked, stale":       {AliveUnknown, hour, true, runbooks.Unknown},
		"nothing known":            {AliveUnknown, 0, false, runbooks.Unknown},
	} {
		for _, status := range []string{"OK", "Connection failed"} {
			o := Observe(runbooks.Monit, "db_dis", answertest.Of(answertest.Block("db_dis", status, "Monitored", "7", "", "Sat, 21 Nov 2026 02:00:00")))
			o.Alive, o.Age, o.AgeKnown = tt.alive, tt.age, tt.dated
			want := tt.want
			if want == runbooks.None && status != "OK" {
				want = runbooks.Low
			}
			if f := Assess(o, up); f.Severity != want {
				t.Errorf("%s, %s: %v, want %v: %s", what, status, f.Severity, want, f.Text)
			}
		}
	}
}

// Some findings need more than monit's status: those about a process without monitoring, a crash
// loop, and a stop by a run.
func TestWhatMonitDoesNotSay(t *testing.T) {
	for what, tt := range map[string]struct {
		status   string
		alive    Alive
		e        Expect
		want     runbooks.Severity
		headline string
	}{
		"its process has ended": {"Not monitored", AliveGone, Expect{Up: true, Level: runbooks.Moderate}, runbooks.Moderate, "Down when it should be up"},
		"its process runs":      {"Not monitored", AliveProved, Expect{Up: true, Level: runbooks.Critical}, runbooks.Moderate, "Running without supervision"},
		"stopped by a run": {"Not monitored", AliveGone, Expect{Up: true, Level: runbooks.Critical, Stopped: "operator with R-7F3K, 2 min ago"},
			runbooks.Critical, "Stopped by operator with R-7F3K, 2 min ago"},
		"stopped by a run, and runs": {"Not monitored", AliveProved, Expect{Up: true, Level: runbooks.Critical, Stopped: "operator with R-7F3K, 2 min ago"},
			runbooks.Moderate, "Running without supervision"},
		"loop": {"OK", AliveProved, Expect{Up: true, Level: runbooks.Critical, Loop: &Loop{3, answertest.Noon.Add(-time.Minute)}}, runbooks.Critical, "Crash loop: 3 restarts in 1m0s"},
		"loop in maintenance": {"OK", AliveProved, Expect{Up: true, Level: runbooks.Critical, Maintenance: true, Loop: &Loop{3, answertest.Noon.Add(-time.Minute)}},
			runbooks.None, "Up, in maintenance"},
	} {
		pid := "7"
		if tt.status == "Not monitored" {
			pid = ""
		}
		o := Observe(runbooks.Monit, "db_dis", answertest.Of(answertest.Block("db_dis", tt.status, "Monitored", pid, "", "Sat, 21 Nov 2026 02:00:00")))
		o.Alive, o.PID = tt.alive, 7
		if f := Assess(o, tt.e); f.Severity != tt.want || f.Headline != tt.headline {
			t.Errorf("%s: %v, %q", what, f.Severity, f.Headline)
		}
	}
}
