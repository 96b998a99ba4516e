package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
)

// The trail has entries in the order in which they were stored. The entries of one change are in
// the order of the records in the change.
func testTrailOrder(t *testing.T, s *suite) {
	if list := s.trail(); len(list) != 0 {
		t.Fatalf("a new store has %d entries", len(list))
	}
	a, b := s.first("R-ZZZZ"), s.first("R-2222")
	var want []string
	add := func(c engine.Change, n int) engine.Stored {
		t.Helper()
		for i := 1; i < n; i++ {
			more := s.next(engine.Stored{Run: c.Run, Rev: c.Rev}, c.Run.State)
			c.Run, c.Records = more.Run, append(c.Records, more.Records...)
		}
		for _, r := range c.Records {
			want = append(want, fmt.Sprint(r.Run, "/", r.Seq))
		}
		return s.commit(c)
	}
	ra, rb := add(a, 12), add(b, 1)
	if _, err := s.Seal(t.Context()); err != nil { // in several batches
		t.Fatal(err)
	}
	ra = add(s.next(ra, engine.Running), 1)
	add(s.next(rb, engine.Running), 3)
	add(s.next(ra, engine.Done), 1)
	var got []string
	for _, e := range s.trail() {
		got = append(got, fmt.Sprint(e.Record.Run, "/", e.Record.Seq))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("order %v\nwant %v", got, want)
	}
}

// testLongTrail writes more entries than a store seals or reads in one request.
func testLongTrail(t *testing.T, s *suite) {
	const n = 2300
	crowd(20, func(i int) {
		for range n / 20 {
			if err := s.Append(t.Context(), audit.Record{At: s.clock.now(), Kind: audit.Note}, ""); err != nil {
				t.Error(err)
			}
		}
	})
	if list := s.trail(); len(list) != n {
		t.Fatalf("%d entries, want %d", len(list), n)
	}
	for _, from := range []uint64{0, 1, 2, 120, 121, 999, n - 1, n, n + 1, n + 500} {
		next := max(from, 1)
		err := s.Trail(t.Context(), from, func(e audit.Sealed) error {
			if e.N != next {
				return fmt.Errorf("entry %d, want %d", e.N, next)
			}
			next++
			return nil
		})
		if err != nil || next != max(n+1, from) {
			t.Errorf("from %d: read up to %d, %v", from, next, err)
		}
	}
	enough := errors.New("enough")
	calls := 0
	err := s.Trail(t.Context(), 5, func(audit.Sealed) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("after %d calls the error is %v, want the error of the caller's function after 1", calls, err)
	}
}

func testAppend(t *testing.T, s *suite) {
	read := audit.Record{At: s.clock.now().Add(1234567), Kind: audit.ReadDone, Person: "anna", Text: "status <db_dis>"}
	if _, err := s.Claim(t.Context(), "slash/1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for _, claim := range []string{"slash/1", "slash/1", "slash/none", ""} {
		if err := s.Append(t.Context(), read, claim); err != nil {
			t.Fatal(err)
		}
	}
	if open := unsettled(t, s); open != "" {
		t.Errorf("unsettled: %s", open)
	}
	if first, err := s.Claim(t.Context(), "slash/none", nil); err != nil || !first {
		t.Errorf("settling created a claim: %v, %v", first, err)
	}
	list := s.trail()
	if len(list) != 4 {
		t.Fatalf("%d entries, want 4", len(list))
	}
	if got, want := list[0].Record, audit.Link(read, 0, ""); got != want {
		t.Errorf("stored %+v\nwant %+v", got, want)
	}
	read.Kind = "party"
	if err := s.Append(t.Context(), read, ""); !errors.Is(err, audit.ErrForm) {
		t.Errorf("error %v, want ErrForm", err)
	}
}

