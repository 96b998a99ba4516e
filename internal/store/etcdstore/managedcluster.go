package etcdstore

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// deephavenKeys is where Deephaven keeps its configuration (etcd-runbook.md,
// "Using etcdctl.sh").
const deephavenKeys = "/main/"

// HoldsDeephaven says that the cluster holds keys of Deephaven. Deephaven's
// etcd is a patient of the bot and must never be where it keeps its state.
func (s *Store) HoldsDeephaven(ctx context.Context) (bool, error) {
	resp, err := s.etcd.Get(
		ctx, "looking for keys of Deephaven", deephavenKeys, clientv3.WithPrefix(), clientv3.WithCountOnly(), clientv3.WithLimit(1),
	)
	if err != nil {
		return false, err
	}
	return resp.Count > 0, nil
}
