package proof

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
	"dhbot/runbooks/planner"
)

// TestOutputConditions evaluates every condition that depends only on the output, with messages
// that the tools really print.
func TestOutputConditions(t *testing.T) {
	const paths = "/db/Intraday/Order/Event/infra_1/2018-02-09\n/db/Intraday/Order/Event/query1_1/2018-02-09\n"
	same := planner.ListHash(planner.ListLines(paths))
	df := func(free string) string {
		return "Filesystem     1024-blocks     Used Available Capacity Mounted on\n/dev/sda1        264212084 16660472  " + free + "      18% /backup dir\n"
	}
	for _, tt := range []struct {
		name   string
		until  runbooks.Condition
		expect string
		r      remote.Result
		state  State
		text   string
	}{
		{"tail", runbooks.Shown, "", answertest.Exited(0, "a\nb\n", ""), Met, "2 lines"},
		{"tail denied", runbooks.Shown, "", answertest.Exited(1, "", "tail: cannot open 'x' for reading: Permission denied\n"), Never, "Permission denied"},
		{"unreachable", runbooks.Shown, "", remote.Result{Outcome: remote.Unreachable, Detail: "no route"}, Unknown, "no route"},
		{"time limit", runbooks.Shown, "", answertest.Exited(124, "half", ""), Unknown, "no answer within 15s"},
		{"sudo refused", runbooks.Shown, "", remote.Result{Outcome: remote.SudoRefused}, Unknown, "unknown"},

		{"grep", runbooks.Found, "", answertest.Exited(0, "hit\n", ""), Met, "1 line"},
		{"grep without a hit", runbooks.Found, "", answertest.Exited(1, "", ""), Met, "nothing found"},
		{"grep fails", runbooks.Found, "", answertest.Exited(2, "hit\n", "grep: x: Permission denied\n"), Never, "Permission denied"},
		{"timeout's own failure", runbooks.Found, "", answertest.Exited(1, "", "sudo: a password is required\n"), Never, "password"},

		{"removed", runbooks.Nothing, "", answertest.Exited(0, "", ""), Met, "nothing there"},
		{"still there", runbooks.Nothing, "", answertest.Exited(0, paths, ""), Never, "there is /db/Intraday/Order/Event/infra_1/2018-02-09 and 1 more"},
		{"find fails", runbooks.Nothing, "", answertest.Exited(1, "", "find: denied\n"), Never, "denied"},

		{"files", runbooks.Something, "", answertest.Exited(0, paths, ""), Met, "2 lines"},
		{"no files", runbooks.Something, "", answertest.Exited(0, "", ""), Never, "there is nothing"},
		{"no directory", runbooks.Something, "", answertest.Exited(1, "", "find: x: No such file or directory\n"), Never, "No such file"},

		{"same list", runbooks.Unchanged, same, answertest.Exited(0, paths, ""), Met, "has not changed"},
		{"same list, other order", runbooks.Unchanged, same, answertest.Exited(0, "/db/Intraday/Order/Event/query1_1/2018-02-09\n/db/Intraday/Order/Event/infra_1/2018-02-09\n", ""), Met, "has not changed"},
		{"one more", runbooks.Unchanged, same, answertest.Exited(0, paths+"/db/Intraday/Order/Event/x/2018-02-09\n", ""), Never, "changed since"},
		{"one fewer", runbooks.Unchanged, same, answertest.Exited(0, "/db/Intraday/Order/Event/infra_1/2018-02-09\n", ""), Never, "changed since"},
		{"nothing to compare with", runbooks.Unchanged, "", answertest.Exited(0, "", ""), Never, "changed since"},
		{"list fails", runbooks.Unchanged, same, answertest.Exited(1, paths, "find: denied\n"), Never, "denied"},

		{"file", runbooks.FileThere, "", answertest.Exited(0, "NOTICE\n1234\n", ""), Met, "1.2 KiB"},
		{"empty file", runbooks.FileThere, "", answertest.Exited(0, "0\n", ""), Never, "empty"},
		{"no file", runbooks.FileThere, "", answertest.Exited(1, "", "stat: cannot statx '/x': No such file or directory\n"), Never, "No such file"},
		{"no size", runbooks.FileThere, "", answertest.Exited(0, "NOTICE\n", ""), Unknown, "no file size"},

		{"space", runbooks.SpaceFree, "", answertest.Exited(0, df("78840792"), ""), Met, "75.2 GiB free on /backup dir"},
		{"disk full", runbooks.SpaceFree, "", answertest.Exited(0, df("0"), ""), Never, "only 0 B free on /backup dir; at least 4.0 GiB are required"},
		{"nearly full", runbooks.SpaceFree, "", answertest.Exited(0, df("4194303"), ""), Never, "only"},
		{"just enough", runbooks.SpaceFree, "", answertest.Exited(0, df("4194304"), ""), Met, "4.0 GiB"},
		{"no such directory", runbooks.SpaceFree, "", answertest.Exited(1, "", "df: /backup: No such file or directory\n"), Never, "No such file"},
		{"unknown output of df", runbooks.SpaceFree, "", answertest.Exited(0, "hm\n", ""), Unknown, "could not be parsed"},

		{"an unknown condition", "by magic", "", answertest.Exited(0, "", ""), Never, "by magic"},
	} {
		step := runbooks.Step{Kind: runbooks.Wait, Until: tt.until, Expect: tt.expect, Timeout: runbooks.Duration(15 * time.Second), Within: runbooks.Duration(15 * time.Second)}
		v := Evaluate(step, nil, tt.r, time.Time{})
		if v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.name, v.State, v.Text, tt.state, tt.text)
		}
		if end := TimedOut(step, nil, v); end.State == Met && v.State != Met {
			t.Errorf("%s: the time-out made it a success: %+v", tt.name, end)
		}
	}
}

