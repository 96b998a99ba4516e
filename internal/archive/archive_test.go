package archive_test

import (
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
)

// trail returns a valid trail of n entries.
func trail(n int) []audit.Sealed {
	var list []audit.Sealed
	var last audit.Sealed
	for i := range n {
		r := audit.Link(audit.Record{At: time.Unix(int64(i), 0), Kind: audit.Note, Text: "entry"}, 0, "")
		last = audit.Seal(last, int64(i+1), r)
		list = append(list, last)
	}
	return list
}

func each(list []audit.Sealed) iter.Seq2[audit.Sealed, error] {
	return func(yield func(audit.Sealed, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func headOf(e audit.Sealed) audit.Head { return audit.Head{N: e.N, Hash: e.Hash} }

// filled returns an archive with 30 entries, in segments of 10 entries each.
func filled(t *testing.T) (*archive.Archive, []audit.Sealed) {
	t.Helper()
	a := archive.New(filepath.Join(t.TempDir(), "archive"))
	list := trail(30)
	after := audit.Head{}
	for i := 0; i < 30; i += 10 {
		seg, err := a.PutSegment(after, each(list[i:i+10]))
		if err != nil || seg.First != uint64(i+1) || seg.Last != uint64(i+10) {
			t.Fatalf("segment %+v, %v", seg, err)
		}
		after = headOf(list[i+9])
	}
	return a, list
}

func TestTrail(t *testing.T) {
	a, list := filled(t)
	for _, c := range []struct{ first, last uint64 }{{1, 30}, {1, 1}, {10, 11}, {5, 25}, {30, 30}} {
		next := c.first
		err := a.Trail(c.first, c.last, func(e audit.Sealed) error {
			if e.Hash != list[next-1].Hash {
				t.Errorf("entry %d is not entry %d", e.N, next)
			}
			next++
			return nil
		})
		if err != nil || next != c.last+1 {
			t.Errorf("%d to %d: read up to %d, %v", c.first, c.last, next-1, err)
		}
	}
	if last, err := a.Last(); err != nil || last != headOf(list[29]) {
		t.Errorf("last %+v, %v", last, err)
	}
	enough := errors.New("enough")
	if err := a.Trail(1, 30, func(audit.Sealed) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error %v, want the caller's own", err)
	}
}

func TestEmpty(t *testing.T) {
	a := archive.New(filepath.Join(t.TempDir(), "nowhere"))
	if last, err := a.Last(); err != nil || last != (audit.Head{}) {
		t.Errorf("last %+v, %v", last, err)
	}
	var missing *archive.MissingError
	if err := a.Trail(1, 5, nil); !errors.As(err, &missing) || missing.First != 1 || missing.Last != 5 {
		t.Errorf("error %v", err)
	}
	if _, err := a.PutSegment(audit.Head{}, each(nil)); err == nil {
		t.Error("an empty segment was written")
	}
	if list, err := a.Segments(); err != nil || len(list) != 0 {
		t.Errorf("segments %v, %v", list, err)
	}
}

// Every damage of a segment's file is found, and the error names the file or the entries.
func TestDamage(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(path string, text string) error
		says   string
	}{
		"gone":    {func(p, _ string) error { return os.Remove(p) }, "entries 11 to 20"},
		"cut off": {func(p, s string) error { return os.WriteFile(p, []byte(s[:len(s)/2]), 0o600) }, "0000000000000011-0000000000000020.jsonl"},
		"empty":   {func(p, _ string) error { return os.WriteFile(p, nil, 0o600) }, "0000000000000011-0000000000000020.jsonl"},
		"a changed text": {func(p, s string) error {
			return os.WriteFile(p, []byte(strings.Replace(s, "entry", "entri", 1)), 0o600)
		}, "entry 11"},
		"renamed": {func(p, _ string) error {
			return os.Rename(p, strings.Replace(p, "11-0000000000000020", "10-0000000000000020", 1))
		}, "holds entries 11 to 20"},
		"an entry left out": {func(p, s string) error {
			lines := strings.SplitAfter(s, "\n")
			return os.WriteFile(p, []byte(strings.Join(append(lines[:3:3], lines[4:]...), "")), 0o600)
		}, "0000000000000011-0000000000000020.jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := filled(t)
			list, err := a.Segments()
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(list[1].Path)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.damage(list[1].Path, string(text)); err != nil {
				t.Fatal(err)
			}
			n := 0
			err = a.Trail(1, 30, func(audit.Sealed) error { n++; return nil })
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("after %d entries error %v, want one that says %q", n, err, c.says)
			}
		})
	}
}

// replaceByForeign replaces the second segment by a segment of another trail. Both trails begin
// with the same entries.
func replaceByForeign(t *testing.T, path string, other []audit.Sealed) {
	t.Helper()
	var last audit.Sealed
	if len(other) > 0 {
		last = other[len(other)-1]
	}
	for len(other) < 20 {
		last = audit.Seal(last, last.Rev+1, audit.Link(audit.Record{At: time.Unix(99, 0), Kind: audit.Note}, 0, ""))
		other = append(other, last)
	}
	b := archive.New(t.TempDir())
	if _, err := b.PutSegment(headOf(other[9]), each(other[10:])); err != nil {
		t.Fatal(err)
	}
	foreign, err := b.Segments()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(foreign[0].Path, path); err != nil {
		t.Fatal(err)
	}
}

// A segment that is valid in itself, but belongs to another trail, is found.
func TestForeignSegment(t *testing.T) {
	a, list := filled(t)
	segs, err := a.Segments()
	if err != nil {
		t.Fatal(err)
	}
	replaceByForeign(t, segs[1].Path, trail(9))
	var damaged *archive.DamagedError
	if err := a.Trail(1, 30, func(audit.Sealed) error { return nil }); !errors.As(err, &damaged) || damaged.Path != segs[1].Path {
		t.Errorf("error %v, want that %s is damaged", err, segs[1].Path)
	}
	if _, err := a.PutSegment(headOf(list[10]), each(list[15:20])); err == nil {
		t.Error("a segment with a gap was accepted")
	}
	if now, err := a.Segments(); err != nil || len(now) != len(segs) {
		t.Errorf("segments %v, %v", now, err)
	}
}

func TestRuns(t *testing.T) {
	a := archive.New(filepath.Join(t.TempDir(), "archive"))
	for _, text := range []string{"one", "two"} {
		if err := a.PutRun("R-7F3K", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := a.Run("R-7F3K"); err != nil || string(b) != text {
			t.Errorf("%q, %v", b, err)
		}
	}
	for _, id := range []string{"R-2222", "../trail", ""} {
		if _, err := a.Run(id); !errors.Is(err, fs.ErrNotExist) && id != "" {
			t.Errorf("%q: error %v", id, err)
		}
	}
	left := filepath.Join(a.Dir(), "runs", "unfinished-123")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.Sweep(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unfinished file remains: %v", err)
	}
	err := filepath.WalkDir(a.Dir(), func(path string, d os.DirEntry, err error) error {
		if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
