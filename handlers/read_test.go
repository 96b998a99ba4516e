package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
)

// speaking simulates hosts. They answer a command with the text whose key occurs in the command.
func speaking(answers map[string]string) func(remote.Command) remote.Result {
	return func(c remote.Command) remote.Result {
		for word, text := range answers {
			if strings.Contains(c.Sent, word) {
				return remote.Result{Outcome: remote.Answered, Stdout: remote.Output{Head: []byte(text), Total: int64(len(text))}, Started: time.Now(), Ended: time.Now()}
			}
		}
		return remote.Result{Outcome: remote.Unreachable, Detail: c.Host + ": nobody there", Ended: time.Now()}
	}
}

// TestLogs: the bot lists the files first. The card has the verdict and the last lines, and the
// thread has the complete output. Neither contains secrets.
func TestLogs(t *testing.T) {
	h := newTestService(t)
	var log strings.Builder
	for i := range 100 {
		fmt.Fprintf(&log, "[2026-11-21T02:39:55.341979+0000] - ERROR - line %d password=hunter2hunter2\n", i)
	}
	h.hosts.say = speaking(map[string]string{" find ": "/var/log/deephaven/dis/DataImportServer.log.current\n", " tail ": log.String()})
	a := h.say("URITA", "logs db_dis lines=100")
	if len(a.shown) != 1 || len(a.files) != 1 {
		t.Fatalf("shown %q, whispered %q, %d files", a.shown, a.whispered, len(a.files))
	}
	if got := a.shown[0]; !strings.Contains(got, "100 ERROR") || !strings.Contains(got, "line 99") || strings.Contains(got, "line 10 ") {
		t.Errorf("card: %s", got)
	}
	if got := string(a.files[0].Content); !strings.Contains(got, "line 0 ") || !strings.Contains(got, "line 99 ") {
		t.Errorf("file: %.200s", got)
	}
	if strings.Contains(a.shown[0]+string(a.files[0].Content), "hunter2") {
		t.Error("a secret is shown")
	}
	if sent := strings.Join(h.hosts.sent, "\n"); !strings.Contains(sent, "tail -q -n 100 /var/log/deephaven/dis/DataImportServer.log.current") {
		t.Errorf("sent:\n%s", sent)
	}
}

// TestLogsOfSeveral: each named process is read, and a failed read does not affect the
// others. Processes over the limit are listed as omitted.
func TestLogsOfSeveral(t *testing.T) {
	h := newTestService(t)
	finds := map[string]string{
		"/dis ": "/var/log/deephaven/dis/DataImportServer.log.current\n", "/ltds ": "/var/log/deephaven/ltds/LocalTableDataServer.log.current\n",
	}
	h.hosts.say = func(c remote.Command) remote.Result {
		switch {
		case !strings.Contains(c.Sent, " find "):
			return speaking(map[string]string{"/dis/": "line of dis\n", "/ltds/": "line of ltds\n"})(c)
		default:
			return speaking(finds)(c)
		}
	}
	for _, text := range []string{"logs dis and ltds", "logs dis, ltds, db_dis", "logs dis ltds lines=20"} {
		a := h.say("URITA", text)
		if len(a.shown) != 1 || !strings.Contains(a.shown[0], "line of dis") || !strings.Contains(a.shown[0], "line of ltds") || len(a.whispered) != 0 {
			t.Errorf("%s: shown %q, whispered %q", text, a.shown, a.whispered)
		}
	}
	var targets []string
	if err := h.store.Trail(t.Context(), 1, func(r audit.Sealed) error {
		targets = append(targets, r.Record.Target)
		return nil
	}); err != nil || len(targets) != 3 || targets[0] != "logs db_dis, db_ltds" {
		t.Errorf("recorded %q, %v", targets, err)
	}
	finds["/ltds "] = ""
	if a := h.say("URITA", "logs dis and ltds"); len(a.shown) != 1 || !strings.Contains(a.shown[0], "line of dis") || !strings.Contains(a.shown[0], "db_ltds: not read") {
		t.Errorf("one of two reads failed: %q", a.all())
	}
	finds["/dis "] = ""
	if a := h.say("URITA", "logs dis and ltds"); len(a.shown) != 0 {
		t.Errorf("both reads failed: %q", a.all())
	}
}

