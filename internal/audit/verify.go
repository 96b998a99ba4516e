package audit

import (
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"
)

// Head identifies an entry. A head kept outside the store (posted in a channel, printed, copied) is
// the only proof that the trail was not rewritten, or cut off at its end.
type Head struct {
	N    uint64
	Hash string
}

// Options describe the verified part of the trail and its heads.
type Options struct {
	// After is the head before the part, or zero for a whole trail. The chain of a run that began
	// before the part is verified from the run's first record in the part.
	After Head
	// Heads are heads that were kept outside the store. The trail must contain each of them.
	Heads []Head
	// Signed are heads with verified signatures. For a whole trail, the Merkle root in each
	// head must also equal the root of the trail.
	Signed []SignedHead
	// Anchored refuses a trail if no head confirms any of its entries, and a part if no head
	// confirms its start. Without a head, anybody could have changed the file and computed its
	// hashes again. Entries after the newest confirmed entry are accepted: see Report.Vouched.
	Anchored bool
	// Rules are the approval rules that each run must obey. If Rules is nil, only the form of
	// the trail is checked, not what the records of a run say.
	Rules *Rules
}

// Report summarizes a verified trail.
type Report struct {
	Entries uint64 // how many
	Runs    int    // number of runs with their own records
	First   uint64 // number of the first entry, 0 for none
	Head    Head   // the last entry; Options.After if there is none
	// Vouched is the number of the newest entry that a head confirms, or 0. Signed is the newest
	// signed head that was found in the trail, or nil.
	Vouched uint64
	Signed  *SignedHead
	// Forgotten are the known heads whose entries were lost in a restore, according to the trail.
	Forgotten []Head
	// Alarms are the entries in which the bot reports runs, heads or witnesses in the store that
	// differ from what the bot wrote.
	Alarms []Sealed
}

// BrokenError describes the first violation in a trail.
type BrokenError struct {
	N    uint64 // number of its entry
	Text string // the violation, in one sentence
}

func (e *BrokenError) Error() string { return fmt.Sprintf("audit entry %d: %s", e.N, e.Text) }

// Verify reads a trail to its end and checks that it is unbroken. Numbers must have no gaps, except
// before a Restored record. Revisions must never decrease, and hashes and links must be correct.
// The records of each run must be complete and in order. Each head must be found, and if there are
// rules, each run must obey them. The error is a *BrokenError for the first violation, or a read
// error. The report then covers the entries before the error.
func Verify(trail iter.Seq2[Sealed, error], o Options) (Report, error) {
	v := verifier{
		last:    Sealed{N: o.After.N, Hash: o.After.Hash},
		runs:    map[string]link{},
		partial: o.After.N > 0,
		report:  Report{Head: o.After},
	}
	if o.Rules != nil {
		v.meaning = newMeaning(*o.Rules)
	}
	var err error
	if v.heads, err = collect(o); err != nil {
		return v.report, err
	}
	for e, err := range batched(trail, Sealed.size, hashed) {
		if err != nil {
			return v.report, fmt.Errorf("after audit entry %d: %w", v.last.N, err)
		}
		if err := v.next(&e); err != nil {
			return v.report, err
		}
	}
	return v.report, v.end(o)
}

const rewritten = "it is not the entry that was kept elsewhere under this number: the trail was rewritten from here or earlier"

// link is the number and the hash of the newest record of a run.
type link struct {
	seq  int
	hash string
}

type verifier struct {
	last    Sealed
	tree    Tree // for a whole trail
	runs    map[string]link
	partial bool
	heads   *heads
	meaning *meaning // nil if only the form is checked
	report  Report
}

// hashes has an entry, and the hashes that can be computed without other entries.
type hashes struct {
	Sealed
	entry  string    // the correct hash
	record string    // of a record in a run's chain
	leaf   tlog.Hash // in the tree
	err    error     // why the entry has no canonical form
}

