package trail

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/pause"
	"dhbot/internal/store/etcdconn"
)

const (
	// sealRead is the number of pending records that are read at a time. It is more than one
	// transaction can write.
	sealRead = 1000
	// sealBatch and sealBytes limit one chunk, because one transaction writes the chunk and the
	// head and deletes each pending record of the chunk.
	sealBatch = etcdconn.MaxOps - 8
	sealBytes = etcdconn.MaxBytes / 2
	// seizeEach is how often a replica that does not seal checks whether it should begin to.
	seizeEach = time.Second
	// abdicateFor is how long a replica leaves sealing to other replicas, if it cannot read the
	// pending records.
	abdicateFor = 10 * time.Second
)

// sealer is what this replica knows about the sealing of the trail.
type sealer struct {
	mu             sync.Mutex
	term           int64     // creation revision of the leader key while this replica holds it, else 0
	last           time.Time // time of the last record sealed by this replica
	compactionMark           // the last known position of the store
	rest           time.Time // until then this replica leaves sealing to newer replicas
	// tree covers the trail up to the last entry that this replica sealed, and note is the signed
	// head of tree. The field since is the number of entries that came before the first entry
	// sealed by this replica.
	tree  audit.Tree
	note  string
	since uint64
}

// KeepSealing regularly seals records and deletes old deliveries until ctx ends. Then it seals
// once more, so that a normal stop leaves no record pending.
func (s *Log) KeepSealing(ctx context.Context) error {
	tick := time.NewTicker(s.conf.SealEach)
	defer tick.Stop()
	swept := time.Now()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.conf.Timeout)
			defer cancel()
			if _, err := s.Seal(last); err != nil {
				s.log.WarnContext(ctx, "the last records were not sealed; the next start seals them", "err", err)
			}
			return nil
		case <-tick.C:
		}
		_, err := s.Seal(ctx)
		if err == nil && s.leads() && time.Since(swept) > s.conf.SweepEach {
			swept = time.Now()
			_, err = s.runs.Sweep(ctx)
		}
		if err == nil {
			err = s.compact(ctx)
		}
		if ctx.Err() == nil && s.trouble.Set(err) {
			s.log.ErrorContext(ctx, "the trail is not being sealed", "err", err)
		}
		if err == nil && !s.leads() {
			pause.For(ctx, seizeEach)
		}
	}
}

func (s *Log) leads() bool {
	s.sealer.mu.Lock()
	defer s.sealer.mu.Unlock()
	return s.sealer.term != 0
}

// Seal chains all pending records into the trail and returns their number. It does nothing while
// another replica leads. KeepSealing calls it regularly.
func (s *Log) Seal(ctx context.Context) (int, error) {
	s.sealer.mu.Lock()
	defer s.sealer.mu.Unlock()
	total := 0
	for {
		if s.trust.readOnly || s.Stopped() != "" {
			return total, nil
		}
		if ok, err := s.seize(ctx); !ok || err != nil {
			return total, err
		}
		head, pending, more, err := s.pending(ctx)
		if errors.Is(err, audit.ErrNewer) {
			err = errors.Join(err, s.abdicate(ctx))
		}
		if err != nil || len(pending) == 0 {
			return total, err
		}
		n, err := s.sealAll(ctx, head, pending)
		total += n
		if err != nil || (!more && n == len(pending)) {
			return total, err
		}
	}
}

// seize makes this replica the sealer, unless another replica is the sealer, or this replica
// abdicated less than abdicateFor ago. It reports whether this replica is the sealer. The caller
// holds the sealer's mutex.
func (s *Log) seize(ctx context.Context) (bool, error) {
	if s.sealer.term != 0 {
		return true, nil // the next transaction fails if the term has ended
	}
	if s.conf.Now().Before(s.sealer.rest) {
		return false, nil
	}
	key, mine := s.keys.LeadsTrail(), s.self.LeaseID()
	s.etcd.Background.Add(1)
	resp, err := s.etcd.Send(ctx, "reading which replica seals the trail",
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0), s.self.Lives()},
		[]clientv3.Op{clientv3.OpPut(key, s.conf.Replica, clientv3.WithLease(mine))},
		[]clientv3.Op{clientv3.OpGet(key)})
	if err != nil {
		return false, err
	}
	if resp.Succeeded {
		s.sealer.term = resp.Header.Revision
	} else if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 && kvs[0].Lease == int64(mine) {
		s.sealer.term = kvs[0].CreateRevision // seized before, in a call whose answer was lost
	}
	return s.sealer.term != 0, nil
}

// abdicate lets a newer replica seal, because this replica cannot read the pending records. The
// caller holds the sealer's mutex.
func (s *Log) abdicate(ctx context.Context) error {
	term := s.sealer.term
	s.sealer.term, s.sealer.rest = 0, s.conf.Now().Add(abdicateFor)
	s.etcd.Background.Add(1)
	_, err := s.etcd.Send(ctx, "leaving the sealing to another replica",
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(s.keys.LeadsTrail()), "=", term)},
		[]clientv3.Op{clientv3.OpDelete(s.keys.LeadsTrail())}, nil)
	return err
}

// head is the newest entry and the revision of its key, which is 0 if there is no entry.
type head struct {
	audit.Sealed
	rev  int64
	tree headed // covers all entries up to this one, in a signed store
}

