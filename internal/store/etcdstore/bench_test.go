package etcdstore_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdstore"
)

var read = audit.Record{
	Kind: audit.ReadDone, Person: "anna", Account: "T0123456/U0123456", Via: "slash", Cluster: "prod",
	Action: "status", Target: "db_dis on infra-1", Severity: "0", Text: "running, pid 40211, up 3 d",
}

// BenchmarkRead measures what a read command costs in the store: a claim, and the record that
// settles it.
func BenchmarkRead(b *testing.B) {
	for _, writers := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(writers, " in flight"), func(b *testing.B) {
			s := open(b, etcdstore.Config{Dir: b.TempDir()})
			stop := run(b, s)
			payload := make([]byte, 1000)
			before := s.Txns()
			start := time.Now()
			each(b, writers, func(i int) error {
				key := fmt.Sprint("slash/", i)
				if _, err := s.Claim(b.Context(), key, payload); err != nil {
					return err
				}
				r := read
				r.At = time.Now()
				return s.Append(b.Context(), r, key)
			})
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "reads/s")
			b.ReportMetric(float64(s.Txns()-before)/float64(b.N), "txns/read")
			b.StopTimer()
			stop()
		})
	}
}

// BenchmarkCommit measures one change of a run, with its record.
func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 10} {
		b.Run(fmt.Sprint(writers, " runs"), func(b *testing.B) {
			s := open(b, etcdstore.Config{Dir: b.TempDir()})
			stop := run(b, s)
			free := make(chan engine.Stored, writers)
			for range writers {
				free <- newRun(b, s)
			}
			b.ResetTimer()
			start := time.Now()
			each(b, writers, func(int) error {
				at := <-free
				c := change(at, engine.Running)
				rev, err := s.Commit(b.Context(), c)
				free <- engine.Stored{Run: c.Run, Rev: rev}
				return err
			})
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "commits/s")
			b.StopTimer()
			stop()
		})
	}
}

// BenchmarkSealing measures 100 writers while the sealer runs. It reports how long a record takes
// from its append to its place in the trail.
func BenchmarkSealing(b *testing.B) {
	s := open(b, etcdstore.Config{Dir: b.TempDir()})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	start := time.Now()
	each(b, 100, func(int) error {
		r := read
		r.At = time.Now()
		return s.Append(b.Context(), r, "")
	})
	wrote := time.Since(start)
	if _, err := s.Seal(ctx); err != nil {
		b.Fatal(err)
	}
	sealed := time.Since(start)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/wrote.Seconds(), "written/s")
	b.ReportMetric(float64(b.N)/sealed.Seconds(), "sealed/s")
	b.ReportMetric(float64((sealed-wrote).Microseconds())/1000, "lag-ms")
	h, err := s.Health(ctx)
	if err != nil || h.Sealed != uint64(b.N) {
		b.Fatalf("%d sealed of %d, %v", h.Sealed, b.N, err)
	}
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

// each calls f once for each number below b.N, from as many goroutines as writers says.
func each(b *testing.B, writers int, f func(i int) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= b.N {
					return
				}
				if err := f(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
