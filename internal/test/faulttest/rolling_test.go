package faulttest

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dhbot/internal/pause"
)

// perMinute is how many commands people send per minute in the long tests.
const perMinute = 300

// minutesOf returns how long a test should run, from an environment variable. 0 means the short
// version.
func minutesOf(t *testing.T, name string) time.Duration {
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s is not a number of minutes: %v", name, err)
	}
	return time.Duration(n * float64(time.Minute))
}

// TestRollingRestart restarts three replicas one after the other, while people send 300 commands a
// minute in ten channels. The simulated Slack has the limits of the real Slack. No command may be
// lost or executed twice. With DHBOT_FAULT_ROLLING=10 the test runs for ten minutes and prints the
// waiting times.
func TestRollingRestart(t *testing.T) {
	within := minutesOf(t, "DHBOT_FAULT_ROLLING")
	between := 20 * time.Second
	if within == 0 {
		gateOnly(t)
		within, between = 10*time.Second, time.Second
	}
	w := makeWorld(t, setup{shape: shape{Replicas: 3, Members: 1}, production: true, channels: manyChannels(10)})
	w.until("all replicas are connected to Slack", time.Minute, func() bool { return w.slack.Connections() == 6 })
	tr := newTraffic(&people{world: w}, perMinute)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var (
		rolling sync.WaitGroup
		stops   []time.Duration
	)
	began := time.Now()
	rolling.Go(func() {
		for seat := 0; pause.For(ctx, between); seat = (seat + 1) % 3 {
			stops = append(stops, w.restart(seat))
		}
	})
	tr.flow(ctx)
	rolling.Wait()
	t.Logf("%s, %d restarts in %v, the longest stop took %v", w.shape, len(stops), time.Since(began).Round(time.Second), longest(stops))
	t.Logf("%s", tr.count(time.Time{}, time.Time{}))
	for text, n := range tr.refusals() {
		t.Logf("%d times: %s", n, text)
	}
	tr.finish(t, "DHBOT_FAULT_ROLLING=10 go test -timeout 0 -v -run RollingRestart")
}

// restart stops a replica as an upgrade does, starts it again, and waits until it is connected to
// Slack. It returns how long the stop took.
func (w *world) restart(seat int) time.Duration {
	w.mu.Lock()
	old := w.replicas[seat]
	w.mu.Unlock()
	began := time.Now()
	_ = old.cmd.Process.Signal(syscall.SIGTERM)
	<-old.ended
	took := time.Since(began)
	w.start(seat)
	w.until("the next life is connected to Slack", time.Minute, func() bool { return w.slack.Connections() == 2*w.shape.Replicas })
	return took.Round(time.Millisecond)
}

func longest(list []time.Duration) time.Duration {
	var most time.Duration
	for _, d := range list {
		most = max(most, d)
	}
	return most
}

// finish waits until the bot has nothing left to do, checks the outcome as for any round, and
// requires that every command was answered.
func (t *traffic) finish(tb testing.TB, replay string) {
	st := t.restAndStop(t.rest)
	t.judge(st)
	t.judgeExtra()
	if f := t.count(time.Time{}, time.Time{}); f.lost > 0 {
		t.violation("%d commands were never answered", f.lost)
	}
	tb.Logf("%d runs, %d commands that changed something, %d entries in the trail", len(st.Runs), executions(t.hosts.Executed()), len(st.Trail))
	round{shape: t.shape, replay: replay}.report(tb, t.people, st)
}

// judgeExtra allows an extra answer for each delivery that was acknowledged too late, because Slack
// then reports a failure or delivers it again. It also allows an extra answer for each delivery
// that a replica resumed, because the stopped replica may have begun to answer. Runs are never
// repeated, and other methods count them.
func (t *traffic) judgeExtra() {
	late, resumed := t.slack.MissedAcks(), strings.Count(t.logs(), "an unhandled delivery is resumed")
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.extra) > late+resumed {
		t.violation("%d answers that no one requested, or second answers, but only %d late acks and %d resumed deliveries: %q",
			len(t.extra), late, resumed, t.extra)
	}
}
