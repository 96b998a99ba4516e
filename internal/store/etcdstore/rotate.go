package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/sign"
)

// Rotate replaces the key of the state, while no bot runs. It signs every value again that the old
// key signed. The old key is then invalid, but its public key still verifies old heads. Rotate can
// continue an interrupted rotation.
func Rotate(ctx context.Context, c Config) error {
	old, err := sign.Load(c.KeyFile)
	if err != nil {
		return err
	}
	key, err := old.Rotate()
	if err != nil {
		return err
	}
	if err := key.Save(c.KeyFile); err != nil {
		return err
	}
	s, err := Open(ctx, c)
	if err != nil {
		return err
	}
	err = s.signAnew(ctx, old.ID())
	if err = errors.Join(err, s.Close()); err != nil {
		return fmt.Errorf("the key is not rotated yet; run it again: %w", err)
	}
	return key.Settle().Save(c.KeyFile)
}

// signAnew signs every value again that the previous key signed.
func (s *Store) signAnew(ctx context.Context, was string) error {
	again := func(kv *etcdconn.KeyValue) (clientv3.Op, bool, error) {
		v, err := s.Key().Open(string(kv.Key), kv.Value)
		if err != nil {
			return clientv3.Op{}, false, nil // the value was invalid, and stays invalid
		}
		return clientv3.OpPut(string(kv.Key), string(s.Key().Sign(string(kv.Key), v))), true, nil
	}
	if err := s.Rewrite(ctx, s.keys.Runs(), again); err != nil {
		return err
	}
	if err := s.Rewrite(ctx, s.keys.Watched(""), again); err != nil {
		return err
	}
	if err := s.signClaims(ctx); err != nil {
		return err
	}
	text := fmt.Sprintf("The key of the state was rotated: key %s signs from now on, instead of key %s. Verify heads with %s.", s.Key().ID(), was, s.Key().Public())
	if err := s.Append(ctx, audit.Record{Kind: audit.Note, At: s.conf.Now(), Replica: s.conf.Replica, Text: text}, ""); err != nil {
		return err
	}
	return s.Rewrite(ctx, s.keys.Installation(), again)
}

// signClaims signs deliveries again. To write a claim's key a second time would settle the claim.
// So an unhandled claim is copied to another key and back. If an earlier rotation was interrupted,
// signClaims first copies such claims back.
func (s *Store) signClaims(ctx context.Context) error {
	if err := s.returnClaims(ctx); err != nil {
		return err
	}
	prefix := s.keys.Claims()
	err := s.Rewrite(ctx, prefix, func(kv *etcdconn.KeyValue) (clientv3.Op, bool, error) {
		key := string(kv.Key)
		v, err := s.Key().Open(key, kv.Value)
		if err != nil {
			return clientv3.Op{}, false, nil // the value was invalid, and stays invalid
		}
		value := string(s.Key().Sign(key, v))
		if kv.Version > 1 {
			return clientv3.OpPut(key, value), true, nil
		}
		away := s.keys.Rotating() + strings.TrimPrefix(key, prefix)
		return clientv3.OpTxn([]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(key), "=", kv.ModRevision)},
			[]clientv3.Op{clientv3.OpDelete(key), clientv3.OpPut(away, value)}, nil), true, nil
	})
	if err != nil {
		return err
	}
	return s.returnClaims(ctx)
}

// returnClaims moves deliveries back to their own keys.
func (s *Store) returnClaims(ctx context.Context) error {
	prefix := s.keys.Rotating()
	return s.Rewrite(ctx, prefix, func(kv *etcdconn.KeyValue) (clientv3.Op, bool, error) {
		key := s.keys.Claim(strings.TrimPrefix(string(kv.Key), prefix))
		return clientv3.OpTxn([]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0)},
			[]clientv3.Op{clientv3.OpPut(key, string(kv.Value)), clientv3.OpDelete(string(kv.Key))}, nil), true, nil
	})
}
