package etcdstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
)

// lockValue is the value of a lock's key.
type lockValue struct {
	V      int    `json:"v"`
	Run    string `json:"run"`
	Reason string `json:"reason,omitempty"`
	Since  int64  `json:"since"` // Unix milliseconds
}

// held is a lock, with the etcd revision at which it was taken.
type held struct {
	engine.Lock
	rev int64
}

// commitTries limits how often a Commit sends its transaction. It sends it again only if the run
// holds other locks than it assumed, for example because another replica has freed a lock, or if
// another replica has changed the installation's record within the epoch.
const commitTries = 5

// Commit makes one change in one transaction; see engine.Runs.
func (s *Store) Commit(ctx context.Context, c engine.Change) (int64, error) {
	if err := c.Check(); err != nil {
		return 0, err
	}
	if err := s.MayChange(); err != nil {
		return 0, err
	}
	var locks []held
	if c.Release {
		var err error
		if locks, err = s.lockList(ctx); err != nil {
			return 0, err
		}
	}
	for range commitTries {
		then, size, err := s.effects(c, locks)
		if err != nil {
			return 0, err
		}
		if size > etcdconn.MaxBytes {
			return 0, fmt.Errorf("the change of run %s has %d bytes, but the store accepts at most %d", c.Run.ID, size, etcdconn.MaxBytes)
		}
		resp, err := s.etcd.Txn(ctx, "storing run "+c.Run.ID, s.conditions(c, locks), then, s.evidence(c))
		if err != nil {
			return 0, err
		}
		if resp.Succeeded {
			return resp.Header.Revision, s.noteCommit(c, resp.Header.Revision)
		}
		if locks, err = s.diagnose(c, resp.Responses); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w: the locks of run %s keep changing", engine.ErrConflict, c.Run.ID)
}

// conditions returns the conditions under which the transaction takes effect.
func (s *Store) conditions(c engine.Change, locks []held) []clientv3.Cmp {
	run := s.keys.Run(c.Run.ID)
	list := append(s.Current(), s.Lives())
	if c.Rev == 0 {
		list = append(list,
			clientv3.Compare(clientv3.CreateRevision(run), "=", 0),
			clientv3.Compare(clientv3.CreateRevision(s.keys.UsedID(c.Run.ID)), "=", 0))
	} else {
		list = append(list, clientv3.Compare(clientv3.ModRevision(run), "=", c.Rev))
	}
	if c.Claim != "" {
		list = append(list, s.unsettled(c.Claim))
	}
	for _, name := range lockNames(c) {
		// The lock must be free or held by this run. For a free lock, own returns 0, which is the
		// revision of an absent key.
		list = append(list, clientv3.Compare(clientv3.ModRevision(s.keys.Lock(name)), "=", own(locks, c.Run.ID, name)))
	}
	if c.Release {
		for _, l := range locks {
			if l.Run == c.Run.ID {
				list = append(list, clientv3.Compare(clientv3.ModRevision(s.keys.Lock(l.Name)), "=", l.rev))
			}
		}
	}
	return list
}

// lockNames returns the names of the locks to take, without duplicates, because etcd refuses to
// write a key twice in one transaction.
func lockNames(c engine.Change) []string {
	return slices.Compact(slices.Sorted(slices.Values(c.Take)))
}

// own returns the revision at which the run took the lock, or 0 if the run does not hold it.
func own(locks []held, run, name string) int64 {
	for _, l := range locks {
		if l.Name == name && l.Run == run {
			return l.rev
		}
	}
	return 0
}

// effects returns the operations of the change, and their total size in bytes.
func (s *Store) effects(c engine.Change, locks []held) (ops []clientv3.Op, size int, err error) {
	put := func(key, value string) {
		ops = append(ops, clientv3.OpPut(key, value))
		size += len(key) + len(value)
	}
	id := c.Run.ID
	run, err := s.signedRun(c.Run)
	if err != nil {
		return nil, 0, err
	}
	put(s.keys.Run(id), string(run))
	if c.Rev == 0 {
		put(s.keys.UsedID(id), "")
	}
	switch {
	case c.Run.State.Ended():
		put(s.keys.Ended(id, s.endedAt(c.Run)), "")
		ops = append(ops, clientv3.OpDelete(s.keys.Open(id)))
	case c.Rev == 0:
		put(s.keys.Open(id), "")
	}
	for _, r := range c.Records {
		b, err := audit.Canonical(r)
		if err != nil {
			return nil, 0, err
		}
		put(s.keys.Record(id, r.Seq), string(b))
	}
	for _, name := range lockNames(c) {
		if own(locks, id, name) == 0 {
			v, err := json.Marshal(lockValue{1, id, c.Run.Plan.Title, s.conf.Now().UnixMilli()})
			if err != nil {
				return nil, 0, err
			}
			put(s.keys.Lock(name), string(v))
		}
	}
	if c.Release {
		for _, l := range locks {
			if l.Run == id {
				ops = append(ops, clientv3.OpDelete(s.keys.Lock(l.Name)))
			}
		}
	}
	if c.Claim != "" {
		op, err := s.Settling(c.Claim)
		if err != nil {
			return nil, 0, err
		}
		ops = append(ops, op)
	}
	return ops, size, nil
}

func (s *Store) endedAt(r engine.Run) time.Time {
	if r.EndedAt != nil {
		return *r.EndedAt
	}
	return s.conf.Now()
}

// evidence returns the reads that the transaction makes if a condition does not hold. diagnose
// depends on their order.
func (s *Store) evidence(c engine.Change) []clientv3.Op {
	keysOnly := clientv3.WithKeysOnly()
	ops := []clientv3.Op{
		clientv3.OpGet(s.keys.Replica(s.conf.Replica), keysOnly),
		clientv3.OpGet(s.keys.Run(c.Run.ID), keysOnly),
		clientv3.OpGet(s.keys.UsedID(c.Run.ID), keysOnly),
		clientv3.OpGet(s.keys.Locks(), clientv3.WithPrefix()),
	}
	ops = append(ops, clientv3.OpGet(s.keys.Installation()))
	if c.Claim != "" {
		ops = append(ops, clientv3.OpGet(s.keys.Claim(c.Claim), keysOnly))
	}
	return ops
}

// diagnose returns why a change was not made, the most serious reason first. If it finds no reason,
// the run's locks differed from the locks that Commit assumed, or another replica changed the
// installation's record within the epoch, for example when it joined. Then diagnose returns the
// locks found, and Commit tries again.
func (s *Store) diagnose(c engine.Change, found []*pb.ResponseOp) ([]held, error) {
	first := func(i int) *etcdconn.KeyValue {
		if kvs := found[i].GetResponseRange().Kvs; len(kvs) > 0 {
			return kvs[0]
		}
		return &etcdconn.KeyValue{}
	}
	run := first(1)
	epoch := s.Epoch()
	if s.MovedOn(first(4)) {
		if err := s.MayChange(); err != nil {
			return nil, err
		}
		if s.Epoch() != epoch {
			return nil, fmt.Errorf("%w: another replica began an epoch", engine.ErrConflict)
		}
	}
	switch {
	case !s.IsMine(first(0)):
		return nil, engine.ErrLeaseLost
	case c.Rev == 0 && (run.ModRevision != 0 || first(2).ModRevision != 0):
		return nil, fmt.Errorf("%w: %s", engine.ErrIDTaken, c.Run.ID)
	case run.ModRevision != c.Rev:
		return nil, fmt.Errorf("%w: %s", engine.ErrConflict, c.Run.ID)
	case c.Claim != "" && first(5).Version > 1:
		return nil, engine.ErrSettled
	}
	locks, err := s.readLocks(found[3].GetResponseRange().Kvs)
	if err != nil {
		return nil, err
	}
	for _, name := range lockNames(c) {
		for _, l := range locks {
			if l.Name == name && l.Run != c.Run.ID {
				return nil, &engine.LockedError{Lock: name, Run: l.Run}
			}
		}
	}
	return locks, nil
}

// Locks returns all locks that runs hold, sorted by name.
func (s *Store) Locks(ctx context.Context) ([]engine.Lock, error) {
	list, err := s.lockList(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]engine.Lock, len(list))
	for i, l := range list {
		out[i] = l.Lock
	}
	return out, nil
}

func (s *Store) lockList(ctx context.Context) ([]held, error) {
	resp, err := s.etcd.Get(ctx, "listing the locks", s.keys.Locks(), clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	return s.readLocks(resp.Kvs)
}

func (s *Store) readLocks(kvs []*etcdconn.KeyValue) ([]held, error) {
	list := make([]held, 0, len(kvs))
	for _, kv := range kvs {
		name := strings.TrimPrefix(string(kv.Key), s.keys.Locks())
		var v lockValue
		if err := json.Unmarshal(kv.Value, &v); err != nil {
			return nil, fmt.Errorf("the stored lock %s cannot be read: %.100q", name, kv.Value)
		}
		if v.V != 1 { // a lock that a newer bot stored counts as held, whatever its form
			s.noteNewer(fmt.Errorf("%w: lock %s, form %d", engine.ErrNewerForm, name, v.V))
		}
		list = append(list, held{engine.Lock{Name: name, Run: v.Run, Reason: v.Reason, Since: v.Since}, kv.ModRevision})
	}
	slices.SortFunc(list, func(a, b held) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}
