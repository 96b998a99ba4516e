package faulttest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"dhbot/internal/pause"
)

// soakKeep is the number of trail entries in the soak's store: fewer than in
// production, so that the store reaches its full size within minutes.
const soakKeep = 1000

// stillWaiting is the age at which a command must have its answer.
const stillWaiting = 3 * time.Second

// TestSoak plays the traffic on one bot and measures its resource use
// regularly: it must not grow with the number of commands. With
// DHBOT_FAULT_SOAK=30 it runs for thirty minutes and prints the table.
func TestSoak(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("what a process weighs is read from /proc: ", err)
	}
	within := minutesOf(t, "DHBOT_FAULT_SOAK")
	each, keep := within/15, uint64(soakKeep)
	if within == 0 { // not in parallel with rounds, which would disturb the measurement
		longOnly(t)
		within, each, keep = 12*time.Second, 2*time.Second, 20
	}
	w := makeWorld(t, setup{shape: embedded, earnest: true, channels: manyChannels(10), keep: keep})
	tr := newTraffic(&people{world: w}, perMinute)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var (
		weighing sync.WaitGroup
		table    []weight
	)
	began := time.Now()
	t.Logf("%8s %9s %9s %9s %10s %5s %9s %9s %7s %7s %9s", "after", "commands", "RSS", "heap", "goroutines", "files", "database", "in use", "trail", "stored", "p99")
	weighing.Go(func() {
		for last := began; pause.For(ctx, each); last = time.Now() {
			b, err := w.weigh()
			if err != nil {
				w.violation("the bot cannot be weighed: %v", err)
				continue
			}
			// The most recent requesters may still be waiting.
			row := weight{time.Since(began), tr.count(began, time.Time{}).commands, b, tr.count(last.Add(-stillWaiting), time.Now().Add(-stillWaiting)).p99}
			table = append(table, row)
			t.Logf("%s", row)
		}
	})
	tr.flow(ctx)
	weighing.Wait()
	t.Logf("%s in %v", tr.count(time.Time{}, time.Time{}), time.Since(began).Round(time.Second))
	for text, n := range tr.refusals() {
		t.Logf("%d times: %s", n, text)
	}
	w.wantFlat(table)
	tr.finish(t, "DHBOT_FAULT_SOAK=30 go test -timeout 0 -v -run Soak ./internal/test/faulttest")
}

// weight is a row of the soak's table.
type weight struct {
	after    time.Duration
	commands int
	burden
	p99 time.Duration
}

func (w weight) String() string {
	mb := func(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
	return fmt.Sprintf("%8v %9d %9s %9s %10d %5d %9s %9s %7d %7d %9v", w.after.Round(time.Second), w.commands, mb(w.RSS), mb(w.Heap),
		w.Goroutines, w.Descriptors, mb(w.Size), mb(w.InUse), w.Sealed, w.Sealed-w.Stored+1, w.p99)
}

// weigh returns the resource use of the only replica.
func (w *world) weigh() (burden, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, r := range w.alive() {
		return peek[burden](ctx, w.peekSock(r), "/burden")
	}
	return burden{}, fmt.Errorf("no replica lives")
}

// wantFlat compares the last third of a table with the second; the first is the
// warm-up. No value may have grown by a half, or by more than a few commands in
// progress need.
func (w *world) wantFlat(table []weight) {
	if len(table) < 3 {
		w.violation("%d weighings tell nothing", len(table))
		return
	}
	third := len(table) / 3
	middle, end := table[third:len(table)-third], table[len(table)-third:]
	for _, c := range []struct {
		what  string
		of    func(weight) int64
		slack int64
	}{
		{"heap", func(w weight) int64 { return w.Heap }, 8 << 20},
		{"goroutines", func(w weight) int64 { return int64(w.Goroutines) }, 60},
		{"open files", func(w weight) int64 { return int64(w.Descriptors) }, 20},
		{"bytes of the database in use", func(w weight) int64 { return w.InUse }, 4 << 20},
	} {
		before, after := most(middle, c.of), most(end, c.of)
		if after > before*3/2 && after > before+c.slack {
			w.violation("the %s grew from %d to %d", c.what, before, after)
		}
	}
}

func most(rows []weight, of func(weight) int64) int64 {
	var n int64
	for _, r := range rows {
		n = max(n, of(r))
	}
	return n
}
