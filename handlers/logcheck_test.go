package handlers

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
)

const statusDis = "status db_dis on infra-1 in prod"

// TestErrorsInTheLog: if monit reports OK but the log has errors, the status of the process, its
// host and the cluster show these errors.
func TestErrorsInTheLog(t *testing.T) {
	h := newTestService(t)
	h.hosts.say = saying(statustest.World{"db_dis": {Log: []string{"10m INFO - x", "1m ERROR - cannot write: password=hunter2 no space", "30s INFO - db_dis ALIVE"}}})
	for _, ask := range []string{statusDis, "status infra-1 in prod", "status in prod", "verify in prod"} {
		a := h.say("URITA", ask)
		if !strings.Contains(a.all(), "Sev 3 · Low") || !strings.Contains(a.all(), "Running with errors in its log") {
			t.Errorf("%s: %s", ask, a.all())
		}
	}
	a := h.say("URITA", statusDis)
	if !strings.Contains(a.all(), "1 error in its log from ") || !strings.Contains(a.all(), "no space") {
		t.Errorf("got %s", a.all())
	}
	if strings.Contains(a.all(), "hunter2") {
		t.Errorf("a secret of the log is shown: %s", a.all())
	}
}

// TestUnreadLogIsNoted: if the log cannot be read, the status says so, and is otherwise unchanged.
func TestUnreadLogIsNoted(t *testing.T) {
	h := newTestService(t)
	h.hosts.say = func(c remote.Command) remote.Result {
		r := running(c)
		if strings.Contains(c.Sent, " stat ") {
			return remote.Result{Outcome: remote.Answered, Exit: 1, Stderr: statustest.Output("stat: cannot statx '/var/log/deephaven/dis/DataImportServer.log.current': Permission denied\n"), Ended: time.Now()}
		}
		return r
	}
	if a := h.say("URITA", statusDis); !strings.Contains(a.all(), "Sev 0 · None · Running") || !strings.Contains(a.all(), "Its log was not read: ") || !strings.Contains(a.all(), "Permission denied") {
		t.Errorf("got %s", a.all())
	}
}
