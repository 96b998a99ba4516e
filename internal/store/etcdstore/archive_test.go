package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/trail"
)

// small returns the config of a store that archives early. Its lease outlasts every test, because
// only Run renews it, and most of these tests do not call Run.
func small(dir string) etcdstore.Config {
	return etcdstore.Config{Dir: dir, Archive: filepath.Join(dir, "archive"), KeepTrail: 100, Segment: 100, KeepRuns: 5, LeaseTTL: time.Hour}
}

// notes stores and seals n records in chunks of at most 30, and marks them as posted.
func notes(t testing.TB, s *etcdstore.Store, n int) {
	t.Helper()
	const piece = 30
	for first := 0; first < n; first += piece {
		appended(t, s, min(piece, n-first), audit.Record{Kind: audit.Note, Text: fmt.Sprint("note ", first)})
		sealed(t, s)
	}
	posted(t, s)
}

// appended stores a record n times. It stores several at a time, so that they share syncs of the
// disk.
func appended(t testing.TB, s *etcdstore.Store, n int, r audit.Record) {
	t.Helper()
	const writers = 30
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < n; i += writers {
				r := r
				r.At = time.Now()
				if err := s.Append(t.Context(), r, ""); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// sealed calls Seal until no record is pending. One call may not be enough: a store that has lost
// its lease on a busy machine seals nothing until it leads again.
func sealed(t testing.TB, s *etcdstore.Store) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := s.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		h, err := s.Health(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if h.Pending == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d records are still pending", h.Pending)
		}
	}
}

// posted marks the whole trail as posted to the audit channel.
func posted(t testing.TB, s *etcdstore.Store) uint64 {
	t.Helper()
	head, _, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetTrailPosted(t.Context(), head.N); err != nil {
		t.Fatal(err)
	}
	return head.N
}

func moved(t testing.TB, s *etcdstore.Store) etcdstore.Moved {
	t.Helper()
	m, err := s.Archive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestArchiveTrail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, small(dir))
	notes(t, s, 150)
	if m := moved(t, s); m.Entries != 0 {
		t.Errorf("%d entries were moved although they do not fill a segment", m.Entries)
	}
	notes(t, s, 450)
	if m := moved(t, s); m.Entries != 450 { // chunks of 30 entries: segments of 90
		t.Errorf("%d entries were moved", m.Entries)
	}
	h, err := s.Health(t.Context())
	if err != nil || h.Stored != 451 || h.Sealed != 600 || len(h.Why) != 0 {
		t.Errorf("health %+v, %v", h, err)
	}
	if rep := verify(t, s); rep.Entries != 600 {
		t.Errorf("%d entries in all", rep.Entries)
	}
	for _, from := range []uint64{0, 1, 90, 91, 449, 450, 451, 452, 600, 601} {
		next := max(from, 1)
		err := s.Trail(t.Context(), from, func(e audit.Sealed) error {
			if e.N != next {
				return fmt.Errorf("entry %d, want %d", e.N, next)
			}
			next++
			return nil
		})
		if err != nil || next != max(from, 601) {
			t.Errorf("from %d: up to %d, %v", from, next-1, err)
		}
	}
	// A new process continues where the previous process stopped.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, small(dir))
	notes(t, s, 300)
	moved(t, s)
	if rep := verify(t, s); rep.Entries != 900 {
		t.Errorf("%d entries in all", rep.Entries)
	}
}

// Entries that were not posted yet stay in the store, however full it is.
func TestUnpostedEntriesAreNotArchived(t *testing.T) {
	t.Parallel()
	s := open(t, small(t.TempDir()))
	notes(t, s, 200)
	if err := s.Append(t.Context(), read, ""); err == nil {
		t.Fatal("a record without a time was accepted")
	}
	appended(t, s, 500, audit.Record{Kind: audit.Note})
	verify(t, s)
	moved(t, s)
	h, err := s.Health(t.Context())
	if err != nil || h.Stored == 0 || h.Stored > h.Posted || h.Posted != 200 || h.Stored == 1 {
		t.Errorf("stored from %d, posted up to %d, %v", h.Stored, h.Posted, err)
	}
}

