package handlers

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/handlers/call"
	"dhbot/handlers/reads"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
)

// logOf answers the reads of a log that has one file. The function text returns the
// current content of the file.
func logOf(text func() string) func(remote.Command) remote.Result {
	return func(c remote.Command) remote.Result {
		out := text()
		if strings.Contains(c.Sent, " find ") {
			out = "/var/log/deephaven/dis/DataImportServer.log.current\n"
		}
		return remote.Result{Outcome: remote.Answered, Stdout: statustest.Output(out), Started: time.Now(), Ended: time.Now()}
	}
}

// TestFollowEndsAfterItsTime: until FollowFor has passed, one message is edited for new lines.
// Afterwards no process is left on the host or in the bot.
func TestFollowEndsAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestService(t)
		h.Now = time.Now
		began := time.Now()
		h.hosts.say = logOf(func() string {
			return fmt.Sprintf("[2026-03-09T14:00:00.000000+0000] - INFO - line %d\n", min(2, int(time.Since(began)/(30*time.Second))))
		})
		a := h.say("URITA", "follow db_dis in prod")
		if took := time.Since(began); took != reads.FollowFor {
			t.Errorf("the log was followed for %s, want %s", took, reads.FollowFor)
		}
		if len(a.shown) != 4 { // three states of the log, and the end
			t.Fatalf("shown %d times:\n%s", len(a.shown), a.all())
		}
		for i, want := range []string{"line 0", "line 1", "line 2", "ended · "} {
			if !strings.Contains(a.shown[i], want) || (i < 3) != strings.Contains(a.shown[i], "updated until") {
				t.Errorf("shown %d is %s; want %q", i, a.shown[i], want)
			}
		}
		h.hosts.mu.Lock()
		defer h.hosts.mu.Unlock()
		for _, line := range h.hosts.sent {
			if strings.Contains(line, " -f") || !strings.HasPrefix(line, "env LC_ALL=C timeout ") {
				t.Errorf("sent %s", line)
			}
		}
	})
}

// TestFollowIsLimited: only a few logs can be followed at a time, each on one host.
func TestFollowIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestService(t)
		h.Now = time.Now
		h.hosts.say = logOf(func() string { return "[2026-03-09T14:00:00.000000+0000] - INFO - here\n" })
		var wg sync.WaitGroup
		for range reads.Followed {
			wg.Go(func() { h.say("URITA", "follow db_dis in prod") })
		}
		synctest.Wait()
		refused(t, h.say("URITA", "tail db_dis in prod"), call.TooMany)
		wg.Wait()
		if a := h.say("URITA", "follow tailer1 in prod"); !strings.Contains(a.all(), "name one host, for example") {
			t.Errorf("two hosts: %s", a.all())
		}
	})
}
