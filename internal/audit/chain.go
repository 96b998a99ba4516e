package audit

import (
	"bytes"
	"fmt"
	"strconv"
)

// Seal makes a record the entry after prev in the trail. The numbers between them are those of the
// entries that the store lost (r.Lost). For the first entry, prev is the zero Sealed. rev is the
// store's revision that wrote the record.
func Seal(prev Sealed, rev int64, r Record) Sealed {
	s := Sealed{N: prev.N + 1 + uint64(r.Lost), Rev: rev, Prev: prev.Hash, Record: r}
	s.Hash = entryHash(s)
	return s
}

// entryHash returns the lower-case hex SHA-256 of a label and the entry's line, without the field
// "hash".
func entryHash(s Sealed) (hash string) {
	written(func(b []byte) []byte {
		b = append(appendRecord(appendEntryHead(b, s), s.Record), '}')
		hash = labelled(entryLabel, b)
		return b
	})
	return hash
}

// CanonicalEntry returns the line of an entry in the stored and in the exported trail, without the
// newline:
//
//	{"n":1,"rev":5,"prev":"…","record":{…},"hash":"…"}
//
// The hash covers the same bytes without `,"hash":"…"`. Strings and the record are written like
// in Canonical.
func CanonicalEntry(s Sealed) (line []byte, err error) {
	written(func(b []byte) []byte {
		if b, err = appendEntry(b, s); err == nil {
			line = bytes.Clone(b)
		}
		return b
	})
	return line, err
}

// appendEntry appends the canonical form of an entry to b, or returns an error if it has none.
func appendEntry(b []byte, s Sealed) ([]byte, error) {
	b = appendEntryHead(b, s)
	head := len(b)
	b = appendRecord(b, s.Record)
	if err := canonical(s.Record, len(b)-head); err != nil {
		return b, fmt.Errorf("entry %d: %w", s.N, err)
	}
	return appendEntryHash(b, s), nil
}

// DecodeEntry parses the output of CanonicalEntry, and nothing else. It does not check the hash.
func DecodeEntry(b []byte) (Sealed, error) { return decodeEntry(string(b)) }

func decodeEntry(line string) (Sealed, error) {
	s, ok := parseEntry(line)
	if !ok {
		s = Sealed{}
		if err := strictJSON([]byte(line), &s); err != nil {
			return Sealed{}, refuse([]byte(line), err)
		}
	}
	var err error
	written(func(again []byte) []byte {
		if again, err = appendEntry(again, s); err == nil && string(again) != line {
			err = fmt.Errorf("entry %d: %w: not in canonical form", s.N, ErrForm)
		}
		return again
	})
	if err != nil {
		return Sealed{}, err
	}
	return s, nil
}

// appendEntryHead appends the part of an entry's line before the record.
func appendEntryHead(b []byte, s Sealed) []byte {
	b = append(b, `{"n":`...)
	b = strconv.AppendUint(b, s.N, 10)
	b = append(b, `,"rev":`...)
	b = strconv.AppendInt(b, s.Rev, 10)
	b = append(b, `,"prev":`...)
	b = appendString(b, s.Prev)
	return append(b, `,"record":`...)
}

// appendEntryHash appends the part of an entry's line after the record.
func appendEntryHash(b []byte, s Sealed) []byte {
	b = append(b, `,"hash":`...)
	return append(appendString(b, s.Hash), '}')
}

// CheckLinks returns an error unless all records belong to the run, are well-formed, and continue
// its chain without a gap. count is the number of the run's records including these, and head is
// the hash of the last record. No records are no error.
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
