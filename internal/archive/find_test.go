package archive_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
	"dhbot/internal/test/fakeclock"
)

// needsIdentity skips a test on systems other than Linux. There the archive keeps no index, because
// it cannot detect every change of a file.
func needsIdentity(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("indexes are kept on Linux only")
	}
}

// found returns the numbers of the entries that Find finds. The second result is Find's number of
// older entries.
func found(a *archive.Archive, last uint64, q audit.Query) (list []uint64, older int, err error) {
	older, err = a.Find(last, q, func(e audit.Sealed) error { list = append(list, e.N); return nil })
	return list, older, err
}

// randomTrail returns a trail with records of several people, runs and targets. The records' times
// may be out of order within the allowed limit, and some entry numbers are missing.
func randomTrail(rt *rapid.T) []audit.Sealed {
	n := rapid.IntRange(1, 120).Draw(rt, "entries")
	every := time.Duration(rapid.SampledFrom([]int{1, 300, 40_000_000}).Draw(rt, "every")) * time.Millisecond
	skew := rapid.SliceOfN(rapid.IntRange(-29_999, 29_999), 5, 5).Draw(rt, "skew")
	pick := rapid.SampledFrom([]string{"", "anna", "ben", "with \"quotes\" <&> ü"})
	var list []audit.Sealed
	var last audit.Sealed
	for i := range n {
		r := audit.Record{
			At:   time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i)*every + time.Duration(skew[i%5])*time.Millisecond),
			Kind: audit.Note, Person: pick.Draw(rt, "person"), Account: pick.Draw(rt, "account"),
			Cluster: pick.Draw(rt, "cluster"), Target: pick.Draw(rt, "target"), Text: fmt.Sprint("entry ", i),
		}
		if i%7 == 3 {
			r.Run = "R-" + pick.Draw(rt, "run")
		}
		if i%50 == 49 {
			r.Kind, r.Lost = audit.Restored, 12
		}
		last = audit.Seal(last, int64(i+1), audit.Link(r, 0, ""))
		list = append(list, last)
	}
	return list
}

// TestFind: a query finds the same entries as a search of all entries, whether all, some or none of
// the indexes exist.
func TestFind(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		with, without := archive.New(dir), archive.New(dir)
		with.Later()
		without.StopClock()
		list := randomTrail(rt)
		after := audit.Head{}
		for begin := 0; begin < len(list); {
			end := min(len(list), begin+rapid.IntRange(1, 40).Draw(rt, "segment"))
			if _, err := with.PutSegment(after, each(list[begin:end])); err != nil {
				rt.Fatal(err)
			}
			after, begin = headOf(list[end-1]), end
		}
		for range 5 {
			last := list[rapid.IntRange(0, len(list)-1).Draw(rt, "last")].N
			q := audit.Query{Newest: rapid.SampledFrom([]int{0, 1, 9, 50, audit.All}).Draw(rt, "newest")}
			if rapid.Bool().Draw(rt, "since") {
				at := list[rapid.IntRange(0, len(list)-1).Draw(rt, "since entry")].Record.At
				q.Since = at.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "ms")) * time.Millisecond)
			}
			word := rapid.SampledFrom([]string{"", "anna", "ben"}).Draw(rt, "word")
			q.Wants = rapid.SampledFrom([]func(audit.Brief) bool{
				nil,
				func(b audit.Brief) bool { return b.Person == word },
				func(b audit.Brief) bool { return b.Target == word && b.Cluster != word },
				func(b audit.Brief) bool { return b.Run == "R-"+word },
				func(b audit.Brief) bool { return b.Account == word || b.Kind == audit.Restored },
				func(audit.Brief) bool { return false },
			}).Draw(rt, "wants")
			var want []uint64
			if err := with.Trail(1, last, func(e audit.Sealed) error {
				if q.Selects(e.Record) {
					want = append(want, e.N)
				}
				return nil
			}); err != nil {
				rt.Fatal(err)
			}
			left := max(0, len(want)-q.Newest)
			want = want[left:]
			for name, a := range map[string]*archive.Archive{"with": with, "without": without} {
				if got, older, err := found(a, last, q); err != nil || older != left || !slices.Equal(got, want) {
					rt.Fatalf("%s indexes: entries %v and %d older, %v, want %v and %d", name, got, older, err, want, left)
				}
			}
		}
		if without.Indexed() > 0 {
			rt.Error("the index of a file that was just written is kept, although its next change may not show")
		}
	})
}

// TestFindPassesEntries: a query passes whole entries to the caller's function, and stops when that
// function returns an error.
func TestFindPassesEntries(t *testing.T) {
	a, list := filled(t)
	a.Later()
	for range 2 {
		next := 5
		q := audit.Query{Newest: 25}
		if older, err := a.Find(30, q, func(e audit.Sealed) error {
			if e != list[next] {
				t.Errorf("entry %+v, want %+v", e, list[next])
			}
			next++
			return nil
		}); err != nil || older != 5 || next != 30 {
			t.Errorf("up to %d, %d older, %v", next, older, err)
		}
		enough := errors.New("enough")
		if _, err := a.Find(30, q, func(audit.Sealed) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("error %v", err)
		}
	}
}

