package etcdstore

import (
	"context"
	"errors"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
)

// Health is how the store is.
type Health struct {
	Embedded bool
	Version  string // etcd's
	Leader   bool   // there is one
	Alive    bool   // this replica's lease is
	Alarms   []string
	Size     int64 // bytes of the database file
	InUse    int64 // bytes of it that hold data
	Quota    int64 // most bytes, 0 where the server does not say
	Revision int64

	Sealed   uint64    // entries in the trail
	Pending  int64     // records that wait to be sealed
	LastSeal time.Time // by this replica, zero for never
	Sealer   string    // the replica that seals, "" for none

	Txns       int64 // transactions for callers, see Store.Txns
	Background int64 // transactions of leases, sealing, posting the trail and sweeping
}

// Health asks the store how it is. An error means that it does not answer.
func (s *Store) Health(ctx context.Context) (Health, error) {
	st, err := s.status(ctx)
	if err != nil {
		return Health{}, err
	}
	h := Health{
		Embedded: s.server != nil, Version: st.Version, Leader: st.Leader != 0, Alarms: st.Errors,
		Size: st.DbSize, InUse: st.DbSizeInUse, Quota: st.DbSizeQuota,
		Txns: s.txns.Load(), Background: s.background.Load(),
	}
	replica := s.keys.replica(s.conf.Replica)
	resp, err := s.send(ctx, "reading its own state", nil, []clientv3.Op{
		clientv3.OpGet(s.keys.head()),
		clientv3.OpGet(s.keys.records(), clientv3.WithPrefix(), clientv3.WithCountOnly()),
		clientv3.OpGet(s.keys.leader()),
		clientv3.OpGet(replica, clientv3.WithKeysOnly()),
	}, nil)
	if err != nil {
		return Health{}, err
	}
	h.Revision = resp.Header.Revision
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		e, err := decodeHead(kvs[0])
		if err != nil {
			return Health{}, err
		}
		h.Sealed = e.N
	}
	h.Pending = resp.Responses[1].GetResponseRange().Count
	if kvs := resp.Responses[2].GetResponseRange().Kvs; len(kvs) > 0 {
		h.Sealer = string(kvs[0].Value)
	}
	if kvs := resp.Responses[3].GetResponseRange().Kvs; len(kvs) > 0 {
		h.Alive = kvs[0].CreateRevision == s.lease.Load().rev
	}
	s.sealer.mu.Lock()
	h.LastSeal = s.sealer.last
	s.sealer.mu.Unlock()
	return h, nil
}

// status is the answer of the first member that gives one.
func (s *Store) status(ctx context.Context) (*clientv3.StatusResponse, error) {
	endpoints := s.conf.Endpoints
	if s.server != nil {
		endpoints = []string{""} // the client in process needs no address
	}
	var errs []error
	for _, e := range endpoints {
		ctx, cancel := context.WithTimeout(ctx, s.conf.Timeout)
		st, err := s.client.Status(ctx, e)
		cancel()
		if err == nil {
			return st, nil
		}
		errs = append(errs, down("asking how it is", err))
	}
	if len(errs) == 0 {
		return nil, engine.ErrStoreDown
	}
	return nil, errors.Join(errs...)
}
