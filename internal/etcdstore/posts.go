package etcdstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
	"dhbot/internal/poster"
)

// Post returns a run's message; ok is false where there is none yet.
func (s *Store) Post(ctx context.Context, run string) (p poster.Post, ok bool, err error) {
	resp, err := s.get(ctx, "reading where run "+run+" is shown", s.keys.post(run))
	if err != nil || len(resp.Kvs) == 0 {
		return poster.Post{}, false, err
	}
	if err := json.Unmarshal(resp.Kvs[0].Value, &p); err != nil {
		return poster.Post{}, false, fmt.Errorf("the stored message of run %s cannot be read: %w", run, err)
	}
	return p, true, nil
}

// SetPost remembers a run's message. A replica that has led and does not lead
// any more gets engine.ErrLeaseLost: its successor posts by now.
func (s *Store) SetPost(ctx context.Context, run string, p poster.Post) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	var still []clientv3.Cmp
	if term := s.term.Load(); term != 0 {
		still = append(still, s.leading(term))
	}
	resp, err := s.txn(ctx, "remembering where run "+run+" is shown", still, []clientv3.Op{clientv3.OpPut(s.keys.post(run), string(b))}, nil)
	if err == nil && !resp.Succeeded {
		err = fmt.Errorf("remembering where run %s is shown: %w, and with it the lead", run, engine.ErrLeaseLost)
	}
	return err
}

// TrailPosted is the number of the last trail entry that was posted.
func (s *Store) TrailPosted(ctx context.Context) (uint64, error) {
	n, _, err := s.trailPosted(ctx)
	return n, err
}

func (s *Store) trailPosted(ctx context.Context) (n uint64, rev int64, err error) {
	resp, err := s.get(ctx, "reading how much of the trail is posted", s.keys.posted())
	if err != nil || len(resp.Kvs) == 0 {
		return 0, 0, err
	}
	if n, err = strconv.ParseUint(string(resp.Kvs[0].Value), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("the number of the last posted trail entry cannot be read: %w", err)
	}
	return n, resp.Kvs[0].ModRevision, nil
}

// SetTrailPosted moves that number forward; it never goes back.
func (s *Store) SetTrailPosted(ctx context.Context, n uint64) error {
	for {
		old, rev, err := s.trailPosted(ctx)
		if err != nil || old >= n {
			return err
		}
		s.background.Add(1)
		resp, err := s.send(ctx, "remembering how much of the trail is posted",
			[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(s.keys.posted()), "=", rev)},
			[]clientv3.Op{clientv3.OpPut(s.keys.posted(), strconv.FormatUint(n, 10))}, nil)
		if err != nil || resp.Succeeded {
			return err
		}
	}
}
