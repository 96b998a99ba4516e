package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
)

func testLife(t *testing.T, s *suite) {
	at := s.start()
	for _, st := range []engine.State{engine.Approved, engine.Running, engine.Done} {
		before := at.Rev
		at = s.commit(s.next(at, st))
		if at.Rev <= before {
			t.Errorf("revision went from %d to %d", before, at.Rev)
		}
		got, err := s.Get(t.Context(), at.Run.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(at, got); d != "" {
			t.Errorf("stored run differs (-want +got)\n%s", d)
		}
	}
	if _, err := s.Get(t.Context(), "R-2222"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
	if _, err := s.Get(t.Context(), "../locks"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
	list := s.trail()
	if len(list) != 4 || list[3].Record.Text != "done" || list[3].Rev != at.Rev {
		t.Errorf("trail %+v", list)
	}
}

// A refused change stores nothing: no new version of the run, no record, and no lock.
func testRefused(t *testing.T, s *suite) {
	old := s.start()
	at := s.commit(s.next(old, engine.Approved))
	taken := s.first(at.Run.ID)
	taken.Take = []string{"a"}
	absent := s.next(engine.Stored{Run: engine.Run{ID: "R-2222"}, Rev: at.Rev}, engine.Approved)
	stale := s.next(old, engine.Cancelled)
	stale.Take = []string{"a"}
	wrongID := s.first("r-1")
	unlinked := s.next(at, engine.Running)
	unlinked.Records[0].Seq = 7
	formless := s.next(at, engine.Running)
	formless.Run.V = 0
	any := errors.New("any error")
	for _, c := range []struct {
		name   string
		change engine.Change
		want   error
	}{
		{"an old revision", stale, engine.ErrConflict},
		{"an unknown run", absent, engine.ErrConflict},
		{"an id in use", taken, engine.ErrIDTaken},
		{"an invalid id", wrongID, any},
		{"a record out of order", unlinked, any},
		{"a run without a form version", formless, any},
	} {
		_, err := s.Commit(t.Context(), c.change)
		if err == nil || (c.want != any && !errors.Is(err, c.want)) || errors.Is(err, engine.ErrStoreDown) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
	got, err := s.Get(t.Context(), at.Run.ID)
	if err != nil || got.Rev != at.Rev {
		t.Errorf("the run moved to %+v, %v", got, err)
	}
	if locks, err := s.Locks(t.Context()); err != nil || len(locks) != 0 {
		t.Errorf("locks %v, %v, want none", locks, err)
	}
	if list := s.trail(); len(list) != 2 {
		t.Errorf("%d records, want 2", len(list))
	}
}

func testIDs(t *testing.T, s *suite) {
	at := s.start()
	for _, st := range []engine.State{engine.Approved, engine.Done} {
		at = s.commit(s.next(at, st))
	}
	if _, err := s.Commit(t.Context(), s.first(at.Run.ID)); !errors.Is(err, engine.ErrIDTaken) {
		t.Errorf("a used id was taken again: %v", err)
	}
	seen := map[string]bool{}
	for range 50 {
		id := s.id()
		if !engine.ValidID(id) || seen[id] && len(seen) < 40 {
			t.Errorf("NewID returned %q", id)
		}
		seen[id] = true
	}
}

func lockList(t *testing.T, s *suite) string {
	t.Helper()
	locks, err := s.Locks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, l := range locks {
		out += fmt.Sprintf("%s=%s ", l.Name, l.Run)
		if l.Reason != "restart db_dis" || l.Since != s.clock.now().UnixMilli() {
			t.Errorf("lock %+v", l)
		}
	}
	return out
}

func testLocks(t *testing.T, s *suite) {
	a, b := s.start(), s.start()
	c := s.next(a, engine.Running)
	c.Take = []string{"prod/db_dis", "prod/infra-1 supervisor", "prod/db_dis"}
	a = s.commit(c)
	both := fmt.Sprintf("prod/db_dis=%[1]s prod/infra-1 supervisor=%[1]s ", a.Run.ID)
	if got := lockList(t, s); got != both {
		t.Errorf("locks %q, want %q", got, both)
	}

	c = s.next(b, engine.Running)
	c.Take = []string{"prod/free", "prod/db_dis"}
	_, err := s.Commit(t.Context(), c)
	var locked *engine.LockedError
	if !errors.As(err, &locked) || *locked != (engine.LockedError{Lock: "prod/db_dis", Run: a.Run.ID}) {
		t.Errorf("error %v, want prod/db_dis held by %s", err, a.Run.ID)
	}
	if got := lockList(t, s); got != both {
		t.Errorf("after a refusal locks are %q, want %q", got, both)
	}

	c = s.next(a, engine.Paused) // takes one lock for the second time, and another lock
	c.Take = []string{"prod/db_dis", "prod/more"}
	a = s.commit(c)
	if got := lockList(t, s); got != both+"prod/more="+a.Run.ID+" " {
		t.Errorf("after the run took its locks again, the locks are %q", got)
	}
	a = s.commit(s.next(a, engine.Unknown)) // keeps the locks
	if got := lockList(t, s); got != both+"prod/more="+a.Run.ID+" " {
		t.Errorf("unknown run's locks are %q", got)
	}

	c = s.next(b, engine.Running)
	c.Take = []string{"prod/other"}
	b = s.commit(c)
	c = s.next(a, engine.Closed)
	c.Release = true
	s.commit(c)
	if got, want := lockList(t, s), "prod/other="+b.Run.ID+" "; got != want {
		t.Errorf("after the release locks are %q, want %q", got, want)
	}
	c = s.next(b, engine.Done)
	c.Release = true
	s.commit(c)
	if got := lockList(t, s); got != "" {
		t.Errorf("locks %q remain", got)
	}
}

func testLists(t *testing.T, s *suite) {
	var runs []engine.Stored
	for range 60 { // more than a store reads in one request
		runs = append(runs, s.start())
	}
	want := ids(runs)
	open, err := s.Open(t.Context())
	if err != nil || ids(open) != want {
		t.Fatalf("open %s, %v\nwant %s", ids(open), err, want)
	}
	// The runs end in another order than they began.
	order := []int{4, 1, 3}
	want = ""
	for _, i := range order {
		s.clock.move(time.Second)
		runs[i] = s.commit(s.next(runs[i], engine.Done))
		want = ids(runs[i:i+1]) + want
	}
	recent, err := s.Recent(t.Context(), 10)
	if err != nil || ids(recent) != want {
		t.Errorf("recent %s, %v\nwant %s", ids(recent), err, want)
	}
	recent, err = s.Recent(t.Context(), 2)
	if err != nil || len(recent) != 2 || recent[0].Run.ID != runs[3].Run.ID {
		t.Errorf("the last two ended runs are %s, %v", ids(recent), err)
	}
	if recent, err = s.Recent(t.Context(), 0); err != nil || len(recent) != 0 {
		t.Errorf("Recent(0) returned %s, %v", ids(recent), err)
	}
	open, err = s.Open(t.Context())
	if err != nil || len(open) != 57 || open[1].Run.ID != runs[2].Run.ID {
		t.Errorf("open %s, %v", ids(open), err)
	}
}

func testWatch(t *testing.T, s *suite) {
	gone := s.start()
	s.commit(s.next(gone, engine.Done))
	a, b := s.start(), s.start()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan engine.Stored, 100)
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func(r engine.Stored) { seen <- r }) }()

	expect := func(want engine.Stored) {
		t.Helper()
		select {
		case got := <-seen:
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		case err := <-ended:
			t.Fatalf("the watch ended: %v", err)
		case <-time.After(2 * time.Minute):
			t.Fatalf("run %s, %q was not shown", want.Run.ID, want.Run.State)
		}
	}
	expect(a)
	expect(b)
	for _, st := range []engine.State{engine.Approved, engine.Running, engine.Done} {
		a = s.commit(s.next(a, st))
		expect(a)
	}
	expect(s.start())
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v, want context.Canceled", err)
	}
	if len(seen) != 0 {
		t.Errorf("the watch also showed %+v", <-seen)
	}
}

