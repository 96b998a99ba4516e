package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/sign"
)

// unsigned are the names that 0.1 kept without a signature. What is under any
// other is signed.
var unsigned = []string{"follow/", "cluster/"}

func isSigned(name string) bool {
	return !slices.ContainsFunc(unsigned, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// watched returns what the bot stored under a name, nil for anything else.
func (s *Store) watched(name string, kv *etcdconn.KeyValue) ([]byte, error) {
	switch {
	case !isSigned(name):
		return kv.Value, nil
	case s.Key() == nil:
		v, _ := sign.Content(kv.Value)
		return v.Body, nil
	}
	v, err := s.Key().Open(string(kv.Key), kv.Value)
	if errors.Is(err, sign.ErrNewerForm) {
		return nil, fmt.Errorf("%w: %s", engine.ErrNewerForm, name)
	}
	if err != nil {
		s.Alarm(name, fmt.Sprintf("%s in the store does not count: %v", name, err))
		return nil, nil
	}
	return v.Body, nil
}

// WatchState calls f with everything that is watched under names that begin with
// prefix, by name, and the revision that wrote it; data is nil where the bot did
// not store it so.
func (s *Store) WatchState(ctx context.Context, prefix string, f func(name string, data []byte, rev int64) error) error {
	resp, err := s.etcd.Get(ctx, "reading what is watched", s.keys.Watched(prefix), clientv3.WithPrefix())
	if err != nil {
		return err
	}
	for _, kv := range resp.Kvs {
		name := strings.TrimPrefix(string(kv.Key), s.keys.Watched(""))
		data, err := s.watched(name, kv)
		if err != nil {
			return err
		}
		if err := f(name, data, kv.ModRevision); err != nil {
			return err
		}
	}
	return nil
}

// SetWatchState stores data under a name in place of what is there at revision rev, 0
// for nothing, or removes that where data is nil; with it go records, and the
// claim is settled, in one transaction. Where something else is there, the
// error is engine.ErrConflict.
func (s *Store) SetWatchState(
	ctx context.Context, name string, data []byte, rev int64, records []audit.Record, claim string,
) (int64, error) {
	if name == "" || len(name) > maxKey {
		return 0, fmt.Errorf("what is watched is kept under a name of 1 to %d bytes, this one has %d", maxKey, len(name))
	}
	if len(data) > etcdconn.MaxBytes {
		return 0, fmt.Errorf("what is watched as %s has %d bytes, the store takes %d", name, len(data), etcdconn.MaxBytes)
	}
	key := s.keys.Watched(name)
	then := []clientv3.Op{clientv3.OpDelete(key)}
	if data != nil {
		value, err := s.watchedValue(name, data)
		if err != nil {
			return 0, err
		}
		then[0] = clientv3.OpPut(key, string(value))
	}
	l, err := s.Loosely(claim, records...)
	if err != nil {
		return 0, err
	}
	resp, err := s.etcd.Txn(ctx, "storing what is watched", []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(key), "=", rev)}, append(then, l.Ops...), nil)
	switch {
	case err != nil:
		return 0, err
	case !resp.Succeeded:
		return 0, fmt.Errorf("%s: %w", name, engine.ErrConflict)
	default:
		return resp.Header.Revision, nil
	}
}

// watchedValue is the stored form of what is kept under a name.
func (s *Store) watchedValue(name string, data []byte) ([]byte, error) {
	switch {
	case !isSigned(name):
		return data, nil
	case s.Key() == nil:
		return nil, errors.New("this store was opened without its key")
	default:
		return s.Key().Sign(s.keys.Watched(name), sign.Value{Epoch: s.Epoch(), Body: data}), nil
	}
}
