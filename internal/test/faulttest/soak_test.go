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

// soakKeep is how many entries of the trail the soak's store keeps: fewer than
// in earnest, so that the store is as full as it ever gets within minutes.
const soakKeep = 1000

// stillWaiting is how old a command is that has its answer.
const stillWaiting = 3 * time.Second

// TestSoak plays the traffic on one bot for a while, and weighs the bot every
// now and then: what it holds must not grow with what it has done. With
// DHBOT_FAULT_SOAK=30 it is played for thirty minutes, and prints the table.
func TestSoak(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("what a process weighs is read from /proc: ", err)
	}
	within := minutesOf(t, "DHBOT_FAULT_SOAK")
	each, keep := within/15, uint64(soakKeep)
	if within == 0 { // by itself: what is measured is not the rounds beside it
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
			// Whoever asked in the last moment may still be waiting.
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

// weigh asks the one replica what it weighs.
func (w *world) weigh() (burden, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, r := range w.alive() {
		return peek[burden](ctx, w.peekSock(r), "/burden")
	}
	return burden{}, fmt.Errorf("no replica lives")
}

// wantFlat compares the last third of a table with the second: the first is
// the bot growing into its work. What is compared must not have grown by a
// half, nor by more than what a few commands under way take.
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
