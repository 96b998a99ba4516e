package etcdstore

import (
	"context"
	"fmt"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
)

// Kept calls f with everything that is watched under names that begin with
// prefix, by name, and the revision that wrote it.
func (s *Store) Kept(ctx context.Context, prefix string, f func(name string, data []byte, rev int64) error) error {
	resp, err := s.get(ctx, "reading what is watched", s.keys.kept(prefix), clientv3.WithPrefix())
	if err != nil {
		return err
	}
	for _, kv := range resp.Kvs {
		if err := f(strings.TrimPrefix(string(kv.Key), s.keys.kept("")), kv.Value, kv.ModRevision); err != nil {
			return err
		}
	}
	return nil
}

// Keep stores data under a name in place of what is there at revision rev, 0
// for nothing, or removes that where data is nil; with it go records, and the
// claim is settled, in one transaction. Where something else is there, the
// error is engine.ErrConflict.
func (s *Store) Keep(ctx context.Context, name string, data []byte, rev int64, records []audit.Record, claim string) (int64, error) {
	if name == "" || len(name) > maxKey {
		return 0, fmt.Errorf("what is watched is kept under a name of 1 to %d bytes, this one has %d", maxKey, len(name))
	}
	if len(data) > maxBytes {
		return 0, fmt.Errorf("what is watched as %s has %d bytes, the store takes %d", name, len(data), maxBytes)
	}
	key := s.keys.kept(name)
	then := []clientv3.Op{clientv3.OpPut(key, string(data))}
	if data == nil {
		then[0] = clientv3.OpDelete(key)
	}
	l, err := s.loosely(claim, records...)
	if err != nil {
		return 0, err
	}
	resp, err := s.txn(ctx, "storing what is watched", []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(key), "=", rev)}, append(then, l.ops...), nil)
	switch {
	case err != nil:
		return 0, err
	case !resp.Succeeded:
		return 0, fmt.Errorf("%s: %w", name, engine.ErrConflict)
	default:
		return resp.Header.Revision, nil
	}
}