// TestFindDamage damages a segment that has an index. A query whose period includes the segment
// must return the same error as reading all entries, even if it selects no entry of the segment.
func TestFindDamage(t *testing.T) {
	needsIdentity(t)
	for name, damage := range map[string]func(path, text string) error{
		"gone":    func(p, _ string) error { return os.Remove(p) },
		"cut off": func(p, s string) error { return os.WriteFile(p, []byte(s[:len(s)/2]), 0o600) },
		"a changed text": func(p, s string) error {
			return os.WriteFile(p, []byte(strings.Replace(s, "entry", "entri", 1)), 0o600)
		},
		"a changed text, in place, and its time set back": func(p, s string) error {
			info, err := os.Stat(p)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(p, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte("entri"), int64(strings.Index(s, "entry")))
			return errors.Join(err, f.Close(), os.Chtimes(p, info.ModTime(), info.ModTime()))
		},
		"another file in its place": func(p, s string) error {
			aside := p + ".new"
			return errors.Join(os.WriteFile(aside, []byte(strings.Replace(s, "entry", "entri", 1)), 0o600), os.Rename(aside, p))
		},
		"renamed": func(p, _ string) error {
			return os.Rename(p, strings.Replace(p, "11-0000000000000020", "10-0000000000000020", 1))
		},
		"an entry left out": func(p, s string) error {
			lines := strings.SplitAfter(s, "\n")
			return os.WriteFile(p, []byte(strings.Join(append(lines[:3:3], lines[4:]...), "")), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := filled(t)
			a.Later()
			none := audit.Query{Newest: audit.All, Wants: func(audit.Brief) bool { return false }}
			if _, _, err := found(a, 30, none); err != nil || a.Indexed() != 3 {
				t.Fatalf("%d indexes, %v", a.Indexed(), err)
			}
			segs, err := a.Segments()
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(segs[1].Path)
			if err != nil {
				t.Fatal(err)
			}
			// The damage is repeated until the file system gives the file another change time,
			// because otherwise the change is not detected. Outside of tests this cannot happen,
			// because the index of a file that changed so recently is not kept.
			for before := changed(t, segs[1].Path); ; {
				if err := damage(segs[1].Path, string(text)); err != nil {
					t.Fatal(err)
				}
				if now := changed(t, segs[1].Path); now != before {
					break
				}
				time.Sleep(time.Millisecond)
			}
			want := a.Trail(1, 30, func(audit.Sealed) error { return nil })
			if want == nil {
				t.Fatal("the damage causes no error")
			}
			for range 2 {
				if _, _, err := found(a, 30, none); err == nil || named(err) != named(want) {
					t.Errorf("error %v, want %v", err, want)
				}
			}
		})
	}
}

// named describes an error by its kind, and by the file or the entries that it names.
func named(err error) string {
	var missing *archive.MissingError
	var damaged *archive.DamagedError
	switch {
	case errors.As(err, &missing):
		return fmt.Sprint("missing ", missing.First, missing.Last)
	case errors.As(err, &damaged):
		return "damaged " + damaged.Path
	default:
		return err.Error()
	}
}

// changed returns what the file system reports about a file, as text. This includes the time of the
// file's last change.
func changed(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%+v", info.Sys())
}

// TestFindVerifiesIndexedLines: a line that was changed while the file kept its identity is not
// returned, and the next query verifies the segment again.
func TestFindVerifiesIndexedLines(t *testing.T) {
	needsIdentity(t)
	a, _ := filled(t)
	a.Later()
	all := audit.Query{Newest: audit.All}
	if _, _, err := found(a, 30, all); err != nil {
		t.Fatal(err)
	}
	segs, err := a.Segments()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(segs[1].Path)
	if err != nil {
		t.Fatal(err)
	}
	altered := strings.Replace(string(text), "entry", "entri", 1)
	if err := os.WriteFile(segs[1].Path, []byte(altered), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.Mistake(segs[1].Path); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var damaged *archive.DamagedError
		if list, _, err := found(a, 30, all); !errors.As(err, &damaged) || damaged.Path != segs[1].Path || !strings.Contains(err.Error(), "entry 11") || slices.Contains(list, 11) {
			t.Errorf("found %v, %v, want that entry 11 is damaged", list, err)
		}
	}
	if a.Indexed() != 2 {
		t.Errorf("%d indexes are left, want those of the other segments", a.Indexed())
	}
	if err := os.WriteFile(segs[1].Path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if list, _, err := found(a, 30, all); err != nil || len(list) != 30 {
		t.Errorf("after the repair %d entries, %v", len(list), err)
	}
}

// TestFindForeignSegment: a segment of another trail is detected even if it is indexed.
func TestFindForeignSegment(t *testing.T) {
	a, _ := filled(t)
	a.Later()
	segs, err := a.Segments()
	if err != nil {
		t.Fatal(err)
	}
	replaceByForeign(t, segs[1].Path, nil)
	for range 2 {
		var damaged *archive.DamagedError
		if _, _, err := found(a, 30, audit.Query{}); !errors.As(err, &damaged) {
			t.Errorf("error %v, want that segments do not continue each other", err)
		}
	}
}

// TestKeepIndexed: the indexes are made, and the indexes of removed segments are dropped.
func TestKeepIndexed(t *testing.T) {
	needsIdentity(t)
	synctest.Test(t, func(t *testing.T) {
		a, _ := filled(t)
		a.Later()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.KeepIndexed(ctx, time.Minute) }()
		fakeclock.Advance(time.Second)
		if a.Indexed() != 3 {
			t.Errorf("%d indexes", a.Indexed())
		}
		segs, err := a.Segments()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(segs[0].Path); err != nil {
			t.Fatal(err)
		}
		fakeclock.Advance(2 * time.Minute)
		if a.Indexed() != 2 {
			t.Errorf("%d indexes after a segment was moved away", a.Indexed())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