// A crash between any two steps of archiving neither loses nor duplicates an entry. The test kills
// a process at a random moment while it archives.
func TestArchiveKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := etcdstore.Open(t.Context(), small(dir))
	if err != nil {
		t.Fatal(err)
	}
	notes(t, s, 1500)
	head, _, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{0, time.Millisecond, 3 * time.Millisecond, 8 * time.Millisecond, 15 * time.Millisecond} {
		other := exec.Command(os.Args[0], "-test.run=^TestHelperArchives$", "-test.v")
		other.Env = append(os.Environ(), "DHBOT_TEST_ARCHIVE="+dir)
		out, err := other.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		buf, text := make([]byte, 256), ""
		for !strings.Contains(text, "archiving") {
			n, err := out.Read(buf)
			if err != nil {
				t.Fatalf("the other process ended: %v: %s", err, text)
			}
			text += string(buf[:n])
		}
		time.Sleep(after) // varies the moment of the kill; nothing is synchronised by it
		_ = other.Process.Kill()
		_ = other.Wait()

		s, err := etcdstore.Open(t.Context(), small(dir))
		if err != nil {
			t.Fatal(err)
		}
		rep, err := audit.Verify(audit.Entries(t.Context(), s, 1), audit.Options{Heads: []audit.Head{{N: head.N, Hash: head.Hash}}})
		if err != nil || rep.Entries != 1500 {
			t.Errorf("killed after %v: %d entries, %v", after, rep.Entries, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, small(dir))
	moved(t, s)
	if rep := verify(t, s); rep.Entries != 1500 {
		t.Errorf("%d entries in all", rep.Entries)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "archive", "*", "unfinished-*")); err != nil || len(left) != 0 {
		t.Errorf("unfinished files remain: %v, %v", left, err)
	}
}

// TestHelperArchives is not a test, but the process that TestArchiveKilled kills.
func TestHelperArchives(t *testing.T) {
	dir := os.Getenv("DHBOT_TEST_ARCHIVE")
	if dir == "" {
		t.Skip("runs as a process of TestArchiveKilled")
	}
	s, err := etcdstore.Open(context.Background(), small(dir))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("archiving")
	if _, err := s.Archive(context.Background()); err != nil {
		t.Fatal(err)
	}
	select {}
}

// A process wrote a segment and ended before it had deleted all entries of the segment from the
// store. The next process deletes the remaining entries and does not write the segment again.
func TestArchivingContinuesAfterCrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, small(dir))
	notes(t, s, 600)
	a := archive.New(filepath.Join(dir, "archive"))
	one := func(yield func(audit.Sealed, error) bool) {
		for e, err := range audit.Entries(t.Context(), s, 1) {
			if e.N > 120 || !yield(e, err) {
				return
			}
		}
	}
	if _, err := a.PutSegment(audit.Head{}, one); err != nil {
		t.Fatal(err)
	}
	if rep := verify(t, s); rep.Entries != 600 { // entries that are in both the store and the archive are read once
		t.Errorf("%d entries", rep.Entries)
	}
	moved(t, s)
	if rep := verify(t, s); rep.Entries != 600 {
		t.Errorf("%d entries", rep.Entries)
	}
	list, err := a.Segments()
	if err != nil || len(list) < 2 || list[0].Last != 120 || list[1].First != 121 {
		t.Errorf("segments %+v, %v", list, err)
	}
}

