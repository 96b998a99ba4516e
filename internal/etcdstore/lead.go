package etcdstore

import (
	"context"
	"errors"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Lead runs do while this replica leads: of all replicas one at a time does,
// so that what must not be done twice has its place there. The context of do
// ends when the lead is lost, which a replica that slept learns late; what do
// stores about posts is therefore refused to it (engine.ErrLeaseLost). Lead
// waits for do to return, and runs it again when the lead comes back. It
// returns nil when ctx has ended, or the error of do.
func (s *Store) Lead(ctx context.Context, do func(ctx context.Context) error) error {
	failing := false
	for {
		term, err := s.takeLead(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.log.Warn("whether this replica leads is not known; asking again", "err", err)
		}
		failing = err != nil
		if term != 0 {
			if err := s.lead(ctx, term, do); err != nil {
				return err
			}
		}
		if pause(ctx, min(seizeEach, s.conf.LeaseTTL/4)) != nil {
			return nil
		}
	}
}

// takeLead returns this replica's term: the revision that made it the leader,
// or 0 while another one is.
func (s *Store) takeLead(ctx context.Context) (int64, error) {
	key, mine := s.keys.lead(), s.lease.Load().id
	s.background.Add(1)
	resp, err := s.send(ctx, "asking who leads",
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0), s.alive()},
		[]clientv3.Op{clientv3.OpPut(key, s.conf.Replica, clientv3.WithLease(mine))},
		[]clientv3.Op{clientv3.OpGet(key)})
	if err != nil {
		return 0, err
	}
	if resp.Succeeded {
		return resp.Header.Revision, nil
	}
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 && kvs[0].Lease == int64(mine) {
		return kvs[0].CreateRevision, nil // taken before, in a call whose answer was lost
	}
	return 0, nil
}

// lead runs do for one term.
func (s *Store) lead(ctx context.Context, term int64, do func(context.Context) error) error {
	s.term.Store(term)
	s.log.Info("this replica leads", "replica", s.conf.Replica)
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(own) }()
	tick := time.NewTicker(s.conf.LeaseTTL / 4)
	defer tick.Stop()
	for sure := time.Now(); ; {
		select {
		case err := <-done:
			s.leaveLead(ctx, term)
			return err
		case <-tick.C:
		}
		holds, err := s.holdsLead(ctx, term)
		switch {
		case holds:
			sure = time.Now()
		case err == nil || time.Since(sure) > s.conf.LeaseTTL:
			s.log.Warn("this replica does not lead any more", "replica", s.conf.Replica, "err", err)
			cancel()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}
	}
}

func (s *Store) holdsLead(ctx context.Context, term int64) (bool, error) {
	resp, err := s.get(ctx, "asking who leads", s.keys.lead(), clientv3.WithKeysOnly())
	return err == nil && len(resp.Kvs) > 0 && resp.Kvs[0].CreateRevision == term, err
}

// leaveLead lets another replica lead at once.
func (s *Store) leaveLead(ctx context.Context, term int64) {
	s.background.Add(1)
	_, err := s.send(context.WithoutCancel(ctx), "leaving the lead",
		[]clientv3.Cmp{s.leading(term)}, []clientv3.Op{clientv3.OpDelete(s.keys.lead())}, nil)
	if err != nil {
		s.log.Warn("the lead was not given back; it ends with the lease", "err", err)
	}
}

// leading requires, in a transaction, that this replica still leads.
func (s *Store) leading(term int64) clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(s.keys.lead()), "=", term)
}
