package handlers

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/remote"
)

func output(text string) remote.Output {
	return remote.Output{Head: []byte(text), Total: int64(len(text))}
}

// altered changes what the supervisor says of one service.
func altered(service string, how func(string) string) func(remote.Command) remote.Result {
	return func(c remote.Command) remote.Result {
		r := running(c)
		if strings.HasSuffix(c.Sent, " "+service) {
			r.Stdout = output(how(r.Stdout.String()))
		}
		return r
	}
}

// withLog answers like say, and has an application log of these lines.
func withLog(say func(remote.Command) remote.Result, reads *atomic.Int32, lines ...string) func(remote.Command) remote.Result {
	return func(c remote.Command) remote.Result {
		r := remote.Result{Outcome: remote.Answered, Ended: time.Now()}
		switch {
		case strings.Contains(c.Sent, " find "):
			r.Stdout = output("/var/log/deephaven/dis/DataImportServer.log.2026-11-21-120000.000+0000\n")
		case strings.Contains(c.Sent, " tail "):
			reads.Add(1)
			var b strings.Builder
			for _, l := range lines {
				fmt.Fprintf(&b, "[%s] - %s\n", time.Now().Add(-time.Minute).UTC().Format("2006-01-02T15:04:05.000000-0700"), l)
			}
			r.Stdout = output(b.String())
		default:
			return say(c)
		}
		return r
	}
}

const statusDis = "status db_dis on infra-1 in prod"

// TestErrorsInTheLog: monit says OK, and the log says otherwise.
func TestErrorsInTheLog(t *testing.T) {
	h := newHouse(t)
	var reads atomic.Int32
	h.hosts.say = withLog(running, &reads, "INFO - x", "ERROR - cannot write: password=hunter2 no space", "INFO - db_dis ALIVE")
	a := h.say("URITA", statusDis)
	if !strings.Contains(a.all(), "Sev 3 · Low") || !strings.Contains(a.all(), "1 error in its log since") || !strings.Contains(a.all(), "no space") {
		t.Errorf("got %s", a.all())
	}
	if strings.Contains(a.all(), "hunter2") {
		t.Errorf("a secret of the log is shown: %s", a.all())
	}
	h.say("URITA", statusDis)
	if n := reads.Load(); n != 1 {
		t.Errorf("the log was read %d times for two answers within a minute", n)
	}
	h.hosts.say = withLog(altered("db_dis", func(s string) string { return strings.Replace(s, "705", "706", 1) }), &reads, "INFO - db_dis RUNNING")
	if a := h.say("URITA", statusDis); !strings.Contains(a.all(), "No errors in its log") || reads.Load() != 2 {
		t.Errorf("another process is judged by the old one's log: %d reads, %s", reads.Load(), a.all())
	}
	h.say("URITA", "status in prod")
	h.say("URITA", "deps db_dis in prod")
	if n := reads.Load(); n != 2 {
		t.Errorf("a board read %d logs", n-2)
	}
}

// TestRunsUnwatched: monit says "Not monitored". A log that has a young line may
// be that of a process that has just died; one that has gone on since is not.
func TestRunsUnwatched(t *testing.T) {
	h := newHouse(t)
	var reads atomic.Int32
	unwatched := altered("db_dis", func(s string) string {
		return strings.Replace(strings.Replace(s, "OK", "Not monitored", 1), "  pid                          705\n", "", 1)
	})
	h.hosts.say = withLog(unwatched, &reads, "INFO - db_dis ALIVE")
	if a := h.say("URITA", statusDis); !strings.Contains(a.all(), "look again in a minute") || strings.Contains(a.all(), "Running without supervision") {
		t.Errorf("got %s", a.all())
	}
	if a := h.say("URITA", statusDis); !strings.Contains(a.all(), "Sev 2 · Moderate · Running without supervision") || strings.Contains(a.all(), "What it needs is up") {
		t.Errorf("got %s", a.all())
	}
}

// TestSlowLogHoldsNothingBack: the supervisor's answer is shown first, and the
// log's when it has come.
func TestSlowLogHoldsNothingBack(t *testing.T) {
	h := newHouse(t)
	var reads atomic.Int32
	release := make(chan struct{})
	logs := withLog(running, &reads, "ERROR - no space")
	h.hosts.say = func(c remote.Command) remote.Result {
		if strings.Contains(c.Sent, " tail ") {
			<-release
		}
		return logs(c)
	}
	shown := make(chan string, 8)
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Handle(t.Context(), h.message("URITA", statusDis), showing{shown})
	}()
	if first := <-shown; !strings.Contains(first, "Sev 0 · None") {
		t.Errorf("first: %s", first)
	}
	close(release)
	<-done
	if last := <-shown; !strings.Contains(last, "Sev 3 · Low · Running with errors in its log") {
		t.Errorf("last: %s", last)
	}
}

// TestLogIsReadOnceForMany: who asks while a log is being read waits for that
// read, and each is answered with what it says.
func TestLogIsReadOnceForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var reads atomic.Int32
		release := make(chan struct{})
		logs := withLog(running, &reads, "ERROR - no space")
		h.hosts.say = func(c remote.Command) remote.Result {
			if strings.Contains(c.Sent, " tail ") {
				<-release
			}
			return logs(c)
		}
		var asking sync.WaitGroup
		for range 5 {
			asking.Go(func() {
				if a := h.say("URITA", statusDis); !strings.Contains(a.all(), "Running with errors in its log") {
					t.Errorf("got %s", a.all())
				}
			})
		}
		synctest.Wait()
		close(release)
		asking.Wait()
		if n := reads.Load(); n != 1 {
			t.Errorf("the log was read %d times for five who asked at once", n)
		}
	})
}

// TestUnreadLogIsNoted, and changes nothing else.
func TestUnreadLogIsNoted(t *testing.T) {
	h := newHouse(t)
	h.hosts.say = func(c remote.Command) remote.Result {
		if strings.Contains(c.Sent, " find ") {
			return remote.Result{Outcome: remote.Answered, Exit: 1, Stderr: output("find: Permission denied\n"), Ended: time.Now()}
		}
		return running(c)
	}
	if a := h.say("URITA", statusDis); !strings.Contains(a.all(), "Sev 0 · None · Running") || !strings.Contains(a.all(), "Its log was not read: ") || !strings.Contains(a.all(), "Permission denied") {
		t.Errorf("got %s", a.all())
	}
}
