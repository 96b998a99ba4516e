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

// unsigned lists prefixes of names. Version 0.1 stored values under these names without a
// signature. All other values are signed.
var unsigned = []string{"follow/", "cluster/"}

func isSigned(name string) bool {
	return !slices.ContainsFunc(unsigned, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// watched returns the value under a name, or nil if the bot did not store this value.
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
		s.Alarm(name, fmt.Sprintf("%s in the store is invalid and is ignored: %v", name, err))
		return nil, nil
	}
	return v.Body, nil
}

// WatchState calls f with every value whose name begins with prefix, sorted by name. rev is the
// revision that wrote the value. data is nil if the bot did not store the value.
func (s *Store) WatchState(ctx context.Context, prefix string, f func(name string, data []byte, rev int64) error) error {
	resp, err := s.etcd.Get(ctx, "reading the state of the monitoring", s.keys.Watched(prefix), clientv3.WithPrefix())
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

// SetWatchState replaces the value under a name, or removes it if data is nil. The same transaction
// stores records and settles the claim. It returns engine.ErrConflict if the value does not have
// revision rev (0 for no value).
func (s *Store) SetWatchState(
	ctx context.Context, name string, data []byte, rev int64, records []audit.Record, claim string,
) (int64, error) {
	if name == "" || len(name) > maxKey {
		return 0, fmt.Errorf("the name of a watched state must have 1 to %d bytes; this one has %d", maxKey, len(name))
	}
	if len(data) > etcdconn.MaxBytes {
		return 0, fmt.Errorf("the watched state %s has %d bytes; at most %d can be stored", name, len(data), etcdconn.MaxBytes)
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
	resp, err := s.etcd.Txn(ctx, "storing the state of the monitoring", []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(key), "=", rev)}, append(then, l.Ops...), nil)
	switch {
	case err != nil:
		return 0, err
	case !resp.Succeeded:
		return 0, fmt.Errorf("%s: %w", name, engine.ErrConflict)
	default:
		return resp.Header.Revision, nil
	}
}

// watchedValue returns data as it is stored under a name.
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
