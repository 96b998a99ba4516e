package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/publish"
)

// Store has all methods of a store that the program uses.
type Store interface {
	engine.Runs
	engine.Members
	audit.Log
	publish.Posts
	Maintenance(ctx context.Context) ([]fleet.Maintenance, error)
	OpenWork(ctx context.Context) ([]engine.Stored, []fleet.Maintenance, error)
	SetMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error
	EndMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error
	WatchState(ctx context.Context, prefix string, f func(name string, data []byte, rev int64) error) error
	SetWatchState(ctx context.Context, name string, data []byte, rev int64, records []audit.Record, claim string) (int64, error)
	NewID(ctx context.Context) (string, error)
	Claim(ctx context.Context, key string, payload []byte) (first bool, err error)
	Settle(ctx context.Context, key string) error
	Unsettled(ctx context.Context, f func(key string, payload []byte, replica string, at time.Time) error) error
	Sweep(ctx context.Context) (int, error)
	Seal(ctx context.Context) (int, error)
	Lead(ctx context.Context, do func(ctx context.Context) error) error
}

// Open returns an empty store whose clock is now. The store is closed when the test ends.
type Open func(t *testing.T, now func() time.Time) Store

// Run tests a store.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *suite){
		"a run's life":               testLife,
		"refused changes":            testRefused,
		"ids are never used again":   testIDs,
		"locks":                      testLocks,
		"open and recent":            testLists,
		"claims":                     testClaims,
		"a claim settles once":       testClaimCommit,
		"sweeping claims":            testSweep,
		"the trail's order":          testTrailOrder,
		"a long trail":               testLongTrail,
		"records of no run":          testAppend,
		"posts":                      testPosts,
		"leading":                    testLead,
		"maintenance":                testMaintenance,
		"maintenance that fails":     testMaintenanceFails,
		"maintenance windows":        testWindow,
		"open work":                  testInHand,
		"watching":                   testWatch,
		"watch state":                testKept,
		"watch state that fails":     testKeptFails,
		"one keeper":                 testKeptRace,
		"no time left":               testDeadline,
		"one winner per revision":    testOneWinner,
		"locks all or nothing":       testLockRace,
		"many writers, one trail":    testManyWriters,
		"one claimer":                testClaimRace,
		"a settled claim, contended": testClaimCommitRace,
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{t: time.Date(2026, 3, 9, 14, 6, 7, 0, time.UTC)}
			test(t, &suite{T: t, Store: open(t, c.now), clock: c})
		})
	}
}

// suite has a store under test and what its tests need.
type suite struct {
	*testing.T
	Store
	clock *clock
}

// clock is a clock that only the test advances.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// next returns a change that moves a run to state st, with one record.
func (s *suite) next(old engine.Stored, st engine.State) engine.Change {
	r := old.Run
	r.V, r.State = engine.FormVersion, st
	if st.Ended() {
		at := s.clock.now()
		r.EndedAt = &at
	}
	rec := audit.Link(audit.Record{At: s.clock.now(), Run: r.ID, Kind: audit.StepStarted, Text: string(st)}, r.Records+1, r.Head)
	r.Records, r.Head = rec.Seq, audit.Hash(rec)
	return engine.Change{Run: r, Rev: old.Rev, Records: []audit.Record{rec}}
}

// first returns the change that creates a run.
func (s *suite) first(id string) engine.Change {
	r := engine.Run{ID: id, Reason: "disk was full", RequestedAt: s.clock.now()}
	r.Plan.Title = "restart db_dis"
	return s.next(engine.Stored{Run: r}, engine.Waiting)
}

// commit makes a change, and fails the test if the store refuses it.
func (s *suite) commit(c engine.Change) engine.Stored {
	s.Helper()
	rev, err := s.Commit(s.Context(), c)
	if err != nil {
		s.Fatalf("run %s to %q: %v", c.Run.ID, c.Run.State, err)
	}
	return engine.Stored{Run: c.Run, Rev: rev}
}

// id returns a new run id.
func (s *suite) id() string {
	s.Helper()
	id, err := s.NewID(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return id
}

// start stores a new run.
func (s *suite) start() engine.Stored {
	s.Helper()
	return s.commit(s.first(s.id()))
}

// trail seals pending records and returns the verified trail.
func (s *suite) trail() []audit.Sealed {
	s.Helper()
	if _, err := s.Seal(s.Context()); err != nil {
		s.Fatal(err)
	}
	var list []audit.Sealed
	collect := func(yield func(audit.Sealed, error) bool) {
		for e, err := range audit.Entries(s.Context(), s, 1) {
			list = append(list, e)
			if !yield(e, err) {
				return
			}
		}
	}
	head, ok, err := s.Head(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	var heads []audit.Head
	if ok {
		heads = append(heads, audit.Head{N: head.N, Hash: head.Hash})
	}
	if _, err := audit.Verify(collect, audit.Options{Heads: heads}); err != nil {
		s.Fatalf("the trail does not verify: %v", err)
	}
	if ok != (len(list) > 0) || (ok && list[len(list)-1].Hash != head.Hash) {
		s.Fatalf("head %+v (%v) is not the last of %d entries", head, ok, len(list))
	}
	return list
}

// crowd calls f n times in parallel, and waits until all calls have returned.
func crowd(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func ids(list []engine.Stored) string {
	out := ""
	for _, r := range list {
		out += fmt.Sprintf("%s:%s ", r.Run.ID, r.Run.State)
	}
	return out
}