// TestSearchThatFindsNothing: if grep finds nothing, it exits with code 1. The bot treats this as
// an answer, not as a failure.
func TestSearchThatFindsNothing(t *testing.T) {
	h := newTestService(t)
	exit, complaint := 1, ""
	h.hosts.say = func(c remote.Command) remote.Result {
		if strings.Contains(c.Sent, " find ") {
			return remote.Result{Outcome: remote.Answered, Stdout: statustest.Output("/var/log/deephaven/dis/DataImportServer.log.current\n"), Ended: time.Now()}
		}
		return remote.Result{Outcome: remote.Answered, Exit: exit, Stderr: statustest.Output(complaint), Ended: time.Now()}
	}
	if a := h.say("URITA", "logs db_dis errors"); !strings.Contains(a.all(), "nothing found") || strings.Contains(a.all(), " failed") {
		t.Errorf("nothing was found: %q", a.all())
	}
	exit, complaint = 2, "grep: Permission denied\n"
	if a := h.say("URITA", "logs db_dis errors"); !strings.Contains(a.all(), " failed") || !strings.Contains(a.all(), "Permission denied") {
		t.Errorf("no host answered: %q", a.all())
	}
}

// TestReadThatFailsSaysSo: if the list of log files cannot be read, the bot does not treat it as
// empty. If a host does not answer, the bot does not report success.
func TestReadThatFailsSaysSo(t *testing.T) {
	h := newTestService(t)
	h.hosts.say = speaking(nil)
	if a := h.say("URITA", "logs db_dis"); len(a.shown) != 0 || !strings.Contains(a.all(), "nobody there") {
		t.Errorf("the discovery read failed: %q", a.all())
	}
	h.hosts.say = speaking(map[string]string{" find ": "/var/log/deephaven/dis/DataImportServer.log.current\n"})
	if a := h.say("URITA", "logs db_dis"); !strings.Contains(a.all(), " failed") || !strings.Contains(a.all(), "nobody there") {
		t.Errorf("the read failed: %q", a.all())
	}
	h.hosts.say = speaking(map[string]string{" find ": "/etc/passwd\n-rf\n"})
	if a := h.say("URITA", "logs db_dis"); len(a.shown) != 0 {
		t.Errorf("lines that do not match the list's pattern: %q", a.all())
	}
	for _, sent := range h.hosts.sent {
		if strings.Contains(sent, "passwd") {
			t.Errorf("sent %q", sent)
		}
	}
}

// TestSensitiveReads: a sensitive read requires a role, is shown only to the requester, and is
// not answered if it cannot be recorded.
func TestSensitiveReads(t *testing.T) {
	h := newTestService(t)
	h.Rules.Clusters["prod"][auth.Data] = []string{"chris"}
	h.hosts.say = speaking(map[string]string{"tableacls": "group\tfilter\nallusers\tNoFilter()\n"})
	if a := h.say("UANNA", "tableacls"); a.code() != auth.LacksRole || len(a.direct) != 0 || len(h.hosts.sent) != 0 {
		t.Errorf("without the role: %q %q", a.all(), a.direct)
	}
	a := h.say("UCHRIS", "tableacls")
	if len(a.shown) != 0 || len(a.direct) != 1 || !strings.Contains(a.direct[0], "allusers") || strings.Contains(a.all(), "allusers") {
		t.Errorf("with the role: shown %q, whispered %q, direct %q", a.shown, a.whispered, a.direct)
	}
	m := h.message("UCHRIS", "tableacls")
	m.Key = ""
	if a := h.handleMessage(m); len(a.direct) != 0 {
		t.Errorf("shown although the read could not be recorded: %q", a.direct)
	}
}