// Fifty writers change a run at the same revision. In each round one writer succeeds, and the
// others get a conflict.
func testOneWinner(t *testing.T, s *suite) {
	at := s.start()
	for range 5 {
		var won, lost atomic.Int32
		var winner atomic.Pointer[engine.Stored]
		crowd(50, func(i int) {
			c := s.next(at, engine.Waiting)
			c.Run.Why = fmt.Sprint("writer ", i)
			rev, err := s.Commit(t.Context(), c)
			switch {
			case err == nil:
				won.Add(1)
				winner.Store(&engine.Stored{Run: c.Run, Rev: rev})
			case errors.Is(err, engine.ErrConflict):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
		if won.Load() != 1 || lost.Load() != 49 {
			t.Fatalf("%d won and %d lost, want 1 and 49", won.Load(), lost.Load())
		}
		got, err := s.Get(t.Context(), at.Run.ID)
		if d := cmp.Diff(*winner.Load(), got); d != "" || err != nil {
			t.Fatalf("%v (-winner +stored)\n%s", err, d)
		}
		at = got
	}
	if list := s.trail(); len(list) != 6 {
		t.Errorf("%d records, want 6", len(list))
	}
}

// Runs take overlapping locks. A run holds all of its locks or none, and no
// lock has two holders.
func testLockRace(t *testing.T, s *suite) {
	const n = 12
	var done atomic.Int32
	var inUse [n]atomic.Int32
	crowd(n, func(i int) {
		at := s.start()
		want := []int{i, (i + 1) % n, (i + 5) % n}
		for {
			c := s.next(at, engine.Running)
			for _, l := range want {
				c.Take = append(c.Take, fmt.Sprint("lock ", l))
			}
			rev, err := s.Commit(t.Context(), c)
			var locked *engine.LockedError
			if errors.As(err, &locked) {
				if locked.Run == at.Run.ID {
					t.Errorf("%s is blocked by its own lock", locked.Run)
					return
				}
				continue
			}
			if err != nil {
				t.Error(err)
				return
			}
			at = engine.Stored{Run: c.Run, Rev: rev}
			break
		}
		for _, l := range want {
			if inUse[l].Add(1) != 1 {
				t.Errorf("lock %d is held twice", l)
			}
		}
		for _, l := range want {
			inUse[l].Add(-1)
		}
		c := s.next(at, engine.Done)
		c.Release = true
		if _, err := s.Commit(t.Context(), c); err != nil {
			t.Error(err)
		}
		done.Add(1)
	})
	if done.Load() != n {
		t.Errorf("%d of %d runs ended", done.Load(), n)
	}
	if locks, err := s.Locks(t.Context()); err != nil || len(locks) != 0 {
		t.Errorf("locks %v, %v remain", locks, err)
	}
}

// Runs, and records without a run, are written while records are sealed. Then the trail has every
// record once, without gaps, in the order of revisions.
func testManyWriters(t *testing.T, s *suite) {
	const writers, each = 50, 6
	stop, sealed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sealed)
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := s.Seal(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	revs := make([][]int64, writers)
	crowd(writers, func(i int) {
		if i%2 == 0 {
			for range each {
				if err := s.Append(t.Context(), audit.Record{At: s.clock.now(), Kind: audit.ReadDone, Text: fmt.Sprint(i)}, ""); err != nil {
					t.Error(err)
				}
			}
			return
		}
		at := s.start()
		for range each - 1 {
			revs[i] = append(revs[i], at.Rev)
			at = s.commit(s.next(at, engine.Running))
		}
		revs[i] = append(revs[i], at.Rev)
	})
	close(stop)
	<-sealed
	list := s.trail()
	if len(list) != writers*each {
		t.Fatalf("%d records in the trail, want %d", len(list), writers*each)
	}
	count := map[int64]int{}
	for _, e := range list {
		count[e.Rev]++
	}
	for _, of := range revs {
		for _, rev := range of {
			if count[rev] != 1 {
				t.Errorf("revision %d has %d records, want 1", rev, count[rev])
			}
		}
	}
}
