package etcdstore_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/store/etcdstore"
)

var million = flag.Int("million", 1_000_000, "records of the trail in BenchmarkMillion")

// BenchmarkMillion measures a trail of a million records, beside one of a thousand: appending a
// record, opening a store whose trail is mostly in the archive, and reading a part of it.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		conf := etcdstore.Config{
			Dir: filepath.Join(dir, "state"), Archive: filepath.Join(dir, "archive"), KeyFile: filepath.Join(b.TempDir(), "state.key"),
			AppendEach: time.Microsecond, ArchiveEach: time.Second, SealEach: 100 * time.Millisecond,
		}
		s := open(b, conf)
		stop := run(b, s)
		began := time.Now().Add(-365 * 24 * time.Hour)
		fillTrail(b, s, 0, 1000, began)
		small := appending(b, s)
		fillTrail(b, s, 1000, *million, began)
		archived(b, s)
		large := appending(b, s)
		stop()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		empty := conf
		empty.Dir, empty.KeyFile, empty.Archive = filepath.Join(dir, "fresh"), filepath.Join(b.TempDir(), "state.key"), filepath.Join(dir, "archive2")
		fresh, again := opening(b, empty), opening(b, conf)
		s = open(b, conf)
		fmt.Printf("append, median of 500: %v at a thousand records, %v at %d\n", small, large, *million)
		fmt.Printf("opening: %v with an empty trail, %v with %d records\n", fresh, again, *million)
		for _, days := range []int{1, 7, 31} {
			since := time.Now().Add(-time.Duration(days) * 24 * time.Hour)
			n := 0
			start := time.Now()
			if err := audit.Since(b.Context(), s, since, func(audit.Sealed) error { n++; return nil }); err != nil {
				b.Fatal(err)
			}
			took := time.Since(start)
			fmt.Printf("reading the newest %d days, %d records: %v\n", days, n, took)
			b.ReportMetric(float64(took.Milliseconds()), fmt.Sprintf("read-%dd-ms", days))
		}
		b.ReportMetric(float64(large)/float64(small), "append-ratio")
		b.ReportMetric(float64(again.Milliseconds()), "start-ms")
		b.ReportMetric(0, "ns/op") // of the whole: it means nothing
	}
}

// fillTrail appends records from number from on until there are so many. They lie a year apart
// altogether.
func fillTrail(b *testing.B, s *etcdstore.Store, from, to int, began time.Time) {
	b.Helper()
	every := 365 * 24 * time.Hour / time.Duration(*million)
	next := make(chan int)
	var writers sync.WaitGroup
	for range 200 {
		writers.Go(func() {
			for i := range next {
				r := read
				r.At = began.Add(time.Duration(i) * every)
				if err := s.Append(context.Background(), r, ""); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := from; i < to; i++ {
		next <- i
		if i%20_000 == 0 { // the posting to the audit channel, after which records may leave the store
			if err := s.SetTrailPosted(b.Context(), uint64(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
	close(next)
	writers.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// archived waits until the trail is sealed and all that may leave the store is in the archive.
func archived(b *testing.B, s *etcdstore.Store) {
	b.Helper()
	if _, err := s.Seal(b.Context()); err != nil {
		b.Fatal(err)
	}
	head, _, err := s.Head(b.Context())
	if err == nil {
		err = s.SetTrailPosted(b.Context(), head.N)
	}
	if err == nil {
		_, err = s.Archive(b.Context())
	}
	first, _, err2 := s.FirstStored(b.Context())
	if err := errors.Join(err, err2); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("%d records, of which %d in the archive\n", head.N, first.N-1)
}

// appending is the median time of appending one record.
func appending(b *testing.B, s *etcdstore.Store) time.Duration {
	b.Helper()
	took := make([]time.Duration, 500)
	for i := range took {
		r := read
		r.At = time.Now()
		start := time.Now()
		if err := s.Append(b.Context(), r, ""); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// opening is the median time of opening a store, until it takes records.
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
	slices.Sort(took)
	return took[len(took)/2]
}
