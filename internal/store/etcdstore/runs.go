package etcdstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
	"dhbot/internal/pause"
	"dhbot/internal/store/etcdconn"
)

// Get returns a run, which may be in the archive. If there is no such run, it returns
// engine.ErrNotFound. If a newer version of the bot stored the run, it returns engine.ErrNewerForm.
func (s *Store) Get(ctx context.Context, id string) (engine.Stored, error) {
	if !engine.ValidID(id) { // never part of a key
		return engine.Stored{}, fmt.Errorf("%w: %q", engine.ErrNotFound, id)
	}
	resp, err := s.etcd.Get(ctx, "reading run "+id, s.keys.Run(id))
	if err != nil {
		return engine.Stored{}, err
	}
	if len(resp.Kvs) == 0 {
		return s.getArchived(id)
	}
	return s.decodeRun(resp.Kvs[0])
}

// Open returns every run that has not ended, oldest first.
func (s *Store) Open(ctx context.Context) ([]engine.Stored, error) {
	list, _, err := s.openAt(ctx)
	return list, err
}

// openAt returns what Open returns, and the revision at which the list was read.
func (s *Store) openAt(ctx context.Context) ([]engine.Stored, int64, error) {
	resp, err := s.etcd.Get(ctx, "listing the open runs", s.keys.Opens(), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return nil, 0, err
	}
	list, err := s.openOf(ctx, resp.Kvs, resp.Header.Revision)
	return list, resp.Header.Revision, err
}

// openOf returns the runs whose ids are in an index of open runs, oldest first. It reads them as of
// revision rev.
func (s *Store) openOf(ctx context.Context, index []*etcdconn.KeyValue, rev int64) ([]engine.Stored, error) {
	kvs, err := s.runsOf(ctx, index, s.keys.Opens(), rev)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(kvs, func(a, b *etcdconn.KeyValue) int { return cmp.Compare(a.CreateRevision, b.CreateRevision) })
	return s.decodeRuns(kvs)
}

// Recent returns up to n ended runs. The run that ended last comes first.
func (s *Store) Recent(ctx context.Context, n int) ([]engine.Stored, error) {
	if n <= 0 {
		return nil, nil
	}
	resp, err := s.etcd.Get(
		ctx, "listing recent runs", s.keys.Endeds(), clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithLimit(int64(n)),
	)
	if err != nil {
		return nil, err
	}
	kvs, err := s.runsOf(ctx, resp.Kvs, s.keys.Endeds(), resp.Header.Revision)
	if err != nil {
		return nil, err
	}
	return s.decodeRuns(kvs)
}

// decodeRuns parses runs. It leaves out runs that another program has changed, because they must
// not keep the bot from continuing other runs. It also leaves out runs that a newer version of the
// bot stored, because newer replicas continue them. Health names one run of each kind.
func (s *Store) decodeRuns(kvs []*etcdconn.KeyValue) ([]engine.Stored, error) {
	list := make([]engine.Stored, 0, len(kvs))
	for _, kv := range kvs {
		r, err := s.decodeRun(kv)
		if errors.Is(err, engine.ErrTampered) {
			continue // it is invalid, and Health names it
		}
		if errors.Is(err, engine.ErrNewerForm) {
			s.noteNewer(err)
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// runsOf reads the runs that an index lists, as of revision rev. Each key of the index ends with
// the id of a run.
func (s *Store) runsOf(ctx context.Context, index []*etcdconn.KeyValue, prefix string, rev int64) ([]*etcdconn.KeyValue, error) {
	out := make([]*etcdconn.KeyValue, 0, len(index))
	for batch := range slices.Chunk(index, 50) {
		ops := make([]clientv3.Op, len(batch))
		for i, kv := range batch {
			key := string(kv.Key)
			ops[i] = clientv3.OpGet(s.keys.Run(key[strings.LastIndexByte(key, '/')+1:]), clientv3.WithRev(rev))
		}
		resp, err := s.etcd.Send(ctx, "reading runs", nil, ops, nil)
		if err != nil {
			return nil, err
		}
		for i, r := range resp.Responses {
			kvs := r.GetResponseRange().Kvs
			if len(kvs) == 0 {
				return nil, fmt.Errorf("the store lists a run that it does not have: %s", batch[i].Key[len(prefix):])
			}
			out = append(out, kvs[0])
		}
	}
	return out, nil
}

// NewID returns a run id that was never used. Two callers may get the same id, but only one can
// store a run with it. The other gets engine.ErrIDTaken.
func (s *Store) NewID(ctx context.Context) (string, error) {
	return engine.FreshID(s.Epoch(), func(id string) (bool, error) {
		resp, err := s.etcd.Get(ctx, "looking for an unused run id", s.keys.UsedID(id), clientv3.WithCountOnly())
		return err == nil && resp.Count > 0, err
	})
}

// Watch calls f with every open run, and then with every new version of a run: see engine.Runs. It
// continues after elections, lost connections and compactions. It returns when ctx ends, when the
// store is closed, or when a stored run cannot be read.
func (s *Store) Watch(ctx context.Context, f func(engine.Stored)) error {
	var list []engine.Stored
	rev, err := int64(0), error(nil)
	for {
		if list, rev, err = s.openAt(ctx); err == nil {
			break
		}
		if err := s.retrying(ctx, err); err != nil {
			return err
		}
	}
	for _, r := range list {
		f(r)
	}
	for {
		if rev, err = s.follow(ctx, rev, f); errors.Is(err, rpctypes.ErrCompacted) {
			rev, err = s.catchUp(ctx, rev, f)
		}
		if err == nil {
			continue
		}
		if err := s.retrying(ctx, err); err != nil {
			return err
		}
	}
}

// retrying waits a little after a temporary error, and returns any other error.
func (s *Store) retrying(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !errors.Is(err, engine.ErrStoreDown) || s.etcd.Closed() {
		return err
	}
	s.log.WarnContext(ctx, "the watch of the runs failed; retrying", "err", err)
	pause.For(ctx, s.conf.Timeout/10)
	return ctx.Err()
}

// follow calls f with each version of a run that was stored after revision rev, until an error
// occurs. It returns the last revision that f has seen.
func (s *Store) follow(ctx context.Context, rev int64, f func(engine.Stored)) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := s.etcd.Watch(ctx, s.keys.Runs(), rev+1)
	for resp := range changes {
		if err := resp.Err(); err != nil {
			return rev, etcdconn.Down("watching the runs", err)
		}
		for _, e := range resp.Events {
			if e.Type == mvccpb.Event_DELETE {
				continue
			}
			list, err := s.decodeRuns([]*etcdconn.KeyValue{e.Kv})
			if err != nil {
				return rev, err
			}
			for _, r := range list {
				f(r)
			}
			rev = e.Kv.ModRevision
		}
	}
	return rev, etcdconn.Down("watching the runs", errors.New("the watch was closed"))
}

// catchUp calls f with the newest version of every run that changed after revision rev. It replaces
// follow if etcd has deleted the versions in between.
func (s *Store) catchUp(ctx context.Context, rev int64, f func(engine.Stored)) (int64, error) {
	resp, err := s.etcd.Get(ctx, "listing the runs that changed", s.keys.Runs(), clientv3.WithPrefix(),
		clientv3.WithMinModRev(rev+1), clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortAscend))
	if err != nil {
		return rev, err
	}
	list, err := s.decodeRuns(resp.Kvs)
	if err != nil {
		return rev, err
	}
	for _, r := range list {
		f(r)
	}
	return resp.Header.Revision, nil
}
