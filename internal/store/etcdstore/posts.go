package etcdstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
	"dhbot/internal/publish"
)

// Post returns the message that shows a run. ok is false if there is no message yet.
func (s *Store) Post(ctx context.Context, run string) (p publish.Post, ok bool, err error) {
	resp, err := s.etcd.Get(ctx, "reading the message of run "+run, s.keys.Post(run))
	if err != nil || len(resp.Kvs) == 0 {
		return publish.Post{}, false, err
	}
	if err := json.Unmarshal(resp.Kvs[0].Value, &p); err != nil {
		return publish.Post{}, false, fmt.Errorf("the stored message of run %s cannot be read: %w", run, err)
	}
	return p, true, nil
}

// SetPost stores which message shows a run. It returns engine.ErrLeaseLost if this replica no
// longer leads, because another replica posts now.
func (s *Store) SetPost(ctx context.Context, run string, p publish.Post) error {
	return s.setAsLeader(ctx, "storing the message of run "+run, s.keys.Post(run), p)
}

// setAsLeader stores a value as JSON. It returns engine.ErrLeaseLost if this replica was the leader
// and no longer is.
func (s *Store) setAsLeader(ctx context.Context, doing, key string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	var still []clientv3.Cmp
	if term := s.Term(); term != 0 {
		still = append(still, s.Leads(term))
	}
	resp, err := s.etcd.Txn(ctx, doing, still, []clientv3.Op{clientv3.OpPut(key, string(b))}, nil)
	if err == nil && !resp.Succeeded {
		err = fmt.Errorf("%s: %w, and with it the lead", doing, engine.ErrLeaseLost)
	}
	return err
}

// MarkBehind records that a run's message may show an older version of the run. A replica that no
// longer leads may call it, because it changes nothing else that the leader stored.
func (s *Store) MarkBehind(ctx context.Context, run string) error {
	key := s.keys.Post(run)
	for {
		resp, err := s.etcd.Get(ctx, "reading the message of run "+run, key)
		if err != nil || len(resp.Kvs) == 0 {
			return err
		}
		var p publish.Post
		if err := json.Unmarshal(resp.Kvs[0].Value, &p); err != nil {
			return fmt.Errorf("the stored message of run %s cannot be read: %w", run, err)
		}
		if p.TS == "" || p.Rev == 0 {
			return nil
		}
		p.Rev = 0
		b, err := json.Marshal(p)
		if err != nil {
			return err
		}
		done, err := s.etcd.Txn(ctx, "marking the message of run "+run,
			[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(key), "=", resp.Kvs[0].ModRevision)},
			[]clientv3.Op{clientv3.OpPut(key, string(b))}, nil)
		if err != nil || done.Succeeded {
			return err
		}
	}
}

// TrailPosted returns the number of the trail entry that was posted last.
func (s *Store) TrailPosted(ctx context.Context) (uint64, error) {
	n, _, err := s.trailPosted(ctx)
	return n, err
}

func (s *Store) trailPosted(ctx context.Context) (n uint64, rev int64, err error) {
	resp, err := s.etcd.Get(ctx, "reading how much of the trail is posted", s.keys.Posted())
	if err != nil || len(resp.Kvs) == 0 {
		return 0, 0, err
	}
	if n, err = strconv.ParseUint(string(resp.Kvs[0].Value), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("the number of the last posted trail entry cannot be read: %w", err)
	}
	return n, resp.Kvs[0].ModRevision, nil
}

// SetTrailPosted stores the number of the trail entry that was posted last. It never decreases that
// number.
func (s *Store) SetTrailPosted(ctx context.Context, n uint64) error {
	for {
		old, rev, err := s.trailPosted(ctx)
		if err != nil || old >= n {
			return err
		}
		s.etcd.Background.Add(1)
		resp, err := s.etcd.Send(ctx, "storing how much of the trail is posted",
			[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(s.keys.Posted()), "=", rev)},
			[]clientv3.Op{clientv3.OpPut(s.keys.Posted(), strconv.FormatUint(n, 10))}, nil)
		if err != nil || resp.Succeeded {
			return err
		}
	}
}
