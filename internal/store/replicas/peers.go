package replicas

import (
	"context"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
)

// Peer is a live replica, as its entry in the store describes it.
type Peer struct {
	Name, Host string
	Self       bool
	Leads      bool   // the replica posts, and resumes deliveries of dead replicas, see Lead
	Leaving    bool   // the replica is stopping, see Leave
	Config     string // Config.Hash, "" if unknown
	// Ahead is the minimum by which the peer's clock is ahead of this replica's clock. It is 0 for
	// a clock that is behind, because the entry may simply be older.
	Ahead time.Duration
}

// Peers lists the live replicas, including this one, sorted by name.
func (s *Replica) Peers(ctx context.Context) ([]Peer, error) {
	resp, err := s.etcd.Send(ctx, "listing the replicas", nil, []clientv3.Op{
		clientv3.OpGet(s.keys.Replicas(), clientv3.WithPrefix()),
		clientv3.OpGet(s.keys.LeadsWork()),
	}, nil)
	if err != nil {
		return nil, err
	}
	now := s.conf.Now().UnixMilli()
	leader := ""
	if kvs := resp.Responses[1].GetResponseRange().Kvs; len(kvs) > 0 {
		leader = string(kvs[0].Value)
	}
	var out []Peer
	for _, kv := range resp.Responses[0].GetResponseRange().Kvs {
		name := strings.TrimPrefix(string(kv.Key), s.keys.Replicas())
		r, genuine, err := s.decodeReplica(kv)
		if err != nil {
			return nil, err
		}
		if s.key != nil && !genuine { // an unsigned entry is ignored
			out = append(out, Peer{Name: name})
			continue
		}
		p := Peer{Name: name, Host: r.Host, Self: name == s.conf.Name, Leads: name == leader, Leaving: r.Leaving, Config: r.Config}
		if r.Clock > now {
			p.Ahead = time.Duration(r.Clock-now) * time.Millisecond
		}
		out = append(out, p)
	}
	return out, nil
}

// Leave tells the other replicas that this replica is stopping, and accepts nothing new.
func (s *Replica) Leave(ctx context.Context) error {
	s.leaving.Store(true)
	return s.tellClock(ctx)
}

// tellClock stores the current time in this replica's entry, so that the other replicas can compare
// their clocks.
func (s *Replica) tellClock(ctx context.Context) error {
	l := s.lease.Load()
	value, err := s.replicaValue()
	if err != nil {
		return err
	}
	s.etcd.Background.Add(1)
	resp, err := s.etcd.Send(ctx, "storing this replica's clock", []clientv3.Cmp{s.Lives()},
		[]clientv3.Op{clientv3.OpPut(s.keys.Replica(s.conf.Name), value, clientv3.WithLease(l.id))}, nil)
	if err == nil && !resp.Succeeded {
		err = engine.ErrLeaseLost
	}
	return err
}
