package etcdstore

import (
	"bytes"
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
)

// Append stores a record that belongs to no run, and settles the claim in the
// same transaction. The record's number and link are its run's business and
// are cleared.
func (s *Store) Append(ctx context.Context, r audit.Record, claim string) error {
	b, err := audit.Canonical(audit.Link(r, 0, ""))
	if err != nil {
		return err
	}
	ops := []clientv3.Op{clientv3.OpPut(s.keys.looseRecord(s.process, s.appends.Add(1)), string(b))}
	if claim != "" {
		settle, err := s.settling(claim)
		if err != nil {
			return err
		}
		ops = append(ops, settle)
	}
	_, err = s.txn(ctx, "storing an audit record", nil, ops, nil)
	return err
}

// Trail calls f with every sealed entry from number n on, in order. Whether
// they are genuine is for audit.Verify to say.
func (s *Store) Trail(ctx context.Context, n uint64, f func(audit.Sealed) error) error {
	from, end := s.keys.chunk(n), clientv3.GetPrefixRangeEnd(s.keys.chunks())
	for {
		resp, err := s.get(ctx, "reading the trail", from, clientv3.WithRange(end), clientv3.WithLimit(20))
		if err != nil {
			return err
		}
		for _, kv := range resp.Kvs {
			for line := range bytes.Lines(kv.Value) {
				e, err := audit.DecodeEntry(bytes.TrimSuffix(line, []byte("\n")))
				if err != nil {
					return fmt.Errorf("the trail is damaged in the piece %s: %w", kv.Key, err)
				}
				if e.N < n {
					continue
				}
				if err := f(e); err != nil {
					return err
				}
			}
			from = string(kv.Key) + "\x00"
		}
		if !resp.More {
			return nil
		}
	}
}

// Head is the newest sealed entry; ok is false for an empty trail.
func (s *Store) Head(ctx context.Context) (e audit.Sealed, ok bool, err error) {
	resp, err := s.get(ctx, "reading the trail's head", s.keys.head())
	if err != nil || len(resp.Kvs) == 0 {
		return audit.Sealed{}, false, err
	}
	e, err = decodeHead(resp.Kvs[0])
	return e, err == nil, err
}

func decodeHead(kv *keyValue) (audit.Sealed, error) {
	e, err := audit.DecodeEntry(kv.Value)
	if err != nil {
		return e, fmt.Errorf("the head of the trail is damaged: %w", err)
	}
	return e, nil
}
