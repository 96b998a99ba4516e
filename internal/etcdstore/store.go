package etcdstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"golang.org/x/sync/errgroup"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
	"dhbot/internal/crew"
	"dhbot/internal/engine"
	"dhbot/internal/gather"
	"dhbot/internal/poster"
)

var (
	_ engine.Runs    = (*Store)(nil)
	_ engine.Members = (*Store)(nil)
	_ audit.Log      = (*Store)(nil)
	_ poster.Posts   = (*Store)(nil)
)

var errClosing = errors.New("the store is being closed")

// Store is the state of the bot. Its methods may be called at the same time.
type Store struct {
	conf   Config
	log    *slog.Logger
	keys   keys
	client *clientv3.Client
	server *embed.Etcd // nil for an external cluster
	dir    *os.File    // the locked file; nil for an external cluster
	crew   *crew.Crew  // makes the calls of the embedded server; nil for an external cluster

	lease     atomic.Pointer[lease] // this replica's, perhaps lost meanwhile
	since     time.Time             // when this store was opened
	leaving   atomic.Bool           // this replica stops, see Leave
	process   string                // random, names this process's records of no run
	appends   atomic.Int64          // records of no run so far
	appending *gather.Gather[loose]
	inHand    atomic.Pointer[inHand] // the newest that was read, see InHand
	sealer    sealer
	term      atomic.Int64 // of leading the work, see Lead; 0 for never
	doubts    *doubts

	archive   *archive.Archive // nil for none
	archiving sync.Mutex       // held by the one who archives or backs up
	last      *lastWords       // the embedded server's
	marked    mark             // keepTrail's, see compact

	// What Health tells besides etcd's own answers.
	trouble struct {
		archive, seal, newer note
		slow                 slowness
	}

	txns, background atomic.Int64

	// looking is held to read an embedded server's memory, and to close it for
	// good: after that there is none.
	looking sync.RWMutex
	closing sync.Once
	closed  error
}

// Open starts or reaches the store and takes this replica's lease, from when
// on Commit works. The lease lasts while Run runs; whoever opens a store must
// close it, after Run has returned.
//
// A directory that another process uses is a *DirInUseError, a name that
// another living replica bears a *NameInUseError, an archive that belongs to
// another state a *ForkedError.
func Open(ctx context.Context, c Config) (_ *Store, err error) {
	c, err = c.complete()
	if err != nil {
		return nil, err
	}
	s := &Store{conf: c, since: c.Now(), log: c.Log, keys: keys(c.Prefix), process: rand.Text()[:8], doubts: newDoubts()}
	s.appending = gather.New(c.AppendEach, maxBytes, loose.room, s.appendAll)
	if c.Archive != "" {
		s.archive = archive.New(c.Archive)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if c.Dir == "" {
		s.client, err = dial(c)
	} else if s.dir, err = lockDir(c.Dir, c.Now()); err == nil {
		s.crew = crew.New()
		s.server, s.client, s.last, err = startEmbedded(ctx, c)
		err = errors.Join(err, sweepSnapshots(c.Dir))
	}
	if err != nil {
		return nil, err
	}
	if err := s.makeRoom(ctx); err != nil {
		return nil, err
	}
	if err := s.register(ctx); err != nil {
		return nil, err
	}
	return s, s.checkFork(ctx)
}

// Run keeps the lease, seals the trail, archives and sweeps until ctx ends;
// then it seals once more and returns nil. It returns an error when this
// replica can no longer be itself (*NameInUseError), and when the embedded
// server has given up (*StoppedError).
func (s *Store) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.keepLease(ctx) })
	g.Go(func() error { return s.keepTrail(ctx) })
	g.Go(func() error { return s.keepArchive(ctx) })
	g.Go(func() error { return s.keepDoubts(ctx) })
	g.Go(func() error { return s.last.wait(ctx) })
	return g.Wait()
}

// Close gives back the lease and stops the embedded server. Calls that are
// under way fail.
func (s *Store) Close() error {
	s.closing.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Store) close() error {
	var errs []error
	if s.client != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.resign(ctx)
		if err := s.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, err)
		}
	}
	if s.server != nil {
		errs = append(errs, s.stopServer())
	}
	if s.crew != nil {
		s.crew.Dismiss()
	}
	if s.dir != nil {
		errs = append(errs, s.dir.Close())
	}
	return errors.Join(errs...)
}

// Txns is how many transactions the callers of this store have caused:
// claims, settlements, appended records, commits and posts. Reads are not
// transactions; the upkeep of leases and trail is counted in Health.
func (s *Store) Txns() int64 { return s.txns.Load() }

// txn sends one transaction on behalf of a caller.
func (s *Store) txn(ctx context.Context, what string, cmp []clientv3.Cmp, then, otherwise []clientv3.Op) (*clientv3.TxnResponse, error) {
	s.txns.Add(1)
	return s.send(ctx, what, cmp, then, otherwise)
}

// send sends one transaction within the deadline of a call.
func (s *Store) send(ctx context.Context, what string, cmp []clientv3.Cmp, then, otherwise []clientv3.Op) (*clientv3.TxnResponse, error) {
	if n := max(len(cmp), len(then), len(otherwise)); n > maxOps {
		return nil, fmt.Errorf("%s needs %d operations in one transaction, the store takes %d", what, n, maxOps)
	}
	resp, err := ask(ctx, s, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return s.client.Txn(ctx).If(cmp...).Then(then...).Else(otherwise...).Commit()
	})
	if err != nil {
		return nil, down(what, err)
	}
	return resp, nil
}

// get reads within the deadline of a call.
func (s *Store) get(ctx context.Context, what, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	resp, err := ask(ctx, s, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return s.client.Get(ctx, key, opts...)
	})
	if err != nil {
		return nil, down(what, err)
	}
	return resp, nil
}

// look reads all keys under some prefixes, at the newest revision of the store,
// which is returned. An external cluster first agrees on what that is. An
// embedded server is its only member and answers a change when it has applied
// it: its memory holds all that anybody was ever told, and is read as it is.
func (s *Store) look(ctx context.Context, what string, prefixes ...string) (found [][]*keyValue, rev int64, err error) {
	opts := []clientv3.OpOption{clientv3.WithPrefix()}
	if s.server != nil {
		opts = append(opts, clientv3.WithSerializable())
	}
	ops := make([]clientv3.Op, len(prefixes))
	for i, p := range prefixes {
		ops[i] = clientv3.OpGet(p, opts...)
	}
	resp, err := ask(ctx, s, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		if !s.looking.TryRLock() {
			return nil, errClosing
		}
		defer s.looking.RUnlock()
		return s.client.Txn(ctx).Then(ops...).Commit()
	})
	if err != nil {
		return nil, 0, down(what, err)
	}
	for _, r := range resp.Responses {
		found = append(found, r.GetResponseRange().Kvs)
	}
	return found, resp.Header.Revision, nil
}

// revision is that of an embedded store's memory, as look reads it; 0 where
// there is none that may be believed, and for an external cluster.
func (s *Store) revision() int64 {
	if s.server == nil || s.last.err() != nil || !s.looking.TryRLock() {
		return 0
	}
	defer s.looking.RUnlock()
	return s.server.Server.KV().Rev()
}

// down makes an error of etcd an engine.ErrStoreDown that says what was tried
// and, where it is known, what to do.
func down(what string, err error) error {
	if st := stateOf(err); st != Silent {
		return fmt.Errorf("%w: %s (%s): %w", engine.ErrStoreDown, what, st.Advice(), err)
	}
	return fmt.Errorf("%w: %s: %w", engine.ErrStoreDown, what, err)
}
