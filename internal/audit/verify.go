package audit

import (
	"fmt"
	"iter"
)

// Head names an entry that somebody kept outside the store: posted in a
// channel, printed, copied. Only such a head shows that the end of a trail
// was cut off, or that all of it was made anew.
type Head struct {
	N    uint64
	Hash string
}

// Options say where a verified stretch of the trail lies.
type Options struct {
	// After is the entry before the first one; zero for a whole trail. For a
	// stretch from the middle, the chains of runs that began before it are
	// followed from where they come into sight.
	After Head
	// Heads must be found in the trail, unless they lie before After.
	Heads []Head
}

// Report is what a verified trail holds.
type Report struct {
	Entries uint64 // how many
	Runs    int    // how many runs have records of their own among them
	Head    Head   // the last entry; After where there is none
}

// BrokenError is the first thing that is wrong with a trail.
type BrokenError struct {
	N    uint64 // number of the entry where it shows
	Text string // what is wrong, in one sentence
}

func (e *BrokenError) Error() string { return fmt.Sprintf("audit entry %d: %s", e.N, e.Text) }

// Verify reads a trail to its end and says whether it is unbroken: numbers
// without gaps, revisions that never go back, every hash right, every link
// right, the records of each run complete and in order, and each head kept
// elsewhere found. The error is a *BrokenError for the first thing wrong, or
// whatever reading failed with; the report then says how far it held.
func Verify(trail iter.Seq2[Sealed, error], o Options) (Report, error) {
	v := verifier{
		last:    Sealed{N: o.After.N, Hash: o.After.Hash},
		runs:    map[string]link{},
		partial: o.After.N > 0,
		heads:   map[uint64]string{},
		report:  Report{Head: o.After},
	}
	for _, h := range o.Heads {
		if other, twice := v.heads[h.N]; twice && other != h.Hash {
			return v.report, &BrokenError{h.N, "two different heads with this number were kept elsewhere: there have been two trails"}
		}
		v.heads[h.N] = h.Hash
	}
	if h, ok := v.heads[o.After.N]; ok && h != o.After.Hash {
		return v.report, &BrokenError{o.After.N, rewritten}
	}
	for s, err := range trail {
		if err != nil {
			return v.report, fmt.Errorf("after audit entry %d: %w", v.last.N, err)
		}
		if err := v.next(s); err != nil {
			return v.report, err
		}
	}
	for _, h := range o.Heads {
		if h.N > v.last.N {
			return v.report, &BrokenError{v.last.N + 1, fmt.Sprintf(
				"missing: the trail ends at %d, but the head kept elsewhere is number %d; its end was cut off", v.last.N, h.N)}
		}
	}
	return v.report, nil
}

const rewritten = "it is not the entry that was kept elsewhere under this number: the trail was made anew from here or from before"

// link is the newest record of one run.
type link struct {
	seq  int
	hash string
}

type verifier struct {
	last    Sealed
	runs    map[string]link
	partial bool
	heads   map[uint64]string
	report  Report
}

// next checks one entry against everything before it.
func (v *verifier) next(s Sealed) error {
	if err := Follows(Head{v.last.N, v.last.Hash}, s); err != nil {
		return err
	}
	if s.Rev < v.last.Rev || s.Rev <= 0 {
		return &BrokenError{s.N, fmt.Sprintf("its revision %d does not follow %d: records were put out of order", s.Rev, v.last.Rev)}
	}
	if _, err := Canonical(s.Record); err != nil {
		return &BrokenError{s.N, err.Error()}
	}
	if err := v.nextOfRun(s); err != nil {
		return err
	}
	if kept, ok := v.heads[s.N]; ok && kept != s.Hash {
		return &BrokenError{s.N, rewritten}
	}
	v.last = s
	v.report.Entries++
	v.report.Runs = len(v.runs)
	v.report.Head = Head{s.N, s.Hash}
	return nil
}

// Follows says whether s is genuine and the next entry after prev: its number,
// its own hash and its link. The error is a *BrokenError. Verify asks more.
func Follows(prev Head, s Sealed) error {
	want := prev.N + 1
	switch {
	case s.N > want:
		return &BrokenError{want, fmt.Sprintf("missing: entry %d is followed by entry %d", prev.N, s.N)}
	case s.N < want:
		return &BrokenError{s.N, fmt.Sprintf("it comes after entry %d: repeated or out of order", prev.N)}
	case s.Hash != entryHash(s):
		return &BrokenError{s.N, "its hash does not fit its content: it was changed after it was sealed"}
	case s.Prev != prev.Hash:
		return &BrokenError{s.N, fmt.Sprintf("it does not continue entry %d: one of the two was replaced", prev.N)}
	default:
		return nil
	}
}

// nextOfRun checks a run's own chain. A record that only mentions a run, such
// as a refused vote, has no number in it.
func (v *verifier) nextOfRun(s Sealed) error {
	r := s.Record
	if r.Seq == 0 {
		return nil
	}
	before, seen := v.runs[r.Run]
	switch {
	case !seen && v.partial: // began before this stretch, perhaps
	case r.Seq != before.seq+1:
		return &BrokenError{s.N, fmt.Sprintf("record %d of run %s follows its record %d: records of the run are missing or out of order", r.Seq, r.Run, before.seq)}
	case r.Prev != before.hash:
		return &BrokenError{s.N, fmt.Sprintf("record %d of run %s does not continue its record %d", r.Seq, r.Run, before.seq)}
	}
	v.runs[r.Run] = link{r.Seq, Hash(r)}
	return nil
}
