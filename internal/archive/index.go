package archive

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"time"
	"unique"

	"dhbot/internal/audit"
)

// The index of a segment is made by reading and verifying the segment. It is kept in memory only,
// because someone could change a stored index. It is valid as long as the file's identity does not
// change. It has a digest of each block of lines, which is checked whenever the block is read.

// blockLines is the number of lines in a block. Each line is an entry, except the segment's end
// line.
const blockLines = 8

// index is the index of one segment. Once made, it does not change.
type index struct {
	seg    Segment
	after  audit.Head // the entry before the first
	last   audit.Head
	oldest time.Time // time of the oldest record
	newest time.Time

	blocks []block
	end    int64 // end of the last block
	// briefs has each distinct brief of the entries once, as positions in the lists below. briefOf
	// has the position in briefs for each entry.
	briefs  []briefIDs
	briefOf []uint32
	authors []author[text]
	runs    []text
	targets []text
}

// text is a string that is stored once for all indexes.
type text = unique.Handle[string]

// block describes a piece of the file: where it begins, its digest, and its oldest and newest
// record. Both times are in milliseconds, as in the records.
type block struct {
	begin          int64
	digest         [sha256.Size]byte
	oldest, newest int64
}

type briefIDs struct{ author, run, target uint32 }

// author is a brief without its run and its target.
type author[T comparable] struct{ kind, person, account, cluster T }

func (x *index) brief(id briefIDs) audit.Brief {
	a := x.authors[id.author]
	return audit.Brief{
		Kind: audit.Kind(a.kind.Value()), Run: x.runs[id.run].Value(), Person: a.person.Value(), Account: a.account.Value(),
		Cluster: a.cluster.Value(), Target: x.targets[id.target].Value(),
	}
}

// learn reads and verifies a segment, and makes its index.
func learn(seg Segment) (*index, error) {
	x := &index{seg: seg}
	var scan lineScanner
	ids := newIDs()
	var times []time.Time
	after, err := seg.read(&scan, func(e audit.Sealed) error {
		times = append(times, e.Record.At)
		x.briefOf = append(x.briefOf, ids.of(e.Record.Brief()))
		x.last = audit.Head{N: e.N, Hash: e.Hash}
		return nil
	})
	if err != nil {
		return nil, err
	}
	x.after = after
	x.oldest, x.newest = slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare)
	scan.next()
	count := (len(times) + blockLines - 1) / blockLines // a further block has only the end line
	x.end = scan.blocks[count].begin
	x.blocks = slices.Clone(scan.blocks[:count])
	for i := range x.blocks {
		part := times[i*blockLines : min((i+1)*blockLines, len(times))]
		x.blocks[i].oldest = slices.MinFunc(part, time.Time.Compare).UnixMilli()
		x.blocks[i].newest = slices.MaxFunc(part, time.Time.Compare).UnixMilli()
	}
	x.briefOf = slices.Clip(x.briefOf)
	share := unique.Make[string]
	x.briefs = listed(ids.briefs, func(id briefIDs) briefIDs { return id })
	x.runs, x.targets = listed(ids.runs, share), listed(ids.targets, share)
	x.authors = listed(ids.authors, func(a author[string]) author[text] {
		return author[text]{share(a.kind), share(a.person), share(a.account), share(a.cluster)}
	})
	return x, nil
}

// ids gives a number to each distinct brief of a segment.
type ids struct {
	briefs        table[briefIDs]
	authors       table[author[string]]
	runs, targets table[string]
}

func newIDs() *ids {
	return &ids{table[briefIDs]{}, table[author[string]]{}, table[string]{}, table[string]{}}
}

func (t *ids) of(b audit.Brief) uint32 {
	return t.briefs.id(briefIDs{t.authors.id(author[string]{string(b.Kind), b.Person, b.Account, b.Cluster}), t.runs.id(b.Run), t.targets.id(b.Target)})
}

// table gives a number to each distinct value, starting at 0.
type table[T comparable] map[T]uint32

func (t table[T]) id(v T) uint32 {
	id, known := t[v]
	if !known {
		id = uint32(len(t))
		t[v] = id
	}
	return id
}

// listed returns the values of a table in the order of their numbers, each converted by the
// function keep.
func listed[T comparable, U any](t table[T], keep func(T) U) []U {
	list := make([]U, len(t))
	for v, id := range t {
		list[id] = keep(v)
	}
	return list
}

