package etcdstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/sign"
)

// A claim's key is written at most twice: when the claim is made and when it is settled. So its
// version in etcd is its state: 1 accepted, 2 handled.

// claim is the value of a claim's key.
type claim struct {
	V       int    `json:"v"`
	State   string `json:"state"` // accepted, handled
	Replica string `json:"replica"`
	At      int64  `json:"at"` // Unix milliseconds, when the state began
	Payload []byte `json:"payload,omitempty"`
}

const (
	accepted = "accepted"
	handled  = "handled"
	// dropped is the state that eachClaim reports for an accepted claim that does not count. This
	// state is never stored.
	dropped = "dropped"
	// maxKey is the greatest length of the key of a delivery, in bytes.
	maxKey = 512
)

// claimValue returns the signed value of a claim's key. It is signed, because a forged claim could
// make the bot execute a command that no person gave.
func (s *Store) claimValue(key, state string, payload []byte) (string, error) {
	b, err := json.Marshal(claim{1, state, s.conf.Replica, s.conf.Now().UnixMilli(), payload})
	if err != nil || s.Key() == nil {
		return string(b), err
	}
	n := uint64(1)
	if state == handled {
		n = 2
	}
	return string(s.Key().Sign(s.keys.Claim(key), sign.Value{Epoch: s.Epoch(), N: n, Body: b})), nil
}

// openClaim parses the value of a claim's key. current is false if the claim does not count.
// A claim does not count if its signature is invalid, or belongs to an earlier epoch or a newer
// form. An accepted claim also does not count if the notes on this machine say that the delivery
// was already handled.
func (s *Store) openClaim(kv *etcdconn.KeyValue, key string) (c claim, current bool, err error) {
	v, signed := sign.Content(kv.Value)
	current = true
	if s.Key() != nil {
		opened, why := s.Key().Open(string(kv.Key), kv.Value)
		switch {
		case errors.Is(why, sign.ErrNewerForm):
			return claim{V: sign.Form}, false, nil
		case why != nil && !signed && kv.Version > 1:
			current = false // a version that did not sign stored this claim: if it is handled, it stays handled
		case why != nil:
			current = false
			_ = s.Tampered("delivery "+key, why)
		default:
			current = opened.Epoch == s.Epoch() && !(opened.N == 1 && s.Notes().WasHandled(key))
		}
	}
	return c, current, json.Unmarshal(v.Body, &c)
}

// Claim stores the payload under key, in one transaction, unless the key exists. first reports
// whether this call stored it. After an error, the payload may nevertheless be stored: see
// ambiguousClaims.
func (s *Store) Claim(ctx context.Context, key string, payload []byte) (first bool, err error) {
	if key == "" || len(key) > maxKey {
		return false, fmt.Errorf("the key of a claim must have 1 to %d bytes; this one has %d", maxKey, len(key))
	}
	value, err := s.claimValue(key, accepted, payload)
	if err != nil {
		return false, err
	}
	if len(value) > etcdconn.MaxBytes {
		return false, fmt.Errorf("the delivery %s is too large to store: it has %d bytes, but at most %d are possible", key, len(value), etcdconn.MaxBytes)
	}
	k := s.keys.Claim(key)
	resp, err := s.etcd.Txn(ctx, "claiming a delivery",
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(k), "=", 0)},
		[]clientv3.Op{clientv3.OpPut(k, value)}, nil)
	if err != nil {
		if !s.ambiguous.add(key) {
			s.log.ErrorContext(ctx, "too many claims are ambiguous; a delivery that did not count may be resumed later", "key", key)
		}
		return false, err
	}
	return resp.Succeeded, nil
}

// Settle marks a delivery as handled and deletes its payload. It does not change a settled
// delivery, and does not create a missing delivery.
func (s *Store) Settle(ctx context.Context, key string) error {
	k := s.keys.Claim(key)
	value, err := s.claimValue(key, handled, nil)
	if err != nil {
		return err
	}
	_, err = s.etcd.Txn(ctx, "settling a delivery",
		[]clientv3.Cmp{clientv3.Compare(clientv3.Version(k), "=", 1)},
		[]clientv3.Op{clientv3.OpPut(k, value)}, nil)
	if err != nil || s.Key() == nil {
		return err
	}
	if err := s.Notes().Handled(key); err != nil {
		s.Alarm("notes", err.Error())
	}
	return nil
}

// Settling returns the operation of Settle, so that another transaction can include it.
func (s *Store) Settling(key string) (clientv3.Op, error) {
	k := s.keys.Claim(key)
	value, err := s.claimValue(key, handled, nil)
	return clientv3.OpTxn(
		[]clientv3.Cmp{clientv3.Compare(clientv3.Version(k), "=", 1)},
		[]clientv3.Op{clientv3.OpPut(k, value)}, nil), err
}

// unsettled is the condition of a transaction that a delivery was not handled yet.
func (s *Store) unsettled(key string) clientv3.Cmp {
	return clientv3.Compare(clientv3.Version(s.keys.Claim(key)), "<", 2)
}

// Unsettled calls f with every delivery that was claimed and not settled, oldest first. These are
// the deliveries that dead replicas did not handle.
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

// Sweep deletes deliveries that were handled more than Config.KeepClaims ago, and returns their
// number. Run calls it regularly.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	var old []clientv3.Op
	limit := s.conf.Now().Add(-s.conf.KeepClaims).UnixMilli()
	err := s.eachClaim(ctx, func(key string, c claim) error {
		if c.State != accepted && c.At < limit {
			old = append(old, clientv3.OpDelete(s.keys.Claim(key)))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for batch := range slices.Chunk(old, etcdconn.MaxOps) {
		s.etcd.Background.Add(1)
		if _, err := s.etcd.Send(ctx, "deleting handled deliveries", nil, batch, nil); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// eachClaim reads all claims, page by page.
func (s *Store) eachClaim(ctx context.Context, f func(key string, c claim) error) error {
	from, end := s.keys.Claims(), clientv3.GetPrefixRangeEnd(s.keys.Claims())
	for {
		resp, err := s.etcd.Get(ctx, "listing deliveries", from, clientv3.WithRange(end), clientv3.WithLimit(500))
		if err != nil {
			return err
		}
		for _, kv := range resp.Kvs {
			key := strings.TrimPrefix(string(kv.Key), s.keys.Claims())
			c, current, err := s.openClaim(kv, key)
			if err != nil {
				return fmt.Errorf("the stored delivery %s cannot be read: %w", key, err)
			}
			from = string(kv.Key) + "\x00"
			if c.V > 1 { // newer replicas handle and delete it
				s.noteNewer(fmt.Errorf("%w: delivery %s, form %d", engine.ErrNewerForm, key, c.V))
				continue
			}
			if c.V != 1 || (c.State != accepted && c.State != handled) {
				return fmt.Errorf("the stored delivery %s is damaged: form %d, state %q", key, c.V, c.State)
			}
			if c.State == accepted && !current {
				c.State = dropped
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
