package etcdstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
	"dhbot/internal/store/etcdstore"
)

// TestFind checks that queries of archive and store find the same as a search of the whole trail,
// even if a process died after it archived a segment and before it deleted the segment from the
// store.
func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	began := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, small(dir))
	check := func(when string) {
		t.Helper()
		checkFind(t, s, when, began)
	}
	check("an empty trail")
	n := 0
	more := func(count int) {
		t.Helper()
		for range count {
			r := audit.Record{
				At: began.Add(time.Duration(n) * time.Minute), Kind: audit.Note, Text: fmt.Sprint("note ", n),
				Person: []string{"anna", "ben", "cleo"}[n/3%3], Target: fmt.Sprint("process_", n%11),
			}
			if err := s.Append(t.Context(), r, ""); err != nil {
				t.Fatal(err)
			}
			if n++; n%30 == 0 {
				sealed(t, s)
			}
		}
		sealed(t, s)
		posted(t, s)
	}
	more(90)
	check("all in the store")
	more(390)
	if m := moved(t, s); m.Entries == 0 {
		t.Fatal("nothing was archived")
	}
	check("mostly in the archive")
	first, _, err := s.FirstStored(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one := func(yield func(audit.Sealed, error) bool) {
		for e, err := range audit.Entries(t.Context(), s, first.N) {
			if e.N > first.N+59 || !yield(e, err) {
				return
			}
		}
	}
	if _, err := archive.New(small(dir).Archive).PutSegment(audit.Head{N: first.N - 1, Hash: first.Prev}, one); err != nil {
		t.Fatal(err)
	}
	check("a part in both")
	moved(t, s)
	check("archived again")
}

// checkFind compares the results of queries with a search of the whole trail.
func checkFind(t *testing.T, s *etcdstore.Store, when string, began time.Time) {
	t.Helper()
	var all []audit.Sealed
	if err := s.Trail(t.Context(), 1, func(e audit.Sealed) error { all = append(all, e); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{-time.Hour, 50 * time.Minute, 300 * time.Minute, 400 * time.Minute, 1000 * time.Minute} {
		for name, wants := range map[string]func(audit.Brief) bool{
			"all": nil, "by person": func(b audit.Brief) bool { return b.Person == "ben" },
			"by process": func(b audit.Brief) bool { return b.Target == "process_4" },
		} {
			for _, newest := range []int{0, 7, 150, audit.All} {
				q := audit.Query{Since: began.Add(after), Wants: wants, Newest: newest}
				if after < 0 {
					q.Since = time.Time{}
				}
				var want, got []audit.Sealed
				for _, e := range all {
					if q.Selects(e.Record) {
						want = append(want, e)
					}
				}
				left := max(0, len(want)-newest)
				want = want[left:]
				older, err := s.Find(t.Context(), q, func(e audit.Sealed) error { got = append(got, e); return nil })
				if err != nil || older != left || !slices.Equal(got, want) {
					t.Errorf("%s, %s, %v after the begin, the newest %d: %d entries and %d older, %v, want %d and %d",
						when, name, after, newest, len(got), older, err, len(want), left)
				}
			}
		}
	}
}