func unsettled(t *testing.T, s *suite) string {
	t.Helper()
	out := ""
	err := s.Unsettled(t.Context(), func(key string, payload []byte, replica string, at time.Time) error {
		if replica == "" || !at.Equal(s.clock.now()) {
			t.Errorf("%s: replica %q, at %v", key, replica, at)
		}
		out += key + "=" + string(payload) + " "
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func testClaims(t *testing.T, s *suite) {
	for i, c := range []struct {
		key   string
		first bool
	}{{"b/1", true}, {"a/1", true}, {"b/1", false}, {"b/2", true}} {
		first, err := s.Claim(t.Context(), c.key, fmt.Appendf(nil, "payload %d", i))
		if err != nil || first != c.first {
			t.Errorf("%s: first %v, %v, want %v", c.key, first, err, c.first)
		}
	}
	if got, want := unsettled(t, s), "a/1=payload 1 b/1=payload 0 b/2=payload 3 "; got != want {
		t.Errorf("unsettled %q, want %q", got, want)
	}
	for range 2 { // a repetition changes nothing
		if err := s.Settle(t.Context(), "b/1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Settle(t.Context(), "never/claimed"); err != nil {
		t.Fatal(err)
	}
	if got, want := unsettled(t, s), "a/1=payload 1 b/2=payload 3 "; got != want {
		t.Errorf("unsettled %q, want %q", got, want)
	}
	for key, want := range map[string]bool{"b/1": false, "never/claimed": true} {
		if first, err := s.Claim(t.Context(), key, nil); err != nil || first != want {
			t.Errorf("%s: first %v, %v, want %v", key, first, err, want)
		}
	}
	if _, err := s.Claim(t.Context(), "", nil); err == nil {
		t.Error("a delivery without a key was claimed")
	}
}

// A settled delivery cannot have a second effect, even if another replica believes that it is not
// settled.
func testClaimCommit(t *testing.T, s *suite) {
	if _, err := s.Claim(t.Context(), "slash/1", nil); err != nil {
		t.Fatal(err)
	}
	c := s.first(s.id())
	c.Claim = "slash/1"
	at := s.commit(c)
	if got := unsettled(t, s); got != "" {
		t.Errorf("unsettled %q after the commit", got)
	}
	again := s.first(s.id())
	again.Claim = "slash/1"
	if _, err := s.Commit(t.Context(), again); !errors.Is(err, engine.ErrSettled) {
		t.Errorf("error %v, want ErrSettled", err)
	}
	if _, err := s.Get(t.Context(), again.Run.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
	// The delivery click/none was never claimed. A commit that settles it must not create the claim.
	c = s.next(at, engine.Approved)
	c.Claim = "click/none"
	s.commit(c)
	if first, err := s.Claim(t.Context(), "click/none", nil); err != nil || !first {
		t.Errorf("settling created a claim: %v, %v", first, err)
	}
}

// A claim is kept for an hour after it was settled. Before that, it is kept for any time.
func testSweep(t *testing.T, s *suite) {
	for i := range 300 {
		key := fmt.Sprintf("slash/%03d", i)
		if _, err := s.Claim(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			if err := s.Settle(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		later time.Duration
		swept int
	}{{59 * time.Minute, 0}, {48 * time.Hour, 299}, {time.Hour, 0}} {
		s.clock.move(c.later)
		if n, err := s.Sweep(t.Context()); err != nil || n != c.swept {
			t.Errorf("after %v Sweep removed %d claims, %v, want %d", c.later, n, err, c.swept)
		}
	}
	if first, err := s.Claim(t.Context(), "slash/000", nil); err != nil || first {
		t.Errorf("an unhandled delivery was forgotten: %v, %v", first, err)
	}
}

func testPosts(t *testing.T, s *suite) {
	if _, ok, err := s.Post(t.Context(), "R-7F3K"); ok || err != nil {
		t.Errorf("a new store has a post: %v, %v", ok, err)
	}
	for rev := range int64(3) {
		want := publish.Post{Channel: "C1", TS: "1.2", Rev: rev}
		if err := s.SetPost(t.Context(), "R-7F3K", want); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := s.Post(t.Context(), "R-7F3K"); got != want || !ok || err != nil {
			t.Errorf("post %+v, %v, %v, want %+v", got, ok, err, want)
		}
	}
	if _, ok, err := s.Thread(t.Context(), "R-7F3K"); ok || err != nil {
		t.Errorf("a new store has a thread: %v, %v", ok, err)
	}
	for _, want := range []publish.Thread{{Channel: "C2", TS: "3.4"}, {Channel: "C2", TS: "3.4", Linked: true}} {
		if err := s.SetThread(t.Context(), "R-7F3K", want); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := s.Thread(t.Context(), "R-7F3K"); got != want || !ok || err != nil {
			t.Errorf("thread %+v, %v, %v, want %+v", got, ok, err, want)
		}
	}
	for _, c := range []struct{ set, want uint64 }{{0, 0}, {7, 7}, {5, 7}, {8, 8}} {
		if err := s.SetTrailPosted(t.Context(), c.set); err != nil {
			t.Fatal(err)
		}
		if n, err := s.TrailPosted(t.Context()); n != c.want || err != nil {
			t.Errorf("posted %d, %v, want %d", n, err, c.want)
		}
	}
}

// If the context of a call has ended, the call returns the same error as if the store had not
// answered.
func testDeadline(t *testing.T, s *suite) {
	at := s.start()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, commit := s.Commit(ctx, s.next(at, engine.Approved))
	_, get := s.Get(ctx, at.Run.ID)
	_, open := s.Open(ctx)
	_, recent := s.Recent(ctx, 1)
	_, locks := s.Locks(ctx)
	_, alive := s.Alive(ctx)
	_, claim := s.Claim(ctx, "x", nil)
	_, _, head := s.Head(ctx)
	_, _, post := s.Post(ctx, at.Run.ID)
	_, _, thread := s.Thread(ctx, at.Run.ID)
	_, posted := s.TrailPosted(ctx)
	_, id := s.NewID(ctx)
	_, seal := s.Seal(ctx)
	_, sweep := s.Sweep(ctx)
	for what, err := range map[string]error{
		"commit": commit, "get": get, "open": open, "recent": recent, "locks": locks, "alive": alive, "claim": claim,
		"head": head, "post": post, "thread": thread, "posted": posted, "id": id, "seal": seal, "sweep": sweep,
		"settle":     s.Settle(ctx, "x"),
		"append":     s.Append(ctx, audit.Record{At: s.clock.now(), Kind: audit.Note}, ""),
		"trail":      s.Trail(ctx, 1, func(audit.Sealed) error { return nil }),
		"set post":   s.SetPost(ctx, at.Run.ID, publish.Post{}),
		"set thread": s.SetThread(ctx, at.Run.ID, publish.Thread{}),
		"cursor":     s.SetTrailPosted(ctx, 1),
		"unsettled":  s.Unsettled(ctx, func(string, []byte, string, time.Time) error { return nil }),
	} {
		if !errors.Is(err, engine.ErrStoreDown) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want ErrStoreDown and context.Canceled", what, err)
		}
	}
	if alive, err := s.Alive(t.Context()); err != nil || len(alive) != 1 {
		t.Errorf("alive %v, %v, want one replica", alive, err)
	}
}

func testClaimRace(t *testing.T, s *suite) {
	for round := range 5 {
		var first atomic.Int32
		crowd(30, func(i int) {
			ok, err := s.Claim(t.Context(), fmt.Sprint("click/", round), fmt.Appendf(nil, "%d", i))
			if err != nil {
				t.Error(err)
			}
			if ok {
				first.Add(1)
			}
		})
		if first.Load() != 1 {
			t.Fatalf("round %d: %d callers were told that they claimed the delivery first", round, first.Load())
		}
	}
}

// Two replicas handle the same delivery at the same time. Only one of them can create a run.
func testClaimCommitRace(t *testing.T, s *suite) {
	if _, err := s.Claim(t.Context(), "slash/1", nil); err != nil {
		t.Fatal(err)
	}
	var stored, refused atomic.Int32
	crowd(10, func(int) {
		c := s.first(s.id())
		c.Claim = "slash/1"
		switch _, err := s.Commit(t.Context(), c); {
		case err == nil:
			stored.Add(1)
		case errors.Is(err, engine.ErrSettled):
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if stored.Load() != 1 || refused.Load() != 9 {
		t.Errorf("%d stored and %d refused, want 1 and 9", stored.Load(), refused.Load())
	}
}
