package etcdstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/keymap"
	"dhbot/internal/store/sign"
)

// archivedRun is how the archive stores a run.
type archivedRun struct {
	V    int             `json:"v"`
	Rev  int64           `json:"rev"` // revision in the store
	Run  json.RawMessage `json:"run"` // the stored bytes
	Post json.RawMessage `json:"post,omitempty"`
}

// archiveRuns moves ended runs to the archive if they ended more than KeepRunsFor ago, or are not
// among the newest KeepRuns. It returns how many it moved. The ids of moved runs stay in the store.
func (s *Store) archiveRuns(ctx context.Context, cmp []clientv3.Cmp) (moved int, err error) {
	resp, err := s.etcd.Get(ctx, "listing ended runs", s.keys.Endeds(), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return 0, err
	}
	old := s.conf.Now().Add(-s.conf.KeepRunsFor)
	for i := len(resp.Kvs) - 1; i >= 0; i-- { // from the run that ended first
		id, ended, err := s.endedKey(string(resp.Kvs[i].Key))
		if err != nil {
			return moved, err
		}
		expired := ended.Before(old)
		if i < s.conf.KeepRuns && !expired {
			return moved, nil
		}
		ok, err := s.archiveRun(ctx, cmp, string(resp.Kvs[i].Key), id, expired)
		if err != nil {
			return moved, err
		}
		if ok {
			moved++
		}
	}
	return moved, nil
}

// endedKey parses a key in the index of ended runs.
func (s *Store) endedKey(key string) (id string, ended time.Time, err error) {
	inverted, id, _ := strings.Cut(strings.TrimPrefix(key, s.keys.Endeds()), "/")
	ms, err := strconv.ParseInt(inverted, 10, 64)
	if err != nil || !engine.ValidID(id) {
		return "", time.Time{}, fmt.Errorf("the key %s of the index of ended runs cannot be read", key)
	}
	return id, time.UnixMilli(keymap.MaxMillis - ms), nil
}

// archiveRun moves one run to the archive. It moves nothing while the run's message in Slack does
// not show the end of the run, unless expired is set.
func (s *Store) archiveRun(ctx context.Context, cmp []clientv3.Cmp, index, id string, expired bool) (moved bool, err error) {
	runKey, postKey := s.keys.Run(id), s.keys.Post(id)
	both := []clientv3.Op{clientv3.OpGet(runKey), clientv3.OpGet(postKey)}
	resp, err := s.etcd.Send(ctx, "reading run "+id+" and its message", nil, both, nil)
	if err != nil {
		return false, err
	}
	run, post := etcdconn.First(resp, 0), etcdconn.First(resp, 1)
	if run.ModRevision == 0 {
		return false, fmt.Errorf("the store lists a run that it does not have: %s", id)
	}
	st, err := s.decodeRun(run)
	if errors.Is(err, engine.ErrNewerForm) || errors.Is(err, engine.ErrTampered) {
		return false, nil // only a newer bot can move this run
	}
	form := st.Run
	if err != nil {
		return false, err
	}
	if !expired && form.Place.Channel != "" && !showsEnd(post, run.ModRevision) {
		return false, nil
	}
	data, err := json.Marshal(archivedRun{V: 1, Rev: run.ModRevision, Run: run.Value, Post: post.Value})
	if err != nil {
		return false, fmt.Errorf("run %s cannot be archived: %w", id, err)
	}
	if err := s.archive.PutRun(id, data); err != nil {
		return false, err
	}
	back, err := s.archive.Run(id)
	if err != nil || !bytes.Equal(back, data) {
		return false, errors.Join(fmt.Errorf("the archived copy of run %s differs from the stored run; the run stays in the store", id), err)
	}
	unchanged := []clientv3.Cmp{
		clientv3.Compare(clientv3.ModRevision(runKey), "=", run.ModRevision),
		clientv3.Compare(clientv3.ModRevision(postKey), "=", post.ModRevision),
	}
	err = s.Delete(ctx, "deleting the archived run "+id, append(unchanged, cmp...),
		[]clientv3.Op{
			clientv3.OpDelete(runKey),
			clientv3.OpDelete(index),
			clientv3.OpDelete(postKey),
			clientv3.OpDelete(s.keys.Thread(id)),
		})
	return err == nil, err
}

// showsEnd reports whether the message of a run shows the run's newest version.
func showsEnd(post *etcdconn.KeyValue, rev int64) bool {
	var p publish.Post
	return post.ModRevision != 0 && json.Unmarshal(post.Value, &p) == nil && p.Rev >= rev
}

// getArchived returns an archived run, or engine.ErrNotFound.
func (s *Store) getArchived(id string) (engine.Stored, error) {
	if s.archive == nil {
		return engine.Stored{}, fmt.Errorf("%w: %s", engine.ErrNotFound, id)
	}
	b, err := s.archive.Run(id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return engine.Stored{}, fmt.Errorf("%w: %s", engine.ErrNotFound, id)
	case err != nil:
		return engine.Stored{}, fmt.Errorf("%w: %w", engine.ErrStoreDown, err)
	}
	var a archivedRun
	if err := json.Unmarshal(b, &a); err != nil {
		return engine.Stored{}, fmt.Errorf("the archived run %s in %s is damaged: %w", id, s.archive.Dir(), err)
	}
	if a.V != 1 {
		return engine.Stored{}, fmt.Errorf("%w: run %s was archived in form %d", engine.ErrNewerForm, id, a.V)
	}
	v, _ := sign.Content(a.Run)
	r, err := engine.DecodeRun(v.Body)
	if err == nil && !r.State.Ended() {
		err = s.Tampered("the archived run "+id, errors.New("only ended runs are archived"))
	}
	return engine.Stored{Run: r, Rev: a.Rev}, err
}