// If archive and store disagree, nothing is deleted, and the error says what is wrong.
func TestArchiveDisagrees(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		says  string
	}{
		"missing":   {func(t *testing.T, path string) { remove(t, path) }, "entries 1 to 90"},
		"damaged":   {func(t *testing.T, path string) { overwrite(t, path, 500) }, "0000000000000001-0000000000000090.jsonl"},
		"unmounted": {func(t *testing.T, path string) { remove(t, filepath.Dir(path)) }, "entries 1 to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, small(dir))
			notes(t, s, 300)
			moved(t, s)
			list, err := archive.New(filepath.Join(dir, "archive")).Segments()
			if err != nil || len(list) == 0 {
				t.Fatal(list, err)
			}
			c.spoil(t, list[0].Path)
			if _, err := audit.Verify(audit.Entries(t.Context(), s, 1), audit.Options{}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
			if name == "unmounted" {
				notes(t, s, 600)
				var fork *trail.ForkedError
				if m, err := s.Archive(t.Context()); !errors.As(err, &fork) || m.Entries != 0 {
					t.Errorf("moved %+v, %v into an archive without its beginning", m, err)
				}
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// If an archive has entries beyond the end of the trail in the store, it belongs to another state.
// Such a store does not open.
func TestArchiveOfAnotherStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, small(dir))
	notes(t, s, 300)
	moved(t, s)
	c := small(t.TempDir())
	c.Archive = filepath.Join(dir, "archive")
	other, err := etcdstore.Open(t.Context(), c)
	var fork *trail.ForkedError
	if !errors.As(err, &fork) || fork.Archived != 180 || fork.Store != 0 {
		t.Fatalf("error %v (%v), want *ForkedError", err, other)
	}
}

func TestArchiveRuns(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := small(t.TempDir())
	c.Now = func() time.Time { return now }
	s := open(t, c)
	var ended []engine.Stored
	for i := range 10 {
		at := newRun(t, s)
		end := now.Add(time.Duration(i) * time.Second)
		at.Run.EndedAt = &end
		at.Run.Place.Channel = "C1"
		ended = append(ended, commit(t, s, change(at, engine.Done)))
	}
	waiting := newRun(t, s)
	for i, r := range ended {
		rev := r.Rev
		if i == 0 {
			rev-- // as if the message of this run still showed the form before its end
		}
		if err := s.SetPost(t.Context(), r.Run.ID, publish.Post{Channel: "C1", TS: "1.2", Rev: rev}); err != nil {
			t.Fatal(err)
		}
	}
	if m := moved(t, s); m.Runs != 4 {
		t.Errorf("%d runs were moved, want the 5 oldest except the one whose message is behind", m.Runs)
	}
	recent, err := s.Recent(t.Context(), 100)
	if err != nil || len(recent) != 6 || recent[5].Run.ID != ended[0].Run.ID {
		t.Errorf("%d recent runs, %v", len(recent), err)
	}
	now = now.Add(31 * 24 * time.Hour)
	if m := moved(t, s); m.Runs != 6 {
		t.Errorf("%d runs were moved, want the rest", m.Runs)
	}
	for _, r := range append(ended, waiting) {
		got, err := s.Get(t.Context(), r.Run.ID)
		if err != nil || got.Rev != r.Rev || got.Run.State != r.Run.State {
			t.Errorf("run %s: %s at %d, %v, want %s at %d", r.Run.ID, got.Run.State, got.Rev, err, r.Run.State, r.Rev)
		}
		if _, err := s.Commit(t.Context(), change(engine.Stored{Run: engine.Run{ID: r.Run.ID}}, engine.Waiting)); !errors.Is(err, engine.ErrIDTaken) {
			t.Errorf("the id %s was used again: %v", r.Run.ID, err)
		}
	}
	if open, err := s.Open(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("%d open runs, %v", len(open), err)
	}
}

// The store stays small, however many records are written. The test also prints durations. With
// DHBOT_RECORDS=100000 it takes much longer. docs/state.md has the results of that.
func TestStoreForEver(t *testing.T) {
	records := 5_000
	if long := os.Getenv("DHBOT_RECORDS"); long != "" {
		var err error
		if records, err = strconv.Atoi(long); err != nil {
			t.Fatal(err)
		}
	}
	step := records / 10
	c := small(t.TempDir())
	c.KeepTrail, c.Segment, c.KeepHistory = uint64(step/2), uint64(step/2), int64(step/2)
	c.SealEach, c.ArchiveEach = 10*time.Millisecond, 50*time.Millisecond
	s := open(t, c)
	stop := run(t, s)
	var took []time.Duration
	var sizes []int64
	for part := range 10 {
		start := time.Now()
		appended(t, s, step, read)
		took = append(took, time.Since(start))
		within(t, "everything is sealed and the old part archived", func() bool {
			h, err := s.Health(t.Context())
			return err == nil && h.Pending == 0 && posted(t, s) == uint64((part+1)*step) && h.Sealed-h.Stored < 2*uint64(step)
		})
		h, err := s.Health(t.Context())
		if err != nil || len(h.Why) != 0 {
			t.Fatalf("health %+v, %v", h, err)
		}
		sizes = append(sizes, h.Size)
		t.Logf("%6d records: %v for %d, database %d KiB, %d KiB in use", (part+1)*step, took[part].Round(time.Millisecond), step, h.Size>>10, h.InUse>>10)
	}
	stop()
	start := time.Now()
	rep := verify(t, s)
	direct := time.Since(start)
	through := exported(t, s)
	begin, end := median(took[:3]), median(took[7:])
	t.Logf("duration of appends, last part to first part: %.2f; size of the database, at the end to at 40 %%: %.2f; %d entries verified in %v, through an export in %v",
		float64(end)/float64(begin), float64(sizes[9])/float64(sizes[3]), rep.Entries, direct.Round(time.Millisecond), through.Round(time.Millisecond))
	if rep.Entries != uint64(records) {
		t.Errorf("%d entries, want %d", rep.Entries, records)
	}
	if sizes[9] > sizes[3]*7/4 { // without archiving the factor would be 10/4
		t.Errorf("the database grew from %d to %d bytes", sizes[3], sizes[9])
	}
}

// exported verifies a trail as `bot audit verify` does, through an export. It returns how long the
// verification took.
func exported(t *testing.T, s *etcdstore.Store) time.Duration {
	t.Helper()
	start := time.Now()
	r, w := io.Pipe()
	go func() { w.CloseWithError(audit.WriteExport(w, audit.Header{}, audit.Entries(t.Context(), s, 1))) }()
	header, trail, err := audit.ReadExport(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(trail, audit.Options{After: header.After}); err != nil {
		t.Error(err)
	}
	return time.Since(start)
}

func median(list []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}