// TestDestructiveCoversItsList: the approval covers the list shown on the card. A changed list
// invalidates the approval.
func TestDestructiveCoversItsList(t *testing.T) {
	h := newTestService(t)
	sizes := "4.0K\t/db/Intraday/Order/Event/infra_1/2018-02-09\n4.0K\t/db/Intraday/Order/Event/query1_1/2018-02-09\n"
	list := "/db/Intraday/Order/Event/infra_1/2018-02-09\n/db/Intraday/Order/Event/query1_1/2018-02-09\n"
	h.hosts.say = speaking(map[string]string{" find ": list, " du ": sizes})
	a := h.say("UANNA", "intraday-cleanup namespace=Order table=Event partition=* date=2018-02-09 corrupt ticks")
	open := h.openRuns(t)
	if len(open) != 1 {
		t.Fatalf("no run: %q", a.all())
	}
	r := open[0].Run
	if r.Need != 2 || r.Reason != "corrupt ticks" {
		t.Errorf("need %d, reason %q", r.Need, r.Reason)
	}
	var removed string
	for _, s := range r.Plan.Steps {
		if s.Changes() {
			removed += s.Command + "\n"
		}
	}
	for path := range strings.Lines(list) {
		if !strings.Contains(removed, strings.TrimSpace(path)) {
			t.Errorf("%s is not covered by %s", strings.TrimSpace(path), removed)
		}
	}
	if strings.Contains(removed, "*") {
		t.Errorf("a pattern is sent: %s", removed)
	}
	h.Rules.Clusters["prod"][auth.Approver] = []string{"anna", "ben", "chris"}
	h.say("UBEN", "approve "+r.ID+" db_dis")
	h.say("UCHRIS", "approve "+r.ID+" db_dis")
	st, _ := h.store.Get(t.Context(), r.ID)
	if st.Run.State != engine.Approved {
		t.Fatalf("the run is %s", st.Run.State)
	}
	if err := h.Recheck(t.Context(), st.Run); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	h.hosts.say = speaking(map[string]string{" find ": list + "/db/Intraday/Order/Event/query2_1/2018-02-09\n", " du ": sizes})
	if err := h.Recheck(t.Context(), st.Run); err == nil || !strings.Contains(err.Error(), "query2_1") {
		t.Errorf("one more path: %v", err)
	}
}

// TestHostileParameters: hostile parameters never reach a host.
func TestHostileParameters(t *testing.T) {
	h := newTestService(t)
	h.hosts.say = speaking(map[string]string{"": "x\n"})
	for _, text := range []string{
		"intraday-cleanup namespace=../etc table=Event partition=* date=2018-02-09",
		"intraday-cleanup namespace=Order table=$(id) partition=* date=2018-02-09",
		"intraday-cleanup namespace=Order table=Event partition=.. date=2018-02-09",
		"intraday-cleanup namespace=Order table=Event partition=* date=2018-02-31",
		"intraday-cleanup namespace=Order table=Event partition=* date=*",
		"intraday-cleanup",
		"logs db_dis lines=100000",
		"logs db_dis lines=-1",
		"etcd-keys prefix=/",
		"etcd-keys prefix=/main/../",
	} {
		a := h.say("UANNA", text)
		if len(a.whispered) == 0 || len(a.shown) != 0 {
			t.Errorf("%s: %q", text, a.all())
		}
	}
	if len(h.hosts.sent) != 0 || len(h.openRuns(t)) != 0 {
		t.Errorf("sent %q, %d runs", h.hosts.sent, len(h.openRuns(t)))
	}
}

// TestReadsNameTheRequester: a slash command is not visible in the channel, so its answer names the
// requester. A mention is visible, so its answer names no one.
func TestReadsNameTheRequester(t *testing.T) {
	h := newTestService(t)
	for _, text := range []string{"status db_dis", "verify", "runs", "locks", "people", "maintenance", "watch", "incidents", "audit", "timeline"} {
		if a := h.say("URITA", text); len(a.shown) == 0 || !strings.Contains(a.all(), "asked by rita") {
			t.Errorf("the slash command %s: %q", text, a.all())
		}
		m := h.message("URITA", text)
		m.Via = call.Mention
		if a := h.handleMessage(m); strings.Contains(a.all(), "asked by") {
			t.Errorf("a mention with %s: %q", text, a.all())
		}
	}
}

// TestStatusOfSeveral: the answer names its targets, so a healthy part is not taken for
// the cluster.
func TestStatusOfSeveral(t *testing.T) {
	h := newTestService(t)
	want := map[string]string{
		"status on query-*":                          "query-1, query-2",
		"status query-1 and query-2":                 "query-1, query-2",
		"status dis, ltds":                           "db_dis, db_ltds",
		"status db_dis":                              "db_dis",
		"status dis merge ltds tdcp iris_controller": "5 processes",
	}
	for text, about := range want {
		a := h.say("URITA", text)
		if len(a.shown) == 0 {
			t.Fatalf("%s: %q", text, a.all())
		}
		head, _, _ := strings.Cut(a.shown[len(a.shown)-1], "\n")
		if !strings.Contains(head, about) || !strings.Contains(head, "prod") {
			t.Errorf("%s is headed %q", text, head)
		}
		if last := h.lastTarget(t); last != about {
			t.Errorf("%s is recorded with the target %q", text, last)
		}
	}
}

func (h *testService) lastTarget(t *testing.T) (target string) {
	t.Helper()
	if err := h.store.Trail(t.Context(), 1, func(s audit.Sealed) error { target = s.Record.Target; return nil }); err != nil {
		t.Fatal(err)
	}
	return target
}
