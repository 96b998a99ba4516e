package audit_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dhbot/internal/audit"
	"dhbot/internal/test/memstore"
)

// TestSince: exactly the entries from then on, whatever the trail's length and
// however the replicas' clocks differ within what is allowed.
func TestSince(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		store := memstore.New(memstore.Config{})
		begin := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		n := rapid.IntRange(0, 700).Draw(rt, "entries")
		every := time.Duration(rapid.IntRange(1, 600).Draw(rt, "seconds")) * time.Second
		skew := rapid.SliceOfN(rapid.IntRange(-20, 20), 7, 7).Draw(rt, "skew")
		var times []time.Time
		for i := range n {
			at := begin.Add(time.Duration(i)*every + time.Duration(skew[i%len(skew)])*time.Second)
			times = append(times, at)
			if err := store.Append(t.Context(), audit.Record{At: at, Kind: audit.Note}, ""); err != nil {
				rt.Fatal(err)
			}
		}
		then := begin.Add(time.Duration(rapid.IntRange(-10, n+10).Draw(rt, "then")) * every)
		want := 0
		for _, at := range times {
			if !at.Before(then) {
				want++
			}
		}
		got := 0
		err := audit.Since(t.Context(), store, then, func(s audit.Sealed) error {
			if s.Record.At.Before(then) {
				rt.Errorf("#%d is of %s, before %s", s.N, s.Record.At, then)
			}
			got++
			return nil
		})
		if err != nil || got != want {
			rt.Errorf("%d of %d entries, %v", got, want, err)
		}
	})
}

func TestSinceGivesTheReadersErrorBack(t *testing.T) {
	store := memstore.New(memstore.Config{})
	if err := store.Append(t.Context(), audit.Record{At: time.Now(), Kind: audit.Note}, ""); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	if err := audit.Since(t.Context(), store, time.Time{}, func(audit.Sealed) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}