// lineScanner is a writer that finds the blocks in the bytes of a segment.
type lineScanner struct {
	blocks []block
	lines  int // complete lines so far, with the header
	at     int64
	sum    hash.Hash // of the block that is not complete; nil in the header
}

func (l *lineScanner) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n') + 1
		whole := end > 0
		if !whole {
			end = len(p)
		}
		if l.sum != nil {
			l.sum.Write(p[:end])
		}
		l.at += int64(end)
		p = p[end:]
		if whole {
			l.lines++
			if (l.lines-1)%blockLines == 0 {
				l.next()
			}
		}
	}
	return n, nil
}

// next completes the current block, if any, and begins another.
func (l *lineScanner) next() {
	if l.sum == nil {
		l.sum = sha256.New()
	} else {
		l.sum.Sum(l.blocks[len(l.blocks)-1].digest[:0])
		l.sum.Reset()
	}
	l.blocks = append(l.blocks, block{begin: l.at})
}

// chosen are the entries of a segment that a query selects, as positions in the segment.
type chosen struct {
	*index
	list []uint32
}

// choose finds the entries up to number last that a query selects.
func (x *index) choose(q audit.Query, last uint64) (chosen, error) {
	c := chosen{index: x}
	wants := x.wants(q)
	var unsure []uint32 // positions whose records must be read
	for b, block := range x.blocks {
		if time.UnixMilli(block.newest).Before(q.Since) {
			continue
		}
		sure := !time.UnixMilli(block.oldest).Before(q.Since) && x.last.N <= last
		for i := b * blockLines; i < min((b+1)*blockLines, len(x.briefOf)); i++ {
			switch {
			case !wants(x.briefOf[i]):
			case sure:
				c.list = append(c.list, uint32(i))
			default:
				unsure = append(unsure, uint32(i))
			}
		}
	}
	err := x.entries(unsure, func(i uint32, e audit.Sealed) error {
		if e.N <= last && q.Selects(e.Record) {
			c.list = append(c.list, i)
		}
		return nil
	})
	slices.Sort(c.list)
	return c, err
}

// wants returns a function that reports whether q.Wants accepts a brief. It ignores q.Since.
func (x *index) wants(q audit.Query) func(brief uint32) bool {
	if q.Wants == nil {
		return func(uint32) bool { return true }
	}
	list := make([]bool, len(x.briefs))
	for i, id := range x.briefs {
		list[i] = q.Wants(x.brief(id))
	}
	return func(brief uint32) bool { return list[brief] }
}

// errChanged means that the file has changed since its index was made.
var errChanged = errors.New("it was changed after it was verified")

// entries calls f with the entries at the given positions, which must be in order. It compares each
// block with its digest, so f gets only entries that learn has verified.
func (x *index) entries(positions []uint32, f func(i uint32, e audit.Sealed) error) error {
	if len(positions) == 0 {
		return nil
	}
	file, err := os.Open(x.seg.Path)
	if err != nil {
		return fmt.Errorf("an archived segment of the trail cannot be read: %w", err)
	}
	defer file.Close()
	var lines []byte
	at := -1 // the number of the block that the variable lines holds
	for _, i := range positions {
		if b := int(i / blockLines); b != at {
			if lines, err = x.block(file, b, lines[:0]); err != nil {
				return err
			}
			at = b
		}
		e, err := audit.DecodeEntry(line(lines, int(i%blockLines)))
		if err != nil {
			return &DamagedError{x.seg.Path, err}
		}
		if err := f(i, e); err != nil {
			return err
		}
	}
	return nil
}

// block reads a block and compares it with its digest.
func (x *index) block(file io.ReaderAt, b int, buffer []byte) ([]byte, error) {
	end := x.end
	if b+1 < len(x.blocks) {
		end = x.blocks[b+1].begin
	}
	begin := x.blocks[b].begin
	buffer = slices.Grow(buffer, int(end-begin))[:end-begin]
	if _, err := file.ReadAt(buffer, begin); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("an archived segment of the trail cannot be read: %w", err)
	}
	if sha256.Sum256(buffer) != x.blocks[b].digest {
		return nil, &DamagedError{x.seg.Path, errChanged}
	}
	return buffer, nil
}

// line returns a line of a block, without the newline.
func line(lines []byte, n int) []byte {
	for range n {
		lines = lines[bytes.IndexByte(lines, '\n')+1:]
	}
	return lines[:bytes.IndexByte(lines, '\n')]
}
