package replicas

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
	"dhbot/internal/pause"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/sign"
)

// lease is this replica's lease.
type lease struct {
	id  clientv3.LeaseID
	rev int64 // creation revision of the replica's key, which is unique
}

// entry is what a replica stores at its key.
type entry struct {
	V     int    `json:"v"`
	PID   int    `json:"pid"`
	Host  string `json:"host"`
	Since int64  `json:"since"` // Unix milliseconds
	// Clock is the time by the replica's clock when it wrote the entry, in Unix milliseconds.
	Clock  int64  `json:"clock,omitempty"`
	Config string `json:"config,omitempty"` // Config.Hash
	// Leaving means that the replica is stopping, and accepts nothing new.
	Leaving bool `json:"leaving,omitempty"`
}

// replicaValue returns the value to store at this replica's key. It is signed, so that no one else
// can pretend to be a live replica.
func (s *Replica) replicaValue() (string, error) {
	host, _ := os.Hostname() // for people only
	clock := s.conf.Now().UnixMilli()
	b, err := json.Marshal(entry{
		V: 1, PID: os.Getpid(), Host: host, Since: s.since.UnixMilli(),
		Clock: clock, Config: s.conf.Hash, Leaving: s.leaving.Load(),
	})
	if err != nil || s.key == nil {
		return string(b), err
	}
	return string(s.key.Sign(s.keys.Replica(s.conf.Name), sign.Value{N: uint64(clock), Body: b})), nil
}

// decodeReplica parses the value that a replica has stored. The result genuine reports whether the
// value was signed with the key that all replicas share.
func (s *Replica) decodeReplica(kv *etcdconn.KeyValue) (r entry, genuine bool, err error) {
	v, _ := sign.Content(kv.Value)
	if s.key != nil {
		opened, why := s.key.Open(string(kv.Key), kv.Value)
		if genuine = why == nil; genuine {
			v = opened
		}
	}
	if err := json.Unmarshal(v.Body, &r); err != nil {
		return r, false, fmt.Errorf("the entry of replica %q cannot be read: %w", strings.TrimPrefix(string(kv.Key), s.keys.Replicas()), err)
	}
	return r, genuine, nil
}

// Vouched reports whether another genuine replica is active on this store. Its entry must be
// signed, and no older than the lease time. In a copy of a store, the entries are older.
func (s *Replica) Vouched(ctx context.Context) (bool, error) {
	resp, err := s.etcd.Get(ctx, "listing the replicas", s.keys.Replicas(), clientv3.WithPrefix())
	if err != nil {
		return false, err
	}
	for _, kv := range resp.Kvs {
		r, genuine, err := s.decodeReplica(kv)
		age := s.conf.Now().Sub(time.UnixMilli(r.Clock)).Abs()
		if err == nil && genuine && string(kv.Key) != s.keys.Replica(s.conf.Name) && age <= s.conf.LeaseTTL {
			return true, nil
		}
	}
	return false, nil
}

// NameInUseError means that another live replica has the same name as this replica.
type NameInUseError struct {
	Name, Host string
	PID        int
	Since      time.Time
}

func (e *NameInUseError) Error() string {
	return fmt.Sprintf("replica %q is already running as process %d on %s since %s: the name consists of the host name and the process id, so give this machine or container another host name",
		e.Name, e.PID, e.Host, e.Since.UTC().Format(time.RFC3339))
}

// Register takes a new lease and stores this replica's entry. If the entry of an earlier process
// still exists in an embedded store, Register ends its lease at once, because the directory of the
// store is locked. In an external store, Register waits until that lease ends. It returns a
// *NameInUseError if the lease does not end in time.
func (s *Replica) Register(ctx context.Context) error {
	give := time.Now().Add(s.conf.LeaseTTL + s.conf.Timeout)
	for {
		holder, err := s.tryRegister(ctx)
		if err != nil || holder == nil {
			return err
		}
		if s.etcd.Embedded() {
			if err := s.etcd.Revoke(ctx, clientv3.LeaseID(holder.leaseID)); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
				return etcdconn.Down("ending the lease of this bot's previous process", err)
			}
			continue
		}
		if time.Now().After(give) {
			return &NameInUseError{s.conf.Name, holder.Host, holder.PID, time.UnixMilli(holder.Since)}
		}
		if !pause.For(ctx, s.conf.LeaseTTL/20) {
			return etcdconn.Down("waiting for this replica's former lease to end", ctx.Err())
		}
	}
}

