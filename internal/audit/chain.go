package audit

import (
	"bytes"
	"fmt"
	"strconv"
)

// Seal gives a record its place in the trail: the number after prev's, and
// prev's hash. The first entry follows the zero Sealed. rev is the revision
// of the store that wrote the record.
func Seal(prev Sealed, rev int64, r Record) Sealed {
	s := Sealed{N: prev.N + 1, Rev: rev, Prev: prev.Hash, Record: r}
	s.Hash = entryHash(s)
	return s
}

// entryHash is the lower-case hex SHA-256 of a label and of the entry's line
// without its own hash.
func entryHash(s Sealed) string {
	return labelled("dhbot entry v1\n", append(appendEntry(nil, s), '}'))
}

// CanonicalEntry is the one byte form of a sealed entry, a line of the stored
// and of the exported trail, without the newline:
//
//	{"n":1,"rev":5,"prev":"…","record":{…},"hash":"…"}
//
// The hash is over the same bytes without `,"hash":"…"`. Strings and the
// record are written as Canonical does.
func CanonicalEntry(s Sealed) ([]byte, error) {
	if _, err := Canonical(s.Record); err != nil {
		return nil, fmt.Errorf("entry %d: %w", s.N, err)
	}
	b := append(appendEntry(nil, s), `,"hash":`...)
	return append(appendString(b, s.Hash), '}'), nil
}

// DecodeEntry reads what CanonicalEntry wrote, and nothing else. That the
// hash fits is for Verify to say.
func DecodeEntry(b []byte) (Sealed, error) {
	var s Sealed
	if err := strictJSON(b, &s); err != nil {
		return Sealed{}, refuse(b, err)
	}
	again, err := CanonicalEntry(s)
	if err != nil {
		return Sealed{}, err
	}
	if !bytes.Equal(again, b) {
		return Sealed{}, fmt.Errorf("entry %d: %w: not in canonical form", s.N, ErrForm)
	}
	return s, nil
}

// appendEntry writes an entry up to its record, without the closing brace.
func appendEntry(b []byte, s Sealed) []byte {
	b = append(b, `{"n":`...)
	b = strconv.AppendUint(b, s.N, 10)
	b = append(b, `,"rev":`...)
	b = strconv.AppendInt(b, s.Rev, 10)
	b = append(b, `,"prev":`...)
	b = appendString(b, s.Prev)
	b = append(b, `,"record":`...)
	return appendRecord(b, s.Record)
}

// CheckLinks says whether records may be stored together with a run that
// then has count records, the last with hash head: they belong to the run,
// are well-formed, and end its chain without a gap. No records are fine.
func CheckLinks(run string, records []Record, count int, head string) error {
	for i, r := range records {
		if r.Run != run {
			return fmt.Errorf("record %d of the change belongs to run %q, not to %q", i+1, r.Run, run)
		}
		if want := count - len(records) + 1 + i; r.Seq != want {
			return fmt.Errorf("record %d of the change to run %s has number %d, want %d", i+1, run, r.Seq, want)
		}
		if i > 0 && r.Prev != Hash(records[i-1]) {
			return fmt.Errorf("record %d of run %s does not continue the one before it", r.Seq, run)
		}
		if _, err := Canonical(r); err != nil {
			return fmt.Errorf("record %d of run %s: %w", r.Seq, run, err)
		}
	}
	if n := len(records); n > 0 && Hash(records[n-1]) != head {
		return fmt.Errorf("run %s does not name its last record as the head of its chain", run)
	}
	return nil
}
