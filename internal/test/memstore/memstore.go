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

// KeepClaims is how long settled claims are kept.
const KeepClaims = time.Hour

// Config configures a store. The zero value is valid.
type Config struct {
	Replica string           // this replica's name, "bot" by default
	Now     func() time.Time // time.Now by default
}

// Store is the state of one bot. Several engines may share it.
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
	// maintenance is the announced maintenance by target.
	maintenance map[fleet.Maintenance]fleet.Maintenance
	sent        map[string]bool // runs and steps, see Sending
	kept        map[string]form // watch state by name
}

// form is a version of a run. Runs are kept encoded, so that no caller shares
// memory with the store and encoding errors are found.
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

// Run waits for ctx to end: records are sealed on commit, and there is no lease
// to renew.
func (s *Store) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Lead calls work once, with ctx: there is no other replica that could lead.
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

// down returns engine.ErrStoreDown if ctx has ended.
func down(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", engine.ErrStoreDown, err)
	}
	return nil
}

// Claim stores a delivery unless it is already stored.
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

// Settle marks a delivery as handled. It ignores an unknown delivery.
func (s *Store) Settle(ctx context.Context, key string) error {
	if err := down(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(key)
	return nil
}

// settle marks a claim as settled. The caller holds mu.
func (s *Store) settle(key string) {
	if c, ok := s.claims[key]; ok && !c.settled {
		s.rev++
		c.settled, c.payload, c.at = true, nil, s.now()
	}
}

// Unsettled calls f for each claimed and not settled delivery, oldest first.
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

// Sending records that a step is about to be sent. It refuses a step that was
// recorded before, also from another replica.
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
