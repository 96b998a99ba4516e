package etcdstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// SetLastHeard stores at as the time of the last event from Slack, unless a later time is stored.
// It returns the previous time, or the zero time if there was none. If several replicas call it at
// once, only one of them gets the previous time, so only one reports a gap.
func (s *Store) SetLastHeard(ctx context.Context, at time.Time) (before time.Time, err error) {
	resp, err := s.etcd.Get(ctx, "reading the time of the last event from Slack", s.keys.LastHeard())
	if err != nil {
		return time.Time{}, err
	}
	var rev int64
	if len(resp.Kvs) > 0 {
		ms, err := strconv.ParseInt(string(resp.Kvs[0].Value), 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("the stored time of the last event from Slack cannot be read: %w", err)
		}
		before, rev = time.UnixMilli(ms), resp.Kvs[0].ModRevision
	}
	if at.UnixMilli() <= before.UnixMilli() {
		return before, nil
	}
	s.etcd.Background.Add(1)
	put, err := s.etcd.Send(ctx, "storing the time of the last event from Slack",
		[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(s.keys.LastHeard()), "=", rev)},
		[]clientv3.Op{clientv3.OpPut(s.keys.LastHeard(), strconv.FormatInt(at.UnixMilli(), 10))}, nil)
	switch {
	case err != nil:
		return time.Time{}, err
	case !put.Succeeded:
		return at, nil // another replica has just stored a time, and got the replaced one
	default:
		return before, nil
	}
}
