package etcdstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
)

// A claim's key is written twice at most: when it is made and when it is
// settled. Its version in etcd therefore says its state: 1 accepted, 2 handled.

// claim is the value of a claim's key.
type claim struct {
	V       int    `json:"v"`
	State   string `json:"state"` // accepted, handled
	Replica string `json:"replica"`
	At      int64  `json:"at"` // Unix milliseconds, of the state
	Payload []byte `json:"payload,omitempty"`
}

const (
	accepted = "accepted"
	handled  = "handled"
	// maxKey keeps what a platform calls a delivery from growing our keys.
	maxKey = 512
)

func (s *Store) claimValue(state string, payload []byte) (string, error) {
	b, err := json.Marshal(claim{1, state, s.conf.Replica, s.conf.Now().UnixMilli(), payload})
	return string(b), err
}

// Claim stores the payload under key unless the key is there; first says that
// this call stored it. One transaction. After an error the payload may have
// been stored all the same, see doubts.
func (s *Store) Claim(ctx context.Context, key string, payload []byte) (first bool, err error) {
	if key == "" || len(key) > maxKey {
		return false, fmt.Errorf("a delivery is claimed under a key of 1 to %d bytes, this one has %d", maxKey, len(key))
	}
	value, err := s.claimValue(accepted, payload)
	if err != nil {
		return false, err
	}
	if len(value) > maxBytes {
		return false, fmt.Errorf("the delivery %s is too big to be kept: %d bytes, at most %d", key, len(value), maxBytes)
	}
	k := s.keys.claim(key)
	resp, err := s.txn(ctx, "claiming a delivery",
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(k), "=", 0)},
		[]clientv3.Op{clientv3.OpPut(k, value)}, nil)
	if err != nil {
		if !s.doubts.add(key) {
			s.log.Error("too many deliveries are in doubt; one that did not count may be taken up later", "key", key)
		}
		return false, err
	}
	return resp.Succeeded, nil
}

// Settle marks a delivery as handled and drops its payload. One that is
// settled already stays as it is, one that is not there stays away.
func (s *Store) Settle(ctx context.Context, key string) error {
	k := s.keys.claim(key)
	value, err := s.claimValue(handled, nil)
	if err != nil {
		return err
	}
	_, err = s.txn(ctx, "settling a delivery",
		[]clientv3.Cmp{clientv3.Compare(clientv3.Version(k), "=", 1)},
		[]clientv3.Op{clientv3.OpPut(k, value)}, nil)
	return err
}

// settling is Settle as part of another transaction.
func (s *Store) settling(key string) (clientv3.Op, error) {
	k := s.keys.claim(key)
	value, err := s.claimValue(handled, nil)
	return clientv3.OpTxn(
		[]clientv3.Cmp{clientv3.Compare(clientv3.Version(k), "=", 1)},
		[]clientv3.Op{clientv3.OpPut(k, value)}, nil), err
}

// unsettled requires, in a transaction, that a delivery was not handled.
func (s *Store) unsettled(key string) clientv3.Cmp {
	return clientv3.Compare(clientv3.Version(s.keys.claim(key)), "<", 2)
}

// Unsettled calls f with every delivery that was claimed and not settled,
// oldest first: what a replica that died has left unhandled.
func (s *Store) Unsettled(ctx context.Context, f func(key string, payload []byte, replica string, at time.Time) error) error {
	type open struct {
		claim
		key string
	}
	var list []open
	err := s.eachClaim(ctx, func(key string, c claim) error {
		if c.State == accepted {
			list = append(list, open{c, key})
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b open) int { return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.key, b.key)) })
	for _, c := range list {
		if err := f(c.key, c.Payload, c.Replica, time.UnixMilli(c.At)); err != nil {
			return err
		}
	}
	return nil
}

// Sweep forgets deliveries handled more than KeepClaims ago, and returns how
// many. Run does it by itself.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	var old []clientv3.Op
	limit := s.conf.Now().Add(-KeepClaims).UnixMilli()
	err := s.eachClaim(ctx, func(key string, c claim) error {
		if c.State == handled && c.At < limit {
			old = append(old, clientv3.OpDelete(s.keys.claim(key)))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for batch := range slices.Chunk(old, maxOps) {
		s.background.Add(1)
		if _, err := s.send(ctx, "forgetting handled deliveries", nil, batch, nil); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// eachClaim pages through all claims.
func (s *Store) eachClaim(ctx context.Context, f func(key string, c claim) error) error {
	from, end := s.keys.claims(), clientv3.GetPrefixRangeEnd(s.keys.claims())
	for {
		resp, err := s.get(ctx, "listing deliveries", from, clientv3.WithRange(end), clientv3.WithLimit(500))
		if err != nil {
			return err
		}
		for _, kv := range resp.Kvs {
			key := strings.TrimPrefix(string(kv.Key), s.keys.claims())
			var c claim
			if err := json.Unmarshal(kv.Value, &c); err != nil {
				return fmt.Errorf("the stored delivery %s cannot be read: %w", key, err)
			}
			from = string(kv.Key) + "\x00"
			if c.V > 1 { // the newer replicas' to handle and to forget
				s.noteNewer(fmt.Errorf("%w: delivery %s, form %d", engine.ErrNewerForm, key, c.V))
				continue
			}
			if c.V != 1 || (c.State != accepted && c.State != handled) {
				return fmt.Errorf("the stored delivery %s is damaged: form %d, state %q", key, c.V, c.State)
			}
			if err := f(key, c); err != nil {
				return err
			}
		}
		if !resp.More {
			return nil
		}
	}
}
