package etcdstore

import (
	"context"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// ambiguousClaims are the keys of deliveries whose Claim failed in this process. The bot has told
// the sender that such a delivery does not count. But the store may have the claim, or a request in
// progress may still store it. So as soon as the store answers, each key is marked as handled, and
// the delivery is not resumed.
//
// The keys are only in memory. If this process dies before the store answers, a stored claim looks
// like any other accepted delivery that was not handled, and is resumed if it is young enough (see
// docs/state.md for the consequence).
type ambiguousClaims struct {
	mu   sync.Mutex
	keys []string
	wake chan struct{}
}

// maxAmbiguousClaims limits the memory used during an outage. Slack sends fewer deliveries than
// this, even in several hours.
const maxAmbiguousClaims = 100_000

func newAmbiguousClaims() *ambiguousClaims { return &ambiguousClaims{wake: make(chan struct{}, 1)} }

// add remembers a key. It returns false if there are too many keys.
func (d *ambiguousClaims) add(key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.keys) == maxAmbiguousClaims {
		return false
	}
	d.keys = append(d.keys, key)
	select {
	case d.wake <- struct{}{}:
	default:
	}
	return true
}

// first is the oldest key.
func (d *ambiguousClaims) first() (key string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.keys) == 0 {
		return "", false
	}
	return d.keys[0], true
}

func (d *ambiguousClaims) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keys = d.keys[1:]
}

func (d *ambiguousClaims) len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.keys)
}

// keepAmbiguousClaims marks ambiguous claims as handled until ctx ends, and then tries once more.
func (s *Store) keepAmbiguousClaims(ctx context.Context) error {
	tick := time.NewTicker(s.conf.Timeout)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.conf.Timeout)
			defer cancel()
			if err := s.settleAmbiguousClaims(last); err != nil {
				s.log.ErrorContext(ctx, "the next start may resume deliveries that were reported to their senders as not accepted",
					"deliveries", s.ambiguous.len(), "err", err)
			}
			return nil
		case <-s.ambiguous.wake:
		case <-tick.C:
		}
		_ = s.settleAmbiguousClaims(ctx) // the next tick retries; Claim has reported the error
	}
}

func (s *Store) settleAmbiguousClaims(ctx context.Context) error {
	for {
		key, ok := s.ambiguous.first()
		if !ok {
			return nil
		}
		if err := s.void(ctx, key); err != nil {
			return err
		}
		s.ambiguous.drop()
	}
}

// void marks a delivery as handled, even if it is not stored, so that a later Claim finds the key.
func (s *Store) void(ctx context.Context, key string) error {
	settle, err := s.Settling(key)
	if err != nil {
		return err
	}
	value, err := s.claimValue(key, handled, nil)
	if err != nil {
		return err
	}
	k := s.keys.Claim(key)
	s.etcd.Background.Add(1)
	_, err = s.etcd.Send(ctx, "settling a delivery that did not count",
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(k), "=", 0)},
		[]clientv3.Op{clientv3.OpPut(k, value)}, []clientv3.Op{settle})
	return err
}
