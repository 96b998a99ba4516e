package etcdstore_test

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
	"dhbot/internal/pause"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/keymap"
)

var million = flag.Int("million", 1_000_000, "records of the trail in BenchmarkMillion")

const (
	year      = 365 * 24 * time.Hour
	inSegment = 5_000
	// inStore is how many of the newest records are in etcd. All older records are in the archive.
	inStore      = 2 * inSegment
	peopleOfYear = 25
)

// BenchmarkMillion compares a trail of a million records from one year with a trail of a thousand
// records. It measures how long it takes to append a record, to open a store whose trail is mostly
// in the archive, and to answer the queries of `audit`, `timeline` and `bot audit show`.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		small, large := ofYear(b, 1000), ofYear(b, *million)
		one, other := appending(b, small, large)
		fmt.Printf("append, median of 500: %v at a thousand records, %v at %d\n", one, other, *million)
		b.ReportMetric(float64(other)/float64(one), "append-ratio")
		again := opening(b, large)
		fmt.Printf("opening: %v with a thousand records, %v with %d\n", opening(b, small), again, *million)
		b.ReportMetric(float64(again.Milliseconds()), "start-ms")
		querying(b, large)
		b.ReportMetric(0, "ns/op") // the time of the whole benchmark means nothing
	}
}