// TestEveryService evaluates outputs of `monit summary`. One of them is recorded. The verdict says
// that all services are up, that all are stopped, or which services are not.
func TestEveryService(t *testing.T) {
	row := func(name, status string) string {
		return " " + pad(name, 33) + pad(status, 28) + pad("Process", 14) + "\n"
	}
	head := "Monit 5.33.0 uptime: 22m\n Service Name                     Status                      Type          \n" +
		" infra                            OK                          System        \n"
	late := func(out string) remote.Result {
		r := answertest.Of(head + out)
		r.Ended = answertest.Noon.Add(time.Minute)
		return r
	}
	for _, tt := range []struct {
		name  string
		until runbooks.Condition
		r     remote.Result
		state State
		text  string
	}{
		{"all up", runbooks.AllUp, late(row("db_dis", "OK") + row("db_ltds", "OK")), Met, "all 2 up"},
		{"one initializing", runbooks.AllUp, late(row("db_dis", "Initializing") + row("db_ltds", "OK")), NotYet, "1 of 2 not up: db_dis (Initializing)"},
		{"one pending", runbooks.AllUp, late(row("db_dis", "OK - restart pending")), NotYet, "db_dis"},
		{"one stopped", runbooks.AllUp, late(row("db_dis", "Not monitored")), NotYet, "Not monitored"},
		{"one failed, cut", runbooks.AllUp, late(row("db_dis", "Execution failed | Does...")), NotYet, "db_dis"},
		{"all stopped", runbooks.AllIdle, late(row("db_dis", "Not monitored") + row("db_ltds", "Not monitored")), Met, "all 2 stopped"},
		{"one stopping", runbooks.AllIdle, late(row("db_dis", "OK - stop pending")), NotYet, "1 of 1 not stopped"},
		{"nothing but the host", runbooks.AllUp, late(""), Unknown, "has no service"},
		{"monit down", runbooks.AllUp, answertest.Exited(1, "", "Monit: the monit daemon is not running\n"), Unknown, "not running"},
	} {
		step := runbooks.Step{Until: tt.until}
		if v := Evaluate(step, nil, tt.r, answertest.Noon); v.State != tt.state || !strings.Contains(v.Text, tt.text) {
			t.Errorf("%s: %s: %q; want %s: %q", tt.name, v.State, v.Text, tt.state, tt.text)
		}
	}
	// So soon after the request, "OK" may still be the state from before the restart.
	early := late(row("db_dis", "OK"))
	early.Ended = answertest.Noon.Add(2 * time.Second)
	if v := Evaluate(runbooks.Step{Until: runbooks.AllUp}, nil, early, answertest.Noon); v.State != NotYet {
		t.Errorf("a moment after the request: %+v", v)
	}
	if v := Evaluate(runbooks.Step{Until: runbooks.AllUp}, nil, early, time.Time{}); v.State != Met {
		t.Errorf("a mere read: %+v", v)
	}
	if v := Evaluate(runbooks.Step{Until: runbooks.AllUp}, nil, answertest.Read(t, "monit")["summary-ok"].Result, time.Time{}); v.State == Unknown {
		t.Errorf("the real summary: %+v", v)
	}
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(1, n-len(s))) }
