package etcdstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
)

// lease is this replica's proof of life.
type lease struct {
	id  clientv3.LeaseID
	rev int64 // creation revision of the replica's key: nobody else's has it
}

// replica is the value of a replica's key.
type replica struct {
	V     int    `json:"v"`
	PID   int    `json:"pid"`
	Host  string `json:"host"`
	Since int64  `json:"since"` // Unix milliseconds
	// Clock is the replica's clock when it wrote this, in Unix milliseconds.
	Clock  int64  `json:"clock,omitempty"`
	Config string `json:"config,omitempty"` // Config.ConfigHash
	// Leaving says that it stops, and takes nothing new on.
	Leaving bool `json:"leaving,omitempty"`
}

// replicaValue is the value of this replica's key, as of now.
func (s *Store) replicaValue() (string, error) {
	host, _ := os.Hostname() // only shown to people
	b, err := json.Marshal(replica{
		V: 1, PID: os.Getpid(), Host: host, Since: s.since.UnixMilli(),
		Clock: s.conf.Now().UnixMilli(), Config: s.conf.ConfigHash, Leaving: s.leaving.Load(),
	})
	return string(b), err
}

// NameInUseError says that another living replica bears this one's name.
type NameInUseError struct {
	Name, Host string
	PID        int
	Since      time.Time
}

func (e *NameInUseError) Error() string {
	return fmt.Sprintf("replica %q is already running as process %d on %s since %s: give this one another name (state.replica)",
		e.Name, e.PID, e.Host, e.Since.UTC().Format(time.RFC3339))
}

// register takes a new lease and this replica's key under it. A former life
// of this replica may have left its key behind: in an embedded store, whose
// directory is ours alone, it goes at once; elsewhere its lease must end first.
func (s *Store) register(ctx context.Context) error {
	give := time.Now().Add(s.conf.LeaseTTL + s.conf.Timeout)
	for {
		holder, err := s.tryRegister(ctx)
		if err != nil || holder == nil {
			return err
		}
		if s.server != nil {
			if err := s.revoke(ctx, clientv3.LeaseID(holder.leaseID)); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
				return down("ending the lease of this bot's former life", err)
			}
			continue
		}
		if time.Now().After(give) {
			return &NameInUseError{s.conf.Replica, holder.Host, holder.PID, time.UnixMilli(holder.Since)}
		}
		if err := pause(ctx, s.conf.LeaseTTL/20); err != nil {
			return down("waiting for this replica's former lease to end", err)
		}
	}
}

// holder is who has this replica's key.
type holder struct {
	replica
	leaseID int64
}

// tryRegister returns who has the key, or nil when it is this replica now.
func (s *Store) tryRegister(ctx context.Context) (*holder, error) {
	value, err := s.replicaValue()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.conf.Timeout)
	defer cancel()
	grant, err := ask(ctx, s, func(ctx context.Context) (*clientv3.LeaseGrantResponse, error) {
		return s.client.Grant(ctx, int64(s.conf.LeaseTTL/time.Second))
	})
	if err != nil {
		return nil, down("taking a lease", err)
	}
	key := s.keys.replica(s.conf.Replica)
	resp, err := s.send(ctx, "registering this replica",
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0)},
		[]clientv3.Op{clientv3.OpPut(key, value, clientv3.WithLease(grant.ID))},
		[]clientv3.Op{clientv3.OpGet(key)})
	if err != nil {
		return nil, err
	}
	if resp.Succeeded {
		s.lease.Store(&lease{grant.ID, resp.Header.Revision})
		return nil, nil
	}
	if err := s.revoke(ctx, grant.ID); err != nil {
		return nil, down("giving back an unused lease", err)
	}
	h := &holder{}
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		h.leaseID = kvs[0].Lease
		if err := json.Unmarshal(kvs[0].Value, &h.replica); err != nil {
			return nil, fmt.Errorf("the entry of replica %q cannot be read: %w", s.conf.Replica, err)
		}
	}
	return h, nil
}

// keepLease renews the lease until ctx ends. A lease that ended while this
// process slept or was cut off is replaced; until then every Commit fails
// with engine.ErrLeaseLost. What others did with its runs meanwhile shows in
// their revisions.
func (s *Store) keepLease(ctx context.Context) error {
	tick := time.NewTicker(s.conf.LeaseTTL / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := s.renew(ctx)
		if err == nil {
			err = s.tellClock(ctx)
		}
		if errors.Is(err, engine.ErrLeaseLost) {
			s.log.Error("this replica was away for longer than its lease lasts; taking a new one", "replica", s.conf.Replica, "lease", s.conf.LeaseTTL)
			err = s.register(ctx)
		}
		if other := (*NameInUseError)(nil); errors.As(err, &other) {
			return other
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("the lease of this replica was not renewed", "replica", s.conf.Replica, "err", err)
		}
	}
}

// renew prolongs the lease, or says that it is gone (engine.ErrLeaseLost).
func (s *Store) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, min(s.conf.Timeout, s.conf.LeaseTTL/4))
	defer cancel()
	_, err := ask(ctx, s, func(ctx context.Context) (*clientv3.LeaseKeepAliveResponse, error) {
		return s.client.KeepAliveOnce(ctx, s.lease.Load().id)
	})
	switch {
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		return engine.ErrLeaseLost
	case err != nil:
		return down("renewing the lease", err)
	}
	s.background.Add(1)
	return nil
}

// resign gives the lease back, so that others need not wait for its end.
func (s *Store) resign(ctx context.Context) {
	if l := s.lease.Load(); l != nil {
		if err := s.revoke(ctx, l.id); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			s.log.Warn("the lease was not given back; it ends by itself", "err", err)
		}
	}
}

func (s *Store) revoke(ctx context.Context, id clientv3.LeaseID) error {
	_, err := ask(ctx, s, func(ctx context.Context) (*clientv3.LeaseRevokeResponse, error) { return s.client.Revoke(ctx, id) })
	return err
}

// Alive returns the names of the replicas whose lease is alive, sorted.
func (s *Store) Alive(ctx context.Context) ([]string, error) {
	resp, err := s.get(ctx, "listing the replicas", s.keys.replicas(), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(resp.Kvs))
	for _, kv := range resp.Kvs {
		names = append(names, strings.TrimPrefix(string(kv.Key), s.keys.replicas()))
	}
	return names, nil
}

// alive requires, in a transaction, that this replica's lease is.
func (s *Store) alive() clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(s.keys.replica(s.conf.Replica)), "=", s.lease.Load().rev)
}

// pause waits for d, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