// ofYear makes a store with count records from the last year. It writes the archive's files as the
// store would write them. It puts the newest records into etcd, one per chunk, as if a bot had
// sealed a record every 30 seconds.
func ofYear(b *testing.B, count int) etcdstore.Config {
	b.Helper()
	start := time.Now()
	dir := b.TempDir()
	conf := etcdstore.Config{
		Dir: filepath.Join(dir, "state"), Archive: filepath.Join(dir, "archive"), KeyFile: filepath.Join(b.TempDir(), "state.key"),
		AppendEach: time.Microsecond,
	}
	next, stop := iter.Pull(entriesOfYear(count))
	defer stop()
	var last audit.Sealed
	segment := func(yield func(audit.Sealed, error) bool) {
		for range inSegment {
			last, _ = next()
			if !yield(last, nil) {
				return
			}
		}
	}
	a := archive.New(conf.Archive)
	for last.N+inSegment+inStore <= uint64(count) {
		if _, err := a.PutSegment(audit.Head{N: last.N, Hash: last.Hash}, segment); err != nil {
			b.Fatal(err)
		}
	}
	etcd, err := etcdconn.Open(b.Context(), etcdconn.Config{
		Dir: conf.Dir, Timeout: 30 * time.Second, Quota: 2 << 30, KeepHistory: 2000, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	keys := keymap.Keys(etcdstore.DefaultPrefix)
	var line []byte
	var ops []clientv3.Op
	put := func() {
		if _, err := etcd.Send(b.Context(), "filling the store", nil, ops, nil); err != nil {
			b.Fatal(err)
		}
		ops = nil
	}
	for e, more := next(); more; e, more = next() {
		if line, err = audit.CanonicalEntry(e); err != nil {
			b.Fatal(err)
		}
		ops = append(ops, clientv3.OpPut(keys.Chunk(e.N), string(line)+"\n"))
		if len(ops) == etcdconn.MaxOps {
			put()
		}
	}
	ops = append(ops, clientv3.OpPut(keys.Head(), string(line)))
	put()
	if err := etcd.Close(func(context.Context) {}); err != nil {
		b.Fatal(err)
	}
	s := open(b, conf) // Open signs the store
	if _, err := s.Seal(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("%d records, of which %d in the archive, made in %v\n", count, last.N, time.Since(start).Round(time.Second))
	return conf
}

// entriesOfYear yields records of reads by several people. After every 48 reads follows a run with
// twelve records.
func entriesOfYear(count int) iter.Seq[audit.Sealed] {
	every := year / time.Duration(count)
	began := time.Now().Add(-year)
	return func(yield func(audit.Sealed) bool) {
		var last audit.Sealed
		prev := ""
		for i := range count {
			person := personOfYear(i / 7)
			r := audit.Record{
				At: began.Add(time.Duration(i) * every), Kind: audit.ReadDone, Person: person, Account: "T0123456/U0" + person, Via: "slash",
				Cluster: []string{"prod", "uat", "dev"}[i%3], Action: "status", Target: processOfYear(i/5) + " on infra-" + fmt.Sprint(i%4),
				Severity: "0", Text: "running, pid 40211, up 3 d",
			}
			if seq := i%60 - 47; seq >= 1 {
				r.Run, r.Person, r.Kind = runOfYear(i/60), personOfYear(i/60), audit.Reminded
				r.Digest, r.Command = strings.Repeat("0a", 32), "sudo -n -u irisadmin monit restart db_dis"
				if seq == 1 {
					r.Kind, prev = audit.Requested, ""
				}
				r = audit.Link(r, seq, prev)
				prev = audit.Hash(r)
			} else {
				r = audit.Link(r, 0, "")
			}
			last = audit.Seal(last, 1, r)
			if !yield(last) {
				return
			}
		}
	}
}

func personOfYear(i int) string  { return fmt.Sprint("person", i%peopleOfYear) }
func processOfYear(i int) string { return fmt.Sprint("process_", i%60) }
func runOfYear(i int) string     { return fmt.Sprintf("R-%06d", i) }

// appending appends records to two stores in turn, while both seal. It returns the median time of
// an append for each store.
func appending(b *testing.B, small, large etcdstore.Config) (one, other time.Duration) {
	b.Helper()
	var took [2][]time.Duration
	var stores [2]*etcdstore.Store
	ctx, cancel := context.WithCancel(b.Context())
	sealed := make(chan error)
	for i, c := range []etcdstore.Config{small, large} {
		s := open(b, c)
		stores[i] = s
		go func() {
			var err error
			for err == nil && pause.For(ctx, 100*time.Millisecond) {
				_, err = s.Seal(context.WithoutCancel(ctx))
			}
			sealed <- err
		}()
	}
	for range 500 {
		for i, s := range stores {
			r := read
			r.At = time.Now()
			start := time.Now()
			if err := s.Append(b.Context(), r, ""); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	cancel()
	for range stores {
		if err := <-sealed; err != nil {
			b.Fatal(err)
		}
	}
	for _, s := range stores {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return median(took[0]), median(took[1])
}

// opening returns the median time from opening a store until it accepts records.
func opening(b *testing.B, c etcdstore.Config) time.Duration {
	b.Helper()
	took := make([]time.Duration, 5)
	for i := range took {
		start := time.Now()
		s := open(b, c)
		r := read
		r.At = time.Now()
		if err := s.Append(b.Context(), r, ""); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return median(took)
}

// querying measures queries that use the indexes of the archive, and prints their cost.
func querying(b *testing.B, c etcdstore.Config) {
	b.Helper()
	s := open(b, c)
	mentions := func(process string) func(audit.Brief) bool {
		return func(r audit.Brief) bool { return slices.Contains(strings.Fields(r.Target), process) }
	}
	by := func(person string) func(audit.Brief) bool {
		return func(r audit.Brief) bool { return r.Person == person }
	}
	of := func(run string) func(audit.Brief) bool { return func(r audit.Brief) bool { return r.Run == run } }
	days := func(n int) time.Time { return time.Now().Add(-time.Duration(n) * 24 * time.Hour) }
	const shown = 5000 // as `audit` and `timeline` show
	before := heap()
	print("31 days, without indexes", b, s, audit.Query{Since: days(31), Newest: shown}, 1)
	print("a year, without most indexes", b, s, audit.Query{Newest: shown}, 1)
	fmt.Printf("the indexes have %d MB\n", (heap()-before)>>20)
	for _, q := range []struct {
		name string
		audit.Query
	}{
		{"1 day", audit.Query{Since: days(1), Newest: shown}},
		{"7 days", audit.Query{Since: days(7), Newest: shown}},
		{"31 days", audit.Query{Since: days(31), Newest: shown}},
		{"31 days of a person", audit.Query{Since: days(31), Newest: shown, Wants: by("person3")}},
		{"31 days of a process", audit.Query{Since: days(31), Newest: shown, Wants: mentions("process_7")}},
		{"31 days of a run", audit.Query{Since: days(31), Newest: shown, Wants: of(runOfYear(*million / 60 * 19 / 20))}},
		{"a year of a person, the newest", audit.Query{Newest: shown, Wants: by("person3")}},
		{"a year of a run", audit.Query{Newest: audit.All, Wants: of(runOfYear(*million / 180))}},
		{"a year of a person who is not in it", audit.Query{Newest: audit.All, Wants: by("nobody")}},
		{"a year of a process, all", audit.Query{Newest: audit.All, Wants: mentions("process_7")}},
		{"a year of a person, all", audit.Query{Newest: audit.All, Wants: by("person3")}},
	} {
		print(q.name, b, s, q.Query, 5)
	}
	runtime.KeepAlive(s)
}

// print repeats a query, and prints its median duration and its processor time. Other work on the
// machine hardly changes the processor time.
func print(name string, b *testing.B, s *etcdstore.Store, q audit.Query, times int) {
	b.Helper()
	var took []time.Duration
	var n, older int
	used := processorTime(b)
	for range times {
		n = 0
		start := time.Now()
		var err error
		if older, err = s.Find(b.Context(), q, func(audit.Sealed) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	used = (processorTime(b) - used) / time.Duration(times)
	fmt.Printf("%s: %v, %v of a processor, %d records and %d older\n",
		name, median(took).Round(100*time.Microsecond), used.Round(100*time.Microsecond), n, older)
	b.ReportMetric(float64(median(took).Microseconds())/1000, strings.NewReplacer(" ", "-", ",", "").Replace(name)+"-ms")
}

// processorTime returns how much processor time this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap is the memory in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
