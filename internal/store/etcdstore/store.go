package etcdstore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/keymap"
	"dhbot/internal/store/replicas"
	"dhbot/internal/store/trail"
)

var (
	_ engine.Runs    = (*Store)(nil)
	_ engine.Members = (*Store)(nil)
	_ audit.Log      = (*Store)(nil)
	_ publish.Posts  = (*Store)(nil)
)

// Store is the state of the bot. Its methods may be called at the same time.
type Store struct {
	*trail.Log        // the audit trail, and how far the store is believed
	*replicas.Replica // this process among the replicas

	conf Config
	log  *slog.Logger
	keys keymap.Keys
	etcd *etcdconn.Conn

	openWork  atomic.Pointer[openWork] // the newest that was read, see InHand
	ambiguous *ambiguousClaims

	archive   *archive.Archive // nil for none
	archiving sync.Mutex       // held by the one who archives or backs up

	// What Health tells besides etcd's own answers.
	trouble struct {
		archive, newer etcdconn.Trouble
	}

	closing sync.Once
	closed  error
}

// Open starts or reaches the store and takes this replica's lease, from when
// on Commit works. The lease lasts while Run runs; the opener of a store must
// close it, after Run has returned.
//
// A directory that another process uses is an *etcdconn.DirInUseError, a name that
// another living replica bears a *replicas.NameInUseError, an archive that belongs
// to another state a *trail.ForkedError.
func Open(ctx context.Context, c Config) (_ *Store, err error) {
	c, err = c.complete()
	if err != nil {
		return nil, err
	}
	s := &Store{conf: c, log: c.Log, keys: keymap.Keys(c.Prefix), ambiguous: newAmbiguousClaims()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.etcd, err = etcdconn.Open(ctx, c.etcd()); err != nil {
		return nil, err
	}
	s.Log = trail.New(c.trail(), s.etcd, s.keys, s)
	s.archive = s.Archived()
	if err := s.freeSpace(ctx); err != nil {
		return nil, err
	}
	if err := s.LoadKey(ctx); err != nil {
		return nil, err
	}
	s.Replica = replicas.New(c.replica(), s.etcd, s.keys, s.Key())
	s.Use(s.Replica)
	if err := s.Register(ctx); err != nil {
		return nil, err
	}
	if err := s.CheckFork(ctx); err != nil {
		return nil, err
	}
	return s, s.Recognise(ctx)
}

// Run keeps the lease, seals the trail, archives and sweeps until ctx ends;
// then it seals once more and returns nil. It returns an error when this
// replica can no longer be itself (*replicas.NameInUseError), and when the embedded
// server has given up (*etcdconn.StoppedError).
func (s *Store) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.KeepLease(ctx) })
	g.Go(func() error { return s.KeepSealing(ctx) })
	g.Go(func() error { return s.keepArchive(ctx) })
	g.Go(func() error { return s.KeepWitnesses(ctx) })
	g.Go(func() error { return s.KeepVerifying(ctx) })
	g.Go(func() error { return s.keepAmbiguousClaims(ctx) })
	g.Go(func() error { return s.etcd.Wait(ctx) })
	return g.Wait()
}

// Close gives back the lease and stops the embedded server. Calls that are
// under way fail.
func (s *Store) Close() error {
	s.closing.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Store) close() error {
	if s.etcd == nil {
		return nil
	}
	goodbye := func(context.Context) {}
	if s.Replica != nil {
		goodbye = s.Resign
	}
	err := s.etcd.Close(goodbye)
	if s.Log != nil {
		err = errors.Join(err, s.Log.Close())
	}
	return err
}

// Txns is how many transactions the callers of this store have caused:
// claims, settlements, appended records, commits and posts. Reads are not
// transactions; the upkeep of leases and trail is counted in Health.
func (s *Store) Txns() int64 { return s.etcd.Callers.Load() }
