package memstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/publish"
)

var (
	_ engine.Runs    = (*Store)(nil)
	_ engine.Members = (*Store)(nil)
	_ audit.Log      = (*Store)(nil)
	_ publish.Posts  = (*Store)(nil)
)

// KeepClaims is the time after which Sweep removes a settled claim.
const KeepClaims = time.Hour

// Config configures a store. The zero value is valid.
type Config struct {
	Replica string           // this replica's name, "bot" by default
	Now     func() time.Time // time.Now by default
}

// Store has the state of one bot. Several engines may share it, like replicas.
type Store struct {
	replica string
	now     func() time.Time

	mu      sync.Mutex
	rev     int64
	runs    map[string]*run
	locks   map[string]engine.Lock
	claims  map[string]*claim
	trail   []audit.Sealed
	posts   map[string]publish.Post
	threads map[string]publish.Thread
	posted  uint64
	lost    bool
	history []form        // every version of every run, in order
	changed chan struct{} // closed and replaced when history grows
	// maintenance has the announcements, by their targets.
	maintenance map[fleet.Maintenance]fleet.Maintenance
	sent        map[string]bool // runs and steps, see Sending
	kept        map[string]form // watch state by name
}

// form is a version of a run, or of a watch state. A run is kept encoded, so that callers do not
// share memory with the store, and tests find encoding errors.
type form struct {
	data []byte
	rev  int64
}

type run struct {
	form
	created int64
	ended   time.Time // zero while the run is open
}

type claim struct {
	payload []byte
	replica string
	at      time.Time
	settled bool
}

// New returns an empty store.
func New(c Config) *Store {
	if c.Replica == "" {
		c.Replica = "bot"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Store{
		replica: c.Replica,
		now:     c.Now,
		runs:    map[string]*run{},
		locks:   map[string]engine.Lock{},
		claims:  map[string]*claim{},
		posts:   map[string]publish.Post{}, threads: map[string]publish.Thread{},
		changed: make(chan struct{}),

		maintenance: map[fleet.Maintenance]fleet.Maintenance{},
		sent:        map[string]bool{},
		kept:        map[string]form{},
	}
}

// Run only waits until ctx ends, because this store has no lease to renew, and needs no background
// work.
func (s *Store) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Lead calls work once, because no other replica could lead.
func (s *Store) Lead(ctx context.Context, work func(ctx context.Context) error) error {
	return work(ctx)
}

// LoseLease makes every later Commit fail with engine.ErrLeaseLost, as if the replica had
// paused for longer than its lease.
func (s *Store) LoseLease() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
}

// Alive returns this replica, unless its lease is lost.
func (s *Store) Alive(ctx context.Context) ([]string, error) {
	if err := down(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost {
		return nil, nil
	}
	return []string{s.replica}, nil
}

// down returns engine.ErrStoreDown if ctx has ended, otherwise nil.
func down(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", engine.ErrStoreDown, err)
	}
	return nil
}

// Claim stores a delivered Slack request under its key. It returns false if the key is already
// stored.
func (s *Store) Claim(ctx context.Context, key string, payload []byte) (bool, error) {
	if err := down(ctx); err != nil {
		return false, err
	}
	if key == "" {
		return false, errors.New("a delivery without a key cannot be claimed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.claims[key]; ok {
		return false, nil
	}
	s.rev++
	s.claims[key] = &claim{payload: append([]byte(nil), payload...), replica: s.replica, at: s.now()}
	return true, nil
}

// Settle marks a delivered request as handled. It ignores an unknown key.
func (s *Store) Settle(ctx context.Context, key string) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(key)
	return nil
}

// settle marks a claim as settled. The caller holds s.mu.
func (s *Store) settle(key string) {
	if c, ok := s.claims[key]; ok && !c.settled {
		s.rev++
		c.settled, c.payload, c.at = true, nil, s.now()
	}
}

// Unsettled calls f for each delivered request that was claimed but not yet settled, the oldest
// first.
func (s *Store) Unsettled(ctx context.Context, f func(key string, payload []byte, replica string, at time.Time) error) error {
	if err := down(ctx); err != nil {
		return err
	}
	for _, key := range s.unsettled() {
		s.mu.Lock()
		c, ok := s.claims[key]
		var open claim
		if ok {
			open = *c
		}
		s.mu.Unlock()
		if !ok || open.settled {
			continue
		}
		if err := f(key, open.payload, open.replica, open.at); err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes claims that were settled more than KeepClaims ago.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	if err := down(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for key, c := range s.claims {
		if c.settled && s.now().Sub(c.at) > KeepClaims {
			delete(s.claims, key)
			n++
		}
	}
	return n, nil
}

// Sending records that step i of a run is about to be sent. It returns an error if any replica
// recorded the step before.
func (s *Store) Sending(r engine.Run, i int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprint(r.ID, " ", i)
	if s.sent[key] {
		return engine.ErrSentBefore
	}
	s.sent[key] = true
	return nil
}

// Hold never holds a run back.
func (s *Store) Hold(engine.Run) string { return "" }
