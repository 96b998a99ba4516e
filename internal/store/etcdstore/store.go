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

// Store is the state of the bot. Its methods are safe for concurrent use.
type Store struct {
	*trail.Log        // the audit trail, and whether the store is trusted
	*replicas.Replica // this process among the replicas

	conf Config
	log  *slog.Logger
	keys keymap.Keys
	etcd *etcdconn.Conn

	openWork  atomic.Pointer[openWork] // the newest result that was read, see OpenWork
	ambiguous *ambiguousClaims

	archive   *archive.Archive // nil for none
	archiving sync.Mutex       // held while archiving or backing up

	// trouble has problems for Health that etcd itself does not report.
	trouble struct {
		archive, newer etcdconn.Trouble
	}

	closing sync.Once
	closed  error
}

// Open opens an embedded store, or connects to a cluster. Unless Config.Guest is set, it takes the
// lease of this replica, which Commit requires and Run renews. The caller must close the store after Run has returned.
//
// Open returns an *etcdconn.DirInUseError if another process uses the directory, a
// *replicas.NameInUseError if another live replica has the name, and a *trail.ForkedError if the
// archive belongs to another state.
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
	if !c.Guest {
		if err := s.Register(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.CheckFork(ctx); err != nil {
		return nil, err
	}
	return s, s.Recognise(ctx)
}

// Run renews the lease, seals the trail, archives and sweeps until ctx ends. Then it seals once
// more and returns nil. It returns a *replicas.NameInUseError if another process has this replica's
// name, and an *etcdconn.StoppedError if the embedded server has failed.
func (s *Store) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.KeepLease(ctx) })
	g.Go(func() error { return s.KeepSealing(ctx) })
	g.Go(func() error { return s.keepArchive(ctx) })
	g.Go(func() error { return s.KeepWitnesses(ctx) })
	g.Go(func() error { return s.KeepVerifying(ctx) })
	g.Go(func() error { return s.keepIndexed(ctx) })
	g.Go(func() error { return s.keepAmbiguousClaims(ctx) })
	g.Go(func() error { return s.etcd.Wait(ctx) })
	return g.Wait()
}

// Close releases the lease and stops the embedded server. Calls in progress fail.
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

// Txns counts the transactions for callers of this store: claims, settlements, appended records,
// commits and posts. It does not count reads, or the maintenance of leases and trail, which Health
// counts.
func (s *Store) Txns() int64 { return s.etcd.Callers.Load() }