// pendingRecord is a record that is not sealed yet.
type pendingRecord struct {
	audit.Record
	key string
	rev int64
}

// pending reads the head and the oldest pending records, in the order of the trail. All are read
// at the same revision of the store.
func (s *Log) pending(ctx context.Context) (h head, list []pendingRecord, more bool, err error) {
	resp, err := s.etcd.Send(ctx, "reading pending records", nil, []clientv3.Op{
		clientv3.OpGet(s.keys.Head()),
		clientv3.OpGet(s.keys.Records(), clientv3.WithPrefix(), clientv3.WithLimit(sealRead),
			clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortAscend)),
		clientv3.OpGet(s.keys.Checkpoint()),
	}, nil)
	if err != nil {
		return head{}, nil, false, err
	}
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		h.rev = kvs[0].ModRevision
		if h.Sealed, err = DecodeHead(kvs[0]); err != nil {
			return head{}, nil, false, err
		}
	}
	s.sealer.compactionMark = compactionMark{resp.Header.Revision, h.N}
	found := resp.Responses[1].GetResponseRange()
	if s.trust.key != nil && len(found.Kvs) > 0 {
		if h.tree, err = s.treeOf(ctx, h, etcdconn.First(resp, 2)); err != nil {
			return head{}, nil, false, err
		}
	}
	list, err = s.sorted(found.Kvs, found.More)
	return h, list, found.More, err
}

// sorted decodes pending records and sorts them by revision and key. If more records follow,
// those of the last revision may be incomplete, so they are left for the next call.
func (s *Log) sorted(kvs []*etcdconn.KeyValue, more bool) ([]pendingRecord, error) {
	kvs = slices.SortedFunc(slices.Values(kvs), func(a, b *etcdconn.KeyValue) int {
		return cmp.Or(cmp.Compare(a.ModRevision, b.ModRevision), bytes.Compare(a.Key, b.Key))
	})
	if more && len(kvs) > 0 {
		last := kvs[len(kvs)-1].ModRevision
		kvs = slices.DeleteFunc(kvs, func(kv *etcdconn.KeyValue) bool { return kv.ModRevision == last })
	}
	list := make([]pendingRecord, len(kvs))
	for i, kv := range kvs {
		r, err := audit.Decode(kv.Value)
		if err != nil {
			return nil, fmt.Errorf("the pending record %s cannot be read, and nothing after it can be sealed: %w", kv.Key, err)
		}
		list[i] = pendingRecord{r, string(kv.Key), kv.ModRevision}
	}
	return list, nil
}

// sealAll seals pending records chunk by chunk and returns how many it sealed. It stops early if
// another replica has begun to seal.
func (s *Log) sealAll(ctx context.Context, h head, list []pendingRecord) (int, error) {
	done := 0
	for done < len(list) {
		var chunk bytes.Buffer
		last := h.Sealed
		tree := h.tree.tree.Clone()
		var deletes []clientv3.Op
		for _, r := range list[done:] {
			if len(deletes) == sealBatch || chunk.Len() > sealBytes {
				break
			}
			last = audit.Seal(last, r.rev, r.Record)
			line, err := audit.CanonicalEntry(last)
			if err != nil {
				return done, err
			}
			tree.Append(line)
			chunk.Write(line)
			chunk.WriteByte('\n')
			deletes = append(deletes, clientv3.OpDelete(r.key))
		}
		ok, err := s.sealChunk(ctx, &h, last, tree, chunk.String(), deletes)
		if err != nil || !ok {
			return done, err
		}
		done += len(deletes)
	}
	return done, nil
}

// sealChunk writes one chunk and moves the head. It does neither, and returns false, if another
// replica has moved the head, seals by now, or has changed the record of the installation.
func (s *Log) sealChunk(
	ctx context.Context, h *head, last audit.Sealed, tree audit.Tree, chunk string, deletes []clientv3.Op,
) (bool, error) {
	line, err := audit.CanonicalEntry(last)
	if err != nil {
		return false, err
	}
	ops := append(deletes, clientv3.OpPut(s.keys.Chunk(last.N), chunk), clientv3.OpPut(s.keys.Head(), string(line)))
	next := headed{}
	if s.trust.key != nil {
		var value string
		if next, value, err = s.checkpointOf(tree, last, s.Epoch(), h.tree.note); err != nil {
			return false, err
		}
		ops = append(ops, clientv3.OpPut(s.keys.Checkpoint(), value))
	}
	s.etcd.Background.Add(1)
	resp, err := s.etcd.Send(ctx, "sealing the trail",
		append(s.Current(),
			clientv3.Compare(clientv3.ModRevision(s.keys.Head()), "=", h.rev),
			clientv3.Compare(clientv3.CreateRevision(s.keys.LeadsTrail()), "=", s.sealer.term),
		), ops, nil)
	if err != nil {
		return false, err
	}
	if !resp.Succeeded {
		s.sealer.term = 0
		return false, s.refreshInstall(ctx)
	}
	s.sealed(h.tree, next)
	h.Sealed = last
	h.rev = resp.Header.Revision
	h.tree = next
	s.sealer.last, s.sealer.compactionMark = s.conf.Now(), compactionMark{h.rev, h.N}
	return true, nil
}
