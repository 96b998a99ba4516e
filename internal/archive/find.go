package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/pause"
)

// known is an index in memory, and the identity of the file from which it was made.
type known struct {
	identity
	*index
}

// settled is how old the last change of a file must be before the file's index is kept. File
// systems round times, so a second change soon after the first might leave the file's identity
// unchanged.
const settled = 2 * time.Second

// index returns the index of a segment. It reads and verifies the segment, unless an index is kept
// and the file still has the same identity.
func (a *Archive) index(seg Segment) (*index, error) {
	file, err := identify(seg.Path)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	k, ok := a.known[seg.Path]
	a.mu.Unlock()
	if ok && k.identity == file {
		return k.index, nil
	}
	x, err := learn(seg)
	if err != nil {
		return nil, err
	}
	again, err := identify(seg.Path)
	if err != nil {
		return nil, err
	}
	if file == again && a.keeps(file) {
		a.mu.Lock()
		a.known[seg.Path] = known{file, x}
		a.mu.Unlock()
	}
	return x, nil
}

// keeps reports whether the index of a file may be kept. It may not if a later change could leave
// the file's identity unchanged.
func (a *Archive) keeps(file identity) bool {
	return file.lasting && a.now().Sub(file.changed) > settled
}

// identify returns the identity of a segment's file. It opens the file, because a network file
// system then asks its server for the newest version.
func identify(path string) (identity, error) {
	file, err := os.Open(path)
	if err != nil {
		return identity{}, fmt.Errorf("an archived segment of the trail cannot be read: %w", err)
	}
	info, err := file.Stat()
	if err = errors.Join(err, file.Close()); err != nil {
		return identity{}, fmt.Errorf("an archived segment of the trail cannot be read: %w", err)
	}
	return identityOf(info), nil
}

// Find calls f with the entries that a query selects, up to entry number last. If a query selects
// more than q.Newest entries, Find leaves out the oldest and returns their number. It reads and
// verifies a whole segment only if the segment has no index and may belong to the query's period.
// Find returns the same errors as Trail.
func (a *Archive) Find(last uint64, q audit.Query, f func(audit.Sealed) error) (older int, err error) {
	parts, err := a.choose(last, q)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, c := range parts { // the newest first
		count += len(c.list)
	}
	older = max(0, count-q.Newest)
	skip := older
	for i := len(parts) - 1; i >= 0; i-- {
		c := parts[i]
		left := min(skip, len(c.list))
		skip -= left
		if err := c.entries(c.list[left:], func(_ uint32, e audit.Sealed) error { return f(e) }); err != nil {
			return 0, a.explain(c.index, err)
		}
	}
	return older, nil
}

// choose finds the entries that a query selects, the newest segment first.
func (a *Archive) choose(last uint64, q audit.Query) (parts []chosen, err error) {
	list, err := a.Segments()
	if err != nil {
		return nil, err
	}
	var newer *index
	for i := len(list) - 1; i >= 0 && last > 0; i-- {
		if list[i].First > last {
			continue
		}
		if list[i].Last < last {
			return nil, &MissingError{a.dir, list[i].Last + 1, last}
		}
		x, err := a.index(list[i])
		if err != nil {
			return nil, err
		}
		if newer != nil && newer.after != x.last {
			return nil, &DamagedError{newer.seg.Path, fmt.Errorf("it does not continue the segment before it at entry %d", x.last.N)}
		}
		if q.Past(x.newest) {
			return parts, nil
		}
		c, err := x.choose(q, last)
		if err != nil {
			return nil, a.explain(x, err)
		}
		parts = append(parts, c)
		newer, last = x, list[i].First-1
	}
	if last > 0 {
		return nil, &MissingError{a.dir, 1, last}
	}
	return parts, nil
}

// explain replaces err if a block differed from its index. It drops the index, reads the whole
// segment, and returns the damage that Read finds. It returns err unchanged if Read finds no
// damage, or if err is another error.
func (a *Archive) explain(x *index, err error) error {
	var damaged *DamagedError
	if !errors.As(err, &damaged) {
		return err
	}
	a.mu.Lock()
	delete(a.known, x.seg.Path)
	a.mu.Unlock()
	if _, whole := x.seg.Read(func(audit.Sealed) error { return nil }); whole != nil {
		return whole
	}
	return err
}

// KeepIndexed makes the indexes of all segments, the newest first, so that queries can use them. It
// leaves most of the processor time to other work, and looks for new segments regularly until ctx
// ends.
func (a *Archive) KeepIndexed(ctx context.Context, every time.Duration) error {
	for {
		list, err := a.Segments()
		if err != nil {
			list = nil // queries report the error
		}
		a.forget(list)
		for i := len(list) - 1; i >= 0; i-- {
			began := time.Now()
			file, err := identify(list[i].Path)
			if err != nil || !a.keeps(file) {
				continue // queries report the error
			}
			if _, err := a.index(list[i]); err != nil {
				continue // queries report the error
			}
			if !pause.For(ctx, 3*time.Since(began)) {
				return nil
			}
		}
		if !pause.For(ctx, every) {
			return nil
		}
	}
}

// forget drops the indexes of segments that are not in a list.
func (a *Archive) forget(list []Segment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	there := map[string]bool{}
	for _, s := range list {
		there[s.Path] = true
	}
	for path := range a.known {
		if !there[path] {
			delete(a.known, path)
		}
	}
}
