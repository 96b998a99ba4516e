package etcdstore

import (
	"context"
	"encoding/json"
	"fmt"

	"dhbot/internal/engine"
	"dhbot/internal/publish"
)

// threadValue is the stored value of a run's thread. It has its own key, because otherwise an older
// replica would lose it when it stores the run's message.
type threadValue struct {
	V int `json:"v"`
	publish.Thread
}

// Thread returns the message in the audit channel whose thread has the records of a run. ok is
// false if there is no such message yet.
func (s *Store) Thread(ctx context.Context, run string) (t publish.Thread, ok bool, err error) {
	resp, err := s.etcd.Get(ctx, "reading the thread of run "+run, s.keys.Thread(run))
	if err != nil || len(resp.Kvs) == 0 {
		return publish.Thread{}, false, err
	}
	var v threadValue
	if err := json.Unmarshal(resp.Kvs[0].Value, &v); err != nil {
		return publish.Thread{}, false, fmt.Errorf("the stored thread of run %s cannot be read: %w", run, err)
	}
	if v.V != 1 {
		return publish.Thread{}, false, fmt.Errorf("%w: the thread of run %s, form %d", engine.ErrNewerForm, run, v.V)
	}
	return v.Thread, true, nil
}

// SetThread stores where the thread of a run is. As with SetPost, only the leader may call it.
func (s *Store) SetThread(ctx context.Context, run string, t publish.Thread) error {
	return s.setAsLeader(ctx, "storing the thread of run "+run, s.keys.Thread(run), threadValue{V: 1, Thread: t})
}
