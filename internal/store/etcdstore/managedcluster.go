package etcdstore

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// deephavenKeys is the prefix of the keys of Deephaven's configuration (etcd-runbook.md, "Using etcdctl.sh").
const deephavenKeys = "/main/"

// HoldsDeephaven reports whether the cluster has keys of Deephaven. The bot manages Deephaven's
// etcd and must never store its state there.
func (s *Store) HoldsDeephaven(ctx context.Context) (bool, error) {
	resp, err := s.etcd.Get(
		ctx, "looking for keys of Deephaven", deephavenKeys, clientv3.WithPrefix(), clientv3.WithCountOnly(), clientv3.WithLimit(1),
	)
	if err != nil {
		return false, err
	}
	return resp.Count > 0, nil
}
