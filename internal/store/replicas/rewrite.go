package replicas

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/store/etcdconn"
)

// Rewrite calls f for every key with a prefix. If put is true, Rewrite runs the operation that f
// returns.
func (s *Replica) Rewrite(ctx context.Context, prefix string, f func(kv *etcdconn.KeyValue) (op clientv3.Op, put bool, err error)) error {
	from, end := prefix, clientv3.GetPrefixRangeEnd(prefix)
	for {
		resp, err := s.etcd.Get(ctx, "reading the values to sign", from, clientv3.WithRange(end), clientv3.WithLimit(50))
		if err != nil {
			return err
		}
		var ops []clientv3.Op
		for _, kv := range resp.Kvs {
			op, put, err := f(kv)
			if err != nil {
				return err
			}
			if put {
				ops = append(ops, op)
			}
			from = string(kv.Key) + "\x00"
		}
		if len(ops) > 0 {
			s.etcd.Background.Add(1)
			if _, err := s.etcd.Send(ctx, "signing stored values", []clientv3.Cmp{s.Lives()}, ops, nil); err != nil {
				return err
			}
		}
		if !resp.More {
			return nil
		}
	}
}
