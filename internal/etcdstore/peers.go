package etcdstore

import (
	"context"
	"encoding/json"
	"fmt"
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
	Config     string // Config.ConfigHash, "" where it said none
	// Ahead is by how much its clock was ahead of this replica's, at least: a
	// clock that is behind looks like an entry that was made a while ago.
	Ahead time.Duration
}

// Peers lists the living replicas, this one among them, by name.
func (s *Store) Peers(ctx context.Context) ([]Peer, error) {
	resp, err := s.send(ctx, "listing the replicas", nil, []clientv3.Op{
		clientv3.OpGet(s.keys.replicas(), clientv3.WithPrefix()),
		clientv3.OpGet(s.keys.lead()),
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
		name := strings.TrimPrefix(string(kv.Key), s.keys.replicas())
		var r replica
		if err := json.Unmarshal(kv.Value, &r); err != nil {
			return nil, fmt.Errorf("the entry of replica %q cannot be read: %w", name, err)
		}
		p := Peer{Name: name, Host: r.Host, Self: name == s.conf.Replica, Leads: name == leader, Leaving: r.Leaving, Config: r.Config}
		if r.Clock > now {
			p.Ahead = time.Duration(r.Clock-now) * time.Millisecond
		}
		out = append(out, p)
	}
	return out, nil
}

// Leave tells the others that this replica stops and takes nothing new on.
func (s *Store) Leave(ctx context.Context) error {
	s.leaving.Store(true)
	return s.tellClock(ctx)
}

// tellClock writes this replica's clock anew, for the others to compare.
func (s *Store) tellClock(ctx context.Context) error {
	l := s.lease.Load()
	value, err := s.replicaValue()
	if err != nil {
		return err
	}
	s.background.Add(1)
	resp, err := s.send(ctx, "telling the others this replica's clock", []clientv3.Cmp{s.alive()},
		[]clientv3.Op{clientv3.OpPut(s.keys.replica(s.conf.Replica), value, clientv3.WithLease(l.id))}, nil)
	if err == nil && !resp.Succeeded {
		err = engine.ErrLeaseLost
	}
	return err
}
