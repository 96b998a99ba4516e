package faulttest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"dhbot/internal/pause"
)

// A soak plays a day in less time, so the store keeps less, in proportion. It keeps soakKeep
// entries of the trail, and a fortieth of that number of ended runs. It keeps deliveries for the
// same share of the day as in production. The store reaches these limits within the first hour of
// that day.
const (
	soakHours  = 24
	soakKeep   = 300
	keepClaims = 75 * time.Minute // etcdstore's default
)

// stillWaiting is how long a command may wait for its answer.
const stillWaiting = 3 * time.Second

// TestSoak plays a day's traffic on one bot, and measures its resource use every hour of that day.
// After the first hour, memory, files and store must not grow with the number of commands. With
// DHBOT_FAULT_SOAK=24 the day takes 24 minutes.
func TestSoak(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("there is no /proc to read the memory of a process from: ", err)
	}
	within := minutesOf(t, "DHBOT_FAULT_SOAK")
	keep := uint64(soakKeep)
	if within == 0 { // not in parallel with rounds, because they would disturb the measurement
		longOnly(t)
		within, keep = 24*time.Second, 40
	}
	hour := within / soakHours
	w := makeWorld(t, setup{
		shape: embedded, production: true, channels: manyChannels(10), keep: keep,
		keepClaims: time.Duration(hour.Hours() * float64(keepClaims)),
	})
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
		for last := began; pause.For(ctx, hour); last = time.Now() {
			b, err := w.measureUsage()
			if err != nil {
				w.violation("the bot cannot be measured: %v", err)
				continue
			}
			// The 99th percentile omits the most recent commands, which may still wait for their
			// answers.
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
	tr.finish(t, "DHBOT_FAULT_SOAK=24 go test -timeout 0 -v -run Soak")
}

// weight is a row of the table that TestSoak prints.
type weight struct {
	after    time.Duration
	commands int
	usage
	p99 time.Duration
}

func (w weight) String() string {
	mb := func(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
	return fmt.Sprintf("%8v %9d %9s %9s %10d %5d %9s %9s %7d %7d %9v", w.after.Round(time.Second), w.commands, mb(w.RSS), mb(w.Heap),
		w.Goroutines, w.Descriptors, mb(w.Size), mb(w.InUse), w.Sealed, w.Sealed-w.Stored+1, w.p99)
}

// measureUsage returns how many resources the only replica uses.
func (w *world) measureUsage() (usage, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, r := range w.alive() {
		return peek[usage](ctx, w.peekSock(r), "/usage")
	}
	return usage{}, fmt.Errorf("no replica runs")
}

// wantFlat compares the first and the second half of the day. It omits the first hour, in which the
// bot warms up and the store fills. A median must not grow by more than a tenth, unless a few
// commands in progress can explain the growth.
func (w *world) wantFlat(table []weight) {
	if len(table) < 6 {
		w.violation("%d measurements are too few", len(table))
		return
	}
	table = table[1:]
	before, after := table[:len(table)/2], table[len(table)/2:]
	for _, c := range []struct {
		what  string
		of    func(weight) int64
		slack int64
	}{
		{"resident memory", func(w weight) int64 { return w.RSS }, 8 << 20},
		{"heap", func(w weight) int64 { return w.Heap }, 2 << 20},
		{"goroutines", func(w weight) int64 { return int64(w.Goroutines) }, 30},
		{"open files", func(w weight) int64 { return int64(w.Descriptors) }, 10},
		{"database", func(w weight) int64 { return w.Size }, 2 << 20},
		{"part of the database that is in use", func(w weight) int64 { return w.InUse }, 1 << 20},
	} {
		first, second := median(before, c.of), median(after, c.of)
		if second > first*11/10 && second > first+c.slack {
			w.violation("the %s grew from %d to %d", c.what, first, second)
		}
	}
}

// median returns the middle value. Commands that are in progress at one measurement do not affect
// it.
func median(rows []weight, of func(weight) int64) int64 {
	values := make([]int64, len(rows))
	for i, r := range rows {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
