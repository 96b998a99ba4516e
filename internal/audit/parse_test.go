package audit

import (
	"errors"
	"iter"
	"reflect"
	"slices"
	"testing"
	"time"
)

// The fast parser reads the same values as strictJSON, and leaves everything
// else to it.
func TestParseLikeJSON(t *testing.T) {
	exit := -1
	full := Record{
		At: time.Date(2026, 3, 9, 14, 2, 11, 956e6, time.UTC), Run: "R-7F3K", Kind: StepEnded, Person: "anna", Account: "T1/U1", Via: "slash", Replica: "b-0",
		Cluster: "prod", Action: "restart", Target: "db_dis on infra-1", Severity: "Sev 1", Digest: "d1", Step: 3, Host: "infra-1",
		Command: "monit restart db_dis", Outcome: "answered", Exit: &exit, Output: "o1", Text: "pid 1 → 2",
	}
	lost := Record{At: full.At, Kind: Restored, Lost: 7, Text: "put back"}
	for _, r := range []Record{Link(full, 2, "aa"), Link(lost, 0, ""), Link(Record{At: full.At, Kind: ReadDone}, 0, "")} {
		line, err := CanonicalEntry(Seal(Sealed{N: 4, Hash: "h"}, 9, r))
		if err != nil {
			t.Fatal(err)
		}
		var want Sealed
		if err := strictJSON(line, &want); err != nil {
			t.Fatal(err)
		}
		if got, ok := parseEntry(string(line)); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %+v", line, ok, got)
		}
		for i := range line { // the line cut short, and the line with a space too many
			for _, bad := range []string{string(line[:i]), string(line[:i]) + " " + string(line[i:])} {
				s, err := DecodeEntry([]byte(bad))
				if err != nil {
					continue
				}
				if again, err := CanonicalEntry(s); err != nil || string(again) != bad {
					t.Errorf("parsed: %s", bad)
				}
			}
		}
	}
	quoted, err := Canonical(Link(Record{At: full.At, Kind: Note, Text: `say "no"`}, 0, ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := parseRecord(string(quoted)); ok {
		t.Error("an escape was read")
	}
	if r, err := Decode(quoted); err != nil || r.Text != `say "no"` {
		t.Errorf("%v, %q", err, r.Text)
	}
}

// Results arrive complete and in order, until an error or until the reader
// stops.
func TestBatched(t *testing.T) {
	broken := errors.New("broken")
	numbers := func(n int) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := range n {
				if !yield(i, nil) {
					return
				}
			}
			yield(0, broken)
		}
	}
	for _, n := range []int{0, 1, batchItems - 1, batchItems, 3*batchItems + 7} {
		for _, size := range []int{1, batchBytes / 3} {
			var got []int
			var end error
			for v, err := range batched(numbers(n), func(int) int { return size }, func(i int) int { return 2 * i }) {
				if end = err; err == nil {
					got = append(got, v)
				}
			}
			if len(got) != n || !errors.Is(end, broken) || !slices.IsSorted(got) || n > 0 && got[n-1] != 2*(n-1) {
				t.Errorf("%d of %d, %v", len(got), n, end)
			}
		}
	}
	seen := 0
	for range batched(numbers(10*batchItems), func(int) int { return 1 }, func(i int) int { return i }) {
		if seen++; seen == 5 {
			break
		}
	}
	if seen != 5 {
		t.Errorf("%d after the reader had stopped", seen)
	}
}
