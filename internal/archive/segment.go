package archive

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dhbot/internal/audit"
)

// Segment is a file of the archive. It has the entries with the numbers First to Last.
type Segment struct {
	First, Last uint64
	Path        string
}

// MissingError names entries that the archive lacks.
type MissingError struct {
	Dir         string
	First, Last uint64
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("audit entries %d to %d are no longer in the store, and the archive %s has no segment with them: "+
		"restore the missing files from a backup", e.First, e.Last, e.Dir)
}

// DamagedError names a segment that has changed since it was written.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the archived segment %s is damaged (%v): restore it from a backup", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Segments lists the segments in the order of their entries. Segments that overlap, which this
// package never writes, are both listed.
func (a *Archive) Segments() ([]Segment, error) {
	dir := filepath.Join(a.dir, segmentDir)
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the archive cannot be read: %w", err)
	}
	var list []Segment
	for _, f := range files {
		if s, ok := parseName(f.Name()); ok {
			s.Path = filepath.Join(dir, f.Name())
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Segment) int { return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last)) })
	return list, nil
}

func (s Segment) name() string { return fmt.Sprintf("%016d-%016d.jsonl", s.First, s.Last) }

func parseName(name string) (s Segment, ok bool) {
	from, to, _ := strings.Cut(strings.TrimSuffix(name, ".jsonl"), "-")
	first, err1 := strconv.ParseUint(from, 10, 64)
	last, err2 := strconv.ParseUint(to, 10, 64)
	s = Segment{First: first, Last: last}
	return s, err1 == nil && err2 == nil && first > 0 && first <= last && s.name() == name
}

// PutSegment writes the entries that follow a head to one segment, and makes the segment durable.
// It verifies the written file before the file gets its final name.
func (a *Archive) PutSegment(after audit.Head, trail iter.Seq2[audit.Sealed, error]) (Segment, error) {
	dir := filepath.Join(a.dir, segmentDir)
	f, err := a.create(dir)
	if err != nil {
		return Segment{}, err
	}
	last := after.N
	counted := func(yield func(audit.Sealed, error) bool) {
		for s, err := range trail {
			last = s.N
			if !yield(s, err) {
				return
			}
		}
	}
	if err := audit.WriteExport(f, audit.Header{After: after}, counted); err != nil {
		return Segment{}, errors.Join(fmt.Errorf("archiving the trail from entry %d on: %w", after.N+1, err), discard(f))
	}
	if last == after.N {
		return Segment{}, errors.Join(errors.New("there is nothing to archive"), discard(f))
	}
	s := Segment{First: after.N + 1, Last: last, Path: f.Name()}
	if _, err := s.Read(func(audit.Sealed) error { return nil }); err != nil {
		return Segment{}, errors.Join(err, discard(f))
	}
	s.Path = filepath.Join(dir, s.name())
	return s, finish(f, s.Path)
}

// Read calls f with each entry of the segment, and returns the head of the entry before the
// segment. It verifies that every entry is valid and follows the previous entry, and returns a
// *DamagedError for the first violation.
func (s Segment) Read(f func(audit.Sealed) error) (after audit.Head, err error) {
	return s.read(io.Discard, f)
}

// read does the same as Read, and also copies the bytes of the segment to w. If the error is nil, w
// has received all bytes.
func (s Segment) read(w io.Writer, f func(audit.Sealed) error) (after audit.Head, err error) {
	file, err := os.Open(s.Path)
	if err != nil {
		return audit.Head{}, fmt.Errorf("an archived segment of the trail cannot be read: %w", err)
	}
	defer file.Close()
	header, trail, err := audit.ReadExport(io.TeeReader(file, w))
	if err != nil {
		return audit.Head{}, &DamagedError{s.Path, err}
	}
	after = header.After
	last := after
	for e, err := range trail {
		if err == nil {
			err = audit.Follows(last, e)
		}
		if err != nil {
			return after, &DamagedError{s.Path, err}
		}
		last = audit.Head{N: e.N, Hash: e.Hash}
		if err := f(e); err != nil {
			return after, err
		}
	}
	if after.N+1 != s.First || last.N != s.Last {
		return after, &DamagedError{s.Path, fmt.Errorf("it holds entries %d to %d", after.N+1, last.N)}
	}
	return after, nil
}

// Last returns the newest entry of the archive. It returns zero for an empty archive. It reads and
// verifies the whole last segment.
func (a *Archive) Last() (audit.Head, error) {
	list, err := a.Segments()
	if err != nil || len(list) == 0 {
		return audit.Head{}, err
	}
	var last audit.Head
	_, err = list[len(list)-1].Read(func(e audit.Sealed) error {
		last = audit.Head{N: e.N, Hash: e.Hash}
		return nil
	})
	return last, err
}

// Trail calls f with the entries from number first to number last, in order. It returns a
// *MissingError for missing entries, and a *DamagedError for segments that have changed or do not
// continue each other.
func (a *Archive) Trail(first, last uint64, f func(audit.Sealed) error) error {
	list, err := a.Segments()
	if err != nil {
		return err
	}
	next := first
	var before audit.Head // the last entry of the previous segment
	for _, s := range list {
		if s.Last < next || next > last {
			continue
		}
		if s.First > next {
			return &MissingError{a.dir, next, min(s.First-1, last)}
		}
		var newest audit.Head
		after, err := s.Read(func(e audit.Sealed) error {
			newest = audit.Head{N: e.N, Hash: e.Hash}
			if e.N < next || e.N > last {
				return nil
			}
			next = e.N + 1
			return f(e)
		})
		if err != nil {
			return err
		}
		if before.N > 0 && after != before {
			return &DamagedError{s.Path, fmt.Errorf("it does not continue the segment before it at entry %d", before.N)}
		}
		before = newest
	}
	if next <= last {
		return &MissingError{a.dir, next, last}
	}
	return nil
}

// Sweep removes the unfinished files that an earlier writer left. Only the writer may call Sweep,
// and not while it writes.
func (a *Archive) Sweep() error {
	var errs []error
	for _, dir := range []string{segmentDir, runDir} {
		left, err := filepath.Glob(filepath.Join(a.dir, dir, tempName))
		errs = append(errs, err)
		for _, name := range left {
			errs = append(errs, os.Remove(name))
		}
	}
	return errors.Join(errs...)
}