func hashed(s Sealed) hashes {
	h := hashes{Sealed: s}
	written(func(b []byte) []byte {
		b = appendEntryHead(b, s)
		head := len(b)
		b = appendRecord(b, s.Record)
		if s.Record.Seq > 0 {
			h.record = labelled(recordLabel, b[head:])
		}
		end := len(b)
		b = append(b, '}')
		h.entry = labelled(entryLabel, b)
		b = appendEntryHash(b[:end], s)
		h.leaf = tlog.RecordHash(b)
		h.err = canonical(s.Record, end-head)
		return b
	})
	return h
}

// next checks whether an entry may follow the entries before it.
func (v *verifier) next(e *hashes) error {
	s := &e.Sealed
	if err := follows(Head{v.last.N, v.last.Hash}, s, e.entry); err != nil {
		return err
	}
	if s.Rev < v.last.Rev || s.Rev <= 0 {
		return &BrokenError{s.N, fmt.Sprintf("its revision %d does not follow %d: records were put out of order", s.Rev, v.last.Rev)}
	}
	if e.err != nil {
		return &BrokenError{s.N, e.err.Error()}
	}
	if err := v.nextOfRun(e); err != nil {
		return err
	}
	if v.meaning != nil {
		if err := v.meaning.next(s); err != nil {
			return err
		}
	}
	v.heads.forget(v.last.N, s)
	if !v.partial {
		v.tree.append(e.leaf)
	}
	if err := v.heads.found(s, &v.tree, !v.partial); err != nil {
		return err
	}
	if s.Record.Kind == Note && s.Record.Action == Alarm {
		v.report.Alarms = append(v.report.Alarms, *s)
	}
	v.last = *s
	if v.report.Entries++; v.report.First == 0 {
		v.report.First = s.N
	}
	v.report.Runs = len(v.runs)
	v.report.Head = Head{s.N, s.Hash}
	return nil
}

// end checks what is only certain at the end of the trail, such as missing heads.
func (v *verifier) end(o Options) error {
	v.report.Vouched, v.report.Signed = v.heads.vouched, v.heads.signed
	v.report.Forgotten = v.heads.forgotten
	if err := v.heads.missing(v.last.N); err != nil {
		return err
	}
	if o.Anchored && v.report.Vouched == 0 && v.report.Entries > 0 {
		return &BrokenError{v.last.N, fmt.Sprintf(
			"entries %d to %d fit together, but no known head confirms them: someone could have changed them and computed all hashes again. Pass a head that was kept elsewhere",
			v.report.First, v.last.N)}
	}
	return nil
}

// Follows checks the number, the hash and the link of s, which must be the next entry after prev.
// The error is a *BrokenError. Verify checks more.
func Follows(prev Head, s Sealed) error { return follows(prev, &s, entryHash(s)) }

func follows(prev Head, s *Sealed, hash string) error {
	want := prev.N + 1 + uint64(s.Record.Lost)
	switch {
	case s.N > want:
		return &BrokenError{want, fmt.Sprintf("missing: entry %d is followed by entry %d", prev.N, s.N)}
	case s.N < want:
		return &BrokenError{s.N, fmt.Sprintf("it comes after entry %d: repeated or out of order", prev.N)}
	case s.Hash != hash:
		return &BrokenError{s.N, "its hash does not fit its content: it was changed after it was sealed"}
	case s.Prev != prev.Hash:
		return &BrokenError{s.N, fmt.Sprintf("it does not continue entry %d: one of the two was replaced", prev.N)}
	default:
		return nil
	}
}

// nextOfRun checks whether a record continues the chain of its run. A record that only mentions a
// run, such as a refused vote, is not part of the chain.
func (v *verifier) nextOfRun(s *hashes) error {
	r := &s.Record
	if r.Seq == 0 {
		return nil
	}
	before, seen := v.runs[r.Run]
	switch {
	case !seen && v.partial: // the run may have begun before this part
	case r.Seq != before.seq+1:
		return &BrokenError{s.N, fmt.Sprintf("record %d of run %s follows its record %d: records of the run are missing or out of order", r.Seq, r.Run, before.seq)}
	case r.Prev != before.hash:
		return &BrokenError{s.N, fmt.Sprintf("record %d of run %s does not continue its record %d", r.Seq, r.Run, before.seq)}
	}
	v.runs[r.Run] = link{r.Seq, s.record}
	return nil
}
