package audit_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dhbot/internal/audit"
	"dhbot/internal/test/memstore"
)

// TestScan checks that Scan finds exactly the entries since a time, for trails of any length, and
// for replicas whose clocks differ within the allowed limit.
func TestScan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		store := memstore.New(memstore.Config{})
		begin := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		n := rapid.IntRange(0, 700).Draw(rt, "entries")
		every := time.Duration(rapid.IntRange(1, 600).Draw(rt, "seconds")) * time.Second
		skew := rapid.SliceOfN(rapid.IntRange(-20, 20), 7, 7).Draw(rt, "skew")
		var records []audit.Record
		for i := range n {
			at := begin.Add(time.Duration(i)*every + time.Duration(skew[i%len(skew)])*time.Second)
			r := audit.Record{At: at, Kind: audit.Note, Person: []string{"anna", "ben", "cleo"}[i%5%3]}
			records = append(records, r)
			if err := store.Append(t.Context(), r, ""); err != nil {
				rt.Fatal(err)
			}
		}
		then := begin.Add(time.Duration(rapid.IntRange(-10, n+10).Draw(rt, "then")) * every)
		q := audit.Query{Since: then, Newest: rapid.SampledFrom([]int{0, 1, 10, 500, audit.All}).Draw(rt, "newest")}
		if rapid.Bool().Draw(rt, "by person") {
			q.Wants = func(b audit.Brief) bool { return b.Person == "anna" }
		}
		var want []uint64
		for i, r := range records {
			if !r.At.Before(then) && (q.Wants == nil || r.Person == "anna") {
				want = append(want, uint64(i+1))
			}
		}
		left := max(0, len(want)-q.Newest)
		want = want[left:]
		var got []uint64
		older, err := store.Find(t.Context(), q, func(s audit.Sealed) error {
			got = append(got, s.N)
			return nil
		})
		if err != nil || older != left || !slices.Equal(got, want) {
			rt.Errorf("entries %v and %d older, %v, want %v and %d", got, older, err, want, left)
		}
	})
}

func TestScanGivesTheReadersErrorBack(t *testing.T) {
	store := memstore.New(memstore.Config{})
	if err := store.Append(t.Context(), audit.Record{At: time.Now(), Kind: audit.Note}, ""); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	for _, newest := range []int{1, audit.All} {
		_, err := store.Find(t.Context(), audit.Query{Newest: newest}, func(audit.Sealed) error { return enough })
		if !errors.Is(err, enough) {
			t.Errorf("got %v", err)
		}
	}
}
