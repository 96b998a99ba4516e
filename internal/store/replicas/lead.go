package replicas

import (
	"context"
	"errors"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/pause"
)

// leadEach is how often a replica tries to become the leader while another replica leads.
const leadEach = time.Second

// Lead calls work whenever this replica becomes the leader. Only one replica leads at a time. The
// context of work ends when this replica loses the lead, and Lead then waits until work has
// returned. A suspended replica notices the loss late, so the store refuses its changes to posts
// (engine.ErrLeaseLost). Lead returns nil when ctx has ended, or the error of work.
func (s *Replica) Lead(ctx context.Context, work func(ctx context.Context) error) error {
	failing := false
	for {
		term, err := s.takeLead(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.log.WarnContext(ctx, "unknown whether this replica leads; retrying", "err", err)
		}
		failing = err != nil
		if term != 0 {
			if err := s.lead(ctx, term, work); err != nil {
				return err
			}
		}
		if !pause.For(ctx, min(leadEach, s.conf.LeaseTTL/4)) {
			return nil
		}
	}
}

// takeLead tries to become the leader. It returns the term, which is the revision that made this
// replica the leader, or 0 if another replica leads.
func (s *Replica) takeLead(ctx context.Context) (int64, error) {
	key, mine := s.keys.LeadsWork(), s.lease.Load().id
	s.etcd.Background.Add(1)
	resp, err := s.etcd.Send(ctx, "reading which replica leads",
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0), s.Lives()},
		[]clientv3.Op{clientv3.OpPut(key, s.conf.Name, clientv3.WithLease(mine))},
		[]clientv3.Op{clientv3.OpGet(key)})
	if err != nil {
		return 0, err
	}
	if resp.Succeeded {
		return resp.Header.Revision, nil
	}
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 && kvs[0].Lease == int64(mine) {
		return kvs[0].CreateRevision, nil // from an earlier call whose answer was lost
	}
	return 0, nil
}

// lead calls work for one term of this replica as the leader.
func (s *Replica) lead(ctx context.Context, term int64, work func(context.Context) error) error {
	s.term.Store(term)
	s.log.InfoContext(ctx, "this replica leads", "replica", s.conf.Name)
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- work(own) }()
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
			s.log.WarnContext(ctx, "this replica no longer leads", "replica", s.conf.Name, "err", err)
			cancel()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}
	}
}

func (s *Replica) holdsLead(ctx context.Context, term int64) (bool, error) {
	resp, err := s.etcd.Get(ctx, "reading which replica leads", s.keys.LeadsWork(), clientv3.WithKeysOnly())
	return err == nil && len(resp.Kvs) > 0 && resp.Kvs[0].CreateRevision == term, err
}

// leaveLead gives up the lead, so that another replica can lead at once.
func (s *Replica) leaveLead(ctx context.Context, term int64) {
	s.etcd.Background.Add(1)
	_, err := s.etcd.Send(context.WithoutCancel(ctx), "giving up the lead",
		[]clientv3.Cmp{s.Leads(term)}, []clientv3.Op{clientv3.OpDelete(s.keys.LeadsWork())}, nil)
	if err != nil {
		s.log.WarnContext(ctx, "the lead was not given back; it ends with the lease", "err", err)
	}
}

// Leads returns a condition for a transaction: this replica still leads in this term.
func (s *Replica) Leads(term int64) clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(s.keys.LeadsWork()), "=", term)
}

// Term returns the newest term in which this process has led, or 0.
func (s *Replica) Term() int64 { return s.term.Load() }
