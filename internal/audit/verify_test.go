package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/audit"
)

// trail makes n entries of two interleaved runs, with some reads between them.
func trail(n int) []audit.Sealed {
	var out []audit.Sealed
	var last audit.Sealed
	type chain struct {
		seq  int
		prev string
	}
	runs := map[string]chain{}
	for i := range n {
		r := audit.Record{At: at.Add(time.Duration(i) * time.Second), Kind: audit.ReadDone, Text: fmt.Sprint("read ", i)}
		if i%3 == 2 {
			r = audit.Link(r, 0, "")
		} else {
			r.Run, r.Kind = []string{"R-7F3K", "R-22ZZ"}[i%3], audit.StepStarted
			c := runs[r.Run]
			r = audit.Link(r, c.seq+1, c.prev)
			runs[r.Run] = chain{r.Seq, audit.Hash(r)}
		}
		last = audit.Seal(last, int64(10+i/2), r)
		out = append(out, last)
	}
	return out
}

func seq(list []audit.Sealed) iter.Seq2[audit.Sealed, error] {
	return func(yield func(audit.Sealed, error) bool) {
		for _, s := range list {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func headOf(list []audit.Sealed) audit.Head {
	s := list[len(list)-1]
	return audit.Head{N: s.N, Hash: s.Hash}
}

// reseal computes all numbers, links and hashes of the trail again. An attacker with write access
// to the store could do the same.
func reseal(list []audit.Sealed) []audit.Sealed {
	var last audit.Sealed
	out := slices.Clone(list)
	for i, s := range out {
		last = audit.Seal(last, s.Rev, s.Record)
		out[i] = last
	}
	return out
}

func TestVerifyGoodTrail(t *testing.T) {
	list := trail(20)
	for n := range len(list) + 1 {
		var heads []audit.Head
		want := audit.Head{}
		if n > 0 {
			heads = []audit.Head{headOf(list[:(n+1)/2]), headOf(list[:n])}
			want = heads[1]
		}
		rep, err := audit.Verify(seq(list[:n]), audit.Options{Heads: heads})
		if err != nil {
			t.Fatalf("%d entries: %v", n, err)
		}
		if rep.Entries != uint64(n) || rep.Head != want || rep.Runs != min(n, 2) {
			t.Errorf("%d entries: report %+v", n, rep)
		}
		// The remaining entries are verified as the continuation of the first n entries.
		rep, err = audit.Verify(seq(list[n:]), audit.Options{After: want, Heads: []audit.Head{headOf(list)}})
		if err != nil || rep.Head != headOf(list) {
			t.Errorf("after entry %d: report %+v, %v", n, rep, err)
		}
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	const n = 12
	for _, c := range []struct {
		name   string
		tamper func(l []audit.Sealed) []audit.Sealed
		at     uint64
		says   string
	}{
		{"text changed", func(l []audit.Sealed) []audit.Sealed { l[4].Record.Text = "other"; return l }, 5, "hash does not fit"},
		{"revision changed", func(l []audit.Sealed) []audit.Sealed { l[4].Rev++; return l }, 5, "hash does not fit"},
		{"changed and hashed again", func(l []audit.Sealed) []audit.Sealed {
			l[4].Record.Text = "other"
			l[4] = audit.Seal(l[3], l[4].Rev, l[4].Record)
			return l
		}, 6, "does not continue entry 5"},
		{"first removed", func(l []audit.Sealed) []audit.Sealed { return l[1:] }, 1, "missing"},
		{"removed", func(l []audit.Sealed) []audit.Sealed { return slices.Delete(l, 4, 5) }, 5, "missing"},
		{"removed and renumbered", func(l []audit.Sealed) []audit.Sealed {
			l = slices.Delete(l, 4, 5)
			for i := range l {
				l[i].N = uint64(i + 1)
			}
			return l
		}, 5, "hash does not fit"},
		{"a run's record removed, all sealed again", func(l []audit.Sealed) []audit.Sealed { return reseal(slices.Delete(l, 3, 4)) }, 6, "record 3 of run R-7F3K follows its record 1"},
		{"a run's first record removed, all sealed again", func(l []audit.Sealed) []audit.Sealed { return reseal(slices.Delete(l, 0, 1)) }, 3, "follows its record 0"},
		{"a run's record changed, all sealed again", func(l []audit.Sealed) []audit.Sealed {
			l[3].Record.Text = "other"
			return reseal(l)
		}, 7, "does not continue its record 2"},
		{"inserted", func(l []audit.Sealed) []audit.Sealed {
			return slices.Insert(l, 4, audit.Seal(l[3], l[3].Rev, l[5].Record))
		}, 5, "repeated or out of order"},
		{"inserted, all sealed again", func(l []audit.Sealed) []audit.Sealed {
			return reseal(slices.Insert(l, 4, l[3]))
		}, 5, "record 2 of run R-7F3K follows its record 2"},
		{"repeated", func(l []audit.Sealed) []audit.Sealed { return slices.Insert(l, 4, l[3]) }, 4, "repeated or out of order"},
		{"swapped", func(l []audit.Sealed) []audit.Sealed { l[4], l[5] = l[5], l[4]; return l }, 5, "missing"},
		{"swapped, all sealed again", func(l []audit.Sealed) []audit.Sealed {
			l[3], l[6] = l[6], l[3]
			return reseal(l)
		}, 4, "out of order"},
		{"end cut off", func(l []audit.Sealed) []audit.Sealed { return l[:n-1] }, n, "its end was cut off"},
		{"everything cut off", func(l []audit.Sealed) []audit.Sealed { return nil }, 1, "its end was cut off"},
		{"a read changed, all sealed again", func(l []audit.Sealed) []audit.Sealed {
			l[2].Record.Text = "other"
			return reseal(l)
		}, n, "rewritten from here"},
		{"a read removed, all sealed again, one more at the end", func(l []audit.Sealed) []audit.Sealed {
			l = reseal(slices.Delete(l, 2, 3))
			return append(l, audit.Seal(l[len(l)-1], 99, l[4].Record))
		}, n, "rewritten from here"},
		{"a record without a valid form, all sealed again", func(l []audit.Sealed) []audit.Sealed {
			l[2].Record.Kind = "party"
			return reseal(l)
		}, 3, "unknown kind"},
	} {
		l := trail(n)
		head := headOf(l)
		_, err := audit.Verify(seq(c.tamper(l)), audit.Options{Heads: []audit.Head{head}})
		var broken *audit.BrokenError
		if !errors.As(err, &broken) {
			t.Errorf("%s: error %v, want a *BrokenError", c.name, err)
			continue
		}
		if broken.N != c.at || !strings.Contains(broken.Text, c.says) {
			t.Errorf("%s: %v\nwant entry %d: …%s…", c.name, err, c.at, c.says)
		}
	}
}

func TestVerifyHeadsThatContradict(t *testing.T) {
	l := trail(3)
	h := headOf(l)
	_, err := audit.Verify(seq(l), audit.Options{Heads: []audit.Head{h, {N: h.N, Hash: "other"}}})
	var broken *audit.BrokenError
	if !errors.As(err, &broken) {
		t.Errorf("error %v, want a *BrokenError", err)
	}
}

func export(t *testing.T, after audit.Head, l []audit.Sealed) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := audit.WriteExport(&b, audit.Header{After: after}, seq(l)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verifyExport(b []byte, heads ...audit.Head) (audit.Report, error) {
	header, entries, err := audit.ReadExport(bytes.NewReader(b))
	if err != nil {
		return audit.Report{}, err
	}
	return audit.Verify(entries, audit.Options{After: header.After, Heads: heads})
}

func TestExportRoundTrip(t *testing.T) {
	l := trail(9)
	for from := range len(l) {
		var after audit.Head
		if from > 0 {
			after = headOf(l[:from])
		}
		rep, err := verifyExport(export(t, after, l[from:]), headOf(l))
		if err != nil || rep.Entries != uint64(len(l)-from) {
			t.Errorf("from %d: %+v, %v", from, rep, err)
		}
	}
	if rep, err := verifyExport(export(t, audit.Head{}, nil)); err != nil || rep.Entries != 0 {
		t.Errorf("empty trail: %+v, %v", rep, err)
	}
}

// The longest allowed record can be read. A longer line is refused before it is read to its end.
func TestExportLongLines(t *testing.T) {
	r := audit.Link(audit.Record{At: at, Kind: audit.Note}, 0, "")
	short, err := audit.Canonical(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Text = strings.Repeat("x", audit.MaxRecord-len(short)-len(`,"text":""`))
	l := []audit.Sealed{audit.Seal(audit.Sealed{}, 1, r)}
	if rep, err := verifyExport(export(t, audit.Head{}, l), headOf(l)); err != nil || rep.Entries != 1 {
		t.Errorf("report %+v, %v, want 1 entry", rep, err)
	}
	header, _, _ := bytes.Cut(export(t, audit.Head{}, l), []byte("\n"))
	endless := io.MultiReader(bytes.NewReader(append(header, '\n')), neverEnding{})
	_, entries, err := audit.ReadExport(endless)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(entries, audit.Options{}); err == nil {
		t.Error("a line without end was read as an entry")
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// A change of any bit of an export is detected.
func TestExportEveryBit(t *testing.T) {
	good := export(t, audit.Head{}, trail(2))
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if _, err := verifyExport(bad); err == nil {
				t.Fatalf("byte %d, bit %d flipped (%q → %q): not found", i, bit, good[i], bad[i])
			}
		}
	}
}

// A truncated file is detected even without a head.
func TestExportEveryTruncation(t *testing.T) {
	good := export(t, audit.Head{}, trail(3))
	for i := range good {
		if _, err := verifyExport(good[:i]); err == nil {
			t.Fatalf("cut after byte %d of %d: not found", i, len(good))
		}
	}
	if _, err := verifyExport(append(bytes.Clone(good), 'x')); err == nil {
		t.Error("something after the end line: not found")
	}
	lines := bytes.SplitAfter(good, []byte("\n"))
	for i := range lines[:len(lines)-1] {
		bad := bytes.Join(slices.Delete(slices.Clone(lines), i, i+1), nil)
		if _, err := verifyExport(bad); err == nil {
			t.Errorf("line %d removed: not found", i+1)
		}
	}
}

// A head proves that a file was truncated, even if somebody gave the file a new end line.
func TestExportHeadFindsCleanTruncation(t *testing.T) {
	l := trail(6)
	short := export(t, audit.Head{}, l[:4])
	if _, err := verifyExport(short); err != nil {
		t.Fatalf("without a head, a shorter export with a new end line must verify: %v", err)
	}
	var broken *audit.BrokenError
	if _, err := verifyExport(short, headOf(l)); !errors.As(err, &broken) || broken.N != 5 {
		t.Errorf("error %v, want entry 5 missing", err)
	}
}

func TestReadExportOfSomethingElse(t *testing.T) {
	for _, in := range []string{"", "hello\n", "{}\n", `{"format":"dhbot-trail","v":2,"after":0,"hash":""}` + "\n", strings.Repeat("x", 1<<20)} {
		if _, _, err := audit.ReadExport(strings.NewReader(in)); err == nil {
			t.Errorf("%.40q: read as an export", in)
		}
	}
}

func FuzzReadExport(f *testing.F) {
	var b bytes.Buffer
	if err := audit.WriteExport(&b, audit.Header{}, seq(trail(3))); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		header, entries, err := audit.ReadExport(bytes.NewReader(in))
		if err != nil {
			return
		}
		var list []audit.Sealed
		for s, err := range entries {
			if err != nil {
				return
			}
			list = append(list, s)
		}
		var out bytes.Buffer
		if err := audit.WriteExport(&out, header, seq(list)); err != nil || !bytes.Equal(out.Bytes(), in) {
			t.Fatalf("read %q, wrote %q, %v", in, out.Bytes(), err)
		}
	})
}

// sliceLog is a read-only Log whose entries are in a slice.
type sliceLog struct {
	audit.Log
	list []audit.Sealed
	err  error
}

func (l sliceLog) Trail(_ context.Context, n uint64, f func(audit.Sealed) error) error {
	for _, s := range l.list {
		if s.N < n {
			continue
		}
		if err := f(s); err != nil {
			return err
		}
	}
	return l.err
}

func TestEntries(t *testing.T) {
	l := sliceLog{list: trail(5)}
	n := 0
	for s, err := range audit.Entries(t.Context(), l, 3) {
		if err != nil || s.N != uint64(3+n) {
			t.Fatal(s.N, err)
		}
		n++
		if n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
	l.err = errors.New("the disk is gone")
	if _, err := audit.Verify(audit.Entries(t.Context(), l, 1), audit.Options{}); !errors.Is(err, l.err) {
		t.Errorf("error %v, want the log's", err)
	}
}

func TestCheckLinks(t *testing.T) {
	a := audit.Link(audit.Record{At: at, Run: "R-7F3K", Kind: audit.Requested}, 1, "")
	b := audit.Link(audit.Record{At: at, Run: "R-7F3K", Kind: audit.Approved}, 2, audit.Hash(a))
	other := audit.Link(audit.Record{At: at, Run: "R-22ZZ", Kind: audit.Approved}, 2, audit.Hash(a))
	loose := audit.Link(audit.Record{At: at, Run: "R-7F3K", Kind: audit.Approved}, 2, audit.Hash(b))
	for _, c := range []struct {
		name    string
		records []audit.Record
		count   int
		head    string
		ok      bool
	}{
		{"none", nil, 3, "x", true},
		{"first", []audit.Record{a}, 1, audit.Hash(a), true},
		{"two", []audit.Record{a, b}, 2, audit.Hash(b), true},
		{"later", []audit.Record{b}, 2, audit.Hash(b), true},
		{"count is not the run's", []audit.Record{b}, 3, audit.Hash(b), false},
		{"wrong head", []audit.Record{a, b}, 2, audit.Hash(a), false},
		{"another run's", []audit.Record{other}, 2, audit.Hash(other), false},
		{"not linked", []audit.Record{a, loose}, 2, audit.Hash(loose), false},
		{"a gap", []audit.Record{a, a}, 2, audit.Hash(a), false},
	} {
		if err := audit.CheckLinks("R-7F3K", c.records, c.count, c.head); (err == nil) != c.ok {
			t.Errorf("%s: error %v, want ok %v", c.name, err, c.ok)
		}
	}
}