// holder is the process whose entry has this replica's name.
type holder struct {
	entry
	leaseID int64
}

// tryRegister tries to store this replica's entry. It returns the process that holds the name, or
// nil if this process does now.
func (s *Replica) tryRegister(ctx context.Context) (*holder, error) {
	value, err := s.replicaValue()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.conf.Timeout)
	defer cancel()
	grant, err := s.etcd.Grant(ctx, s.conf.LeaseTTL)
	if err != nil {
		return nil, etcdconn.Down("taking a lease", err)
	}
	key := s.keys.Replica(s.conf.Name)
	resp, err := s.etcd.Send(ctx, "registering this replica",
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0)},
		[]clientv3.Op{clientv3.OpPut(key, value, clientv3.WithLease(grant))},
		[]clientv3.Op{clientv3.OpGet(key)})
	if err != nil {
		return nil, err
	}
	if resp.Succeeded {
		s.lease.Store(&lease{grant, resp.Header.Revision})
		return nil, nil
	}
	if err := s.etcd.Revoke(ctx, grant); err != nil {
		return nil, etcdconn.Down("giving back an unused lease", err)
	}
	h := &holder{}
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		h.leaseID = kvs[0].Lease
		if h.entry, _, err = s.decodeReplica(kvs[0]); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// KeepLease renews the lease until ctx ends. A lease can end while this process is suspended or
// disconnected. Then KeepLease takes a new lease, and until then every Commit fails with
// engine.ErrLeaseLost. If other replicas have changed a run in the meantime, Commit notices that by
// the run's revision.
func (s *Replica) KeepLease(ctx context.Context) error {
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
			s.log.ErrorContext(ctx, "this replica's lease has ended; taking a new one",
				"replica", s.conf.Name, "lease", s.conf.LeaseTTL)
			err = s.Register(ctx)
		}
		if other := (*NameInUseError)(nil); errors.As(err, &other) {
			return other
		}
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "the lease of this replica was not renewed", "replica", s.conf.Name, "err", err)
		}
	}
}

// renew renews the lease. It returns engine.ErrLeaseLost if the lease has already ended.
func (s *Replica) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, min(s.conf.Timeout, s.conf.LeaseTTL/4))
	defer cancel()
	err := s.etcd.KeepAlive(ctx, s.lease.Load().id)
	switch {
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		return engine.ErrLeaseLost
	case err != nil:
		return etcdconn.Down("renewing the lease", err)
	}
	s.etcd.Background.Add(1)
	return nil
}

// Resign gives the lease back, so that other replicas need not wait until it ends.
func (s *Replica) Resign(ctx context.Context) {
	if l := s.lease.Load(); l != nil {
		if err := s.etcd.Revoke(ctx, l.id); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			s.log.WarnContext(ctx, "the lease was not given back; it ends when it expires", "err", err)
		}
	}
}

// Alive returns the names of the replicas that have a lease, sorted.
func (s *Replica) Alive(ctx context.Context) ([]string, error) {
	resp, err := s.etcd.Get(ctx, "listing the replicas", s.keys.Replicas(), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(resp.Kvs))
	for _, kv := range resp.Kvs {
		names = append(names, strings.TrimPrefix(string(kv.Key), s.keys.Replicas()))
	}
	return names, nil
}

// Lives returns a condition for a transaction: this replica's lease is alive.
func (s *Replica) Lives() clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(s.keys.Replica(s.conf.Name)), "=", s.lease.Load().rev)
}

// LeaseID returns the id of this replica's lease. When the lease ends, etcd deletes the keys that
// were stored with it.
func (s *Replica) LeaseID() clientv3.LeaseID { return s.lease.Load().id }

// IsMine reports whether kv is this replica's entry, stored with its current lease.
func (s *Replica) IsMine(kv *etcdconn.KeyValue) bool {
	l := s.lease.Load()
	return l != nil && kv.CreateRevision == l.rev
}
