package replicas

import (
	"context"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
)

// Peer is a living replica as it says of itself.
type Peer struct {
	Name, Host string
	Self       bool
	Leads      bool   // it posts, and takes up what dead ones left, see Lead
	Leaving    bool   // it stops, see Leave
	Config     string // Config.Hash, "" where it said none
	// Ahead is by how much its clock was ahead of this replica's, at least: a
	// clock that is behind looks like an entry that was made a while ago.
	Ahead time.Duration
}

// Peers lists the living replicas, this one among them, by name.
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
		if s.key != nil && !genuine { // what it says of itself does not count
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

// Leave tells the others that this replica stops and takes nothing new on.
func (s *Replica) Leave(ctx context.Context) error {
	s.leaving.Store(true)
	return s.tellClock(ctx)
}

// tellClock writes this replica's clock anew, for the others to compare.
func (s *Replica) tellClock(ctx context.Context) error {
	l := s.lease.Load()
	value, err := s.replicaValue()
	if err != nil {
		return err
	}
	s.etcd.Background.Add(1)
	resp, err := s.etcd.Send(ctx, "telling the others this replica's clock", []clientv3.Cmp{s.Lives()},
		[]clientv3.Op{clientv3.OpPut(s.keys.Replica(s.conf.Name), value, clientv3.WithLease(l.id))}, nil)
	if err == nil && !resp.Succeeded {
		err = engine.ErrLeaseLost
	}
	return err
}
