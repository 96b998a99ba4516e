package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/notes"
	"dhbot/internal/store/sign"
	"dhbot/internal/store/trail"
)

// signedRun returns a run as it is stored. It is signed, unless the store was opened without a key.
func (s *Store) signedRun(r engine.Run) ([]byte, error) {
	body, err := engine.EncodeRun(r)
	if err != nil || s.Key() == nil {
		return body, err
	}
	return s.Key().Sign(s.keys.Run(r.ID), sign.Value{Epoch: s.Epoch(), N: uint64(r.Records), Body: body}), nil
}

// decodeRun parses a run. It returns engine.ErrTampered for a value that the bot did not store.
func (s *Store) decodeRun(kv *etcdconn.KeyValue) (engine.Stored, error) {
	id := strings.TrimPrefix(string(kv.Key), s.keys.Runs())
	if s.Key() == nil {
		v, _ := sign.Content(kv.Value)
		r, err := engine.DecodeRun(v.Body)
		return engine.Stored{Run: r, Rev: kv.ModRevision}, err
	}
	v, err := s.Key().Open(string(kv.Key), kv.Value)
	if errors.Is(err, sign.ErrNewerForm) {
		return engine.Stored{}, fmt.Errorf("%w: run %s", engine.ErrNewerForm, id)
	}
	if err != nil {
		return engine.Stored{}, s.Tampered("run "+id, err)
	}
	r, err := engine.DecodeRun(v.Body)
	if err != nil {
		return engine.Stored{}, err
	}
	st := engine.Stored{Run: r, Rev: kv.ModRevision}
	if r.ID != id || v.N != uint64(r.Records) || v.Epoch > s.Epoch() && !s.LaterEpoch(v.Epoch) {
		return engine.Stored{}, s.Tampered("run "+id, sign.ErrForged)
	}
	switch err := s.Notes().Allow(id, trail.Counter(v.Epoch, v.N), kv.ModRevision, r.RequestedAt); {
	case r.State.Ended() && errors.Is(err, notes.ErrAged):
	case !r.State.Ended() && v.Epoch < s.Epoch():
		st.Before = "from before the restore: the store was reset to an earlier time, or adopted"
	case errors.Is(err, notes.ErrAged):
		st.Before = "too old to be continued: " + err.Error()
	case err != nil:
		return engine.Stored{}, s.Tampered("run "+id, err)
	}
	return st, s.Notes().Saw(id, trail.Counter(v.Epoch, v.N), kv.ModRevision, r.State.Ended())
}

// Sending writes to the notes, which are outside the store, that step i is about to be sent. The
// note survives a crash.
func (s *Store) Sending(r engine.Run, i int) error {
	if s.Key() == nil {
		return errors.New("this store was opened without its key")
	}
	err := s.Notes().Sending(r.ID, i+1, trail.Counter(s.Epoch(), uint64(r.Records)))
	if errors.Is(err, notes.ErrSent) {
		return engine.ErrSentBefore
	}
	return err
}

// noteCommit writes to the notes the new revision of a run, and which delivery caused the change.
func (s *Store) noteCommit(c engine.Change, rev int64) error {
	if s.Key() == nil {
		return nil
	}
	err := s.Notes().Saw(c.Run.ID, trail.Counter(s.Epoch(), uint64(c.Run.Records)), rev, c.Run.State.Ended())
	if c.Claim != "" {
		err = errors.Join(err, s.Notes().Handled(c.Claim))
	}
	if err != nil { // Sending refuses steps that cannot be noted
		s.Alarm("notes", err.Error())
	}
	return nil
}

// OlderThanNoted describes a run that the notes know in a newer version than the store, or that
// only the notes have. It returns "" if there is no such run.
func (s *Store) OlderThanNoted(ctx context.Context) (string, error) {
	open, err := s.etcd.Get(ctx, "listing the open runs", s.keys.Opens(), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return "", err
	}
	kvs, err := s.runsOf(ctx, open.Kvs, s.keys.Opens(), open.Header.Revision)
	if err != nil {
		return "", err
	}
	for _, kv := range kvs {
		id := strings.TrimPrefix(string(kv.Key), s.keys.Runs())
		v, err := s.Key().Open(string(kv.Key), kv.Value)
		if err == nil && trail.Counter(v.Epoch, v.N) < s.Notes().Count(id) {
			return fmt.Sprintf("%s was seen in a newer form than this store has", id), nil
		}
	}
	for _, id := range s.Notes().Open() {
		resp, err := s.etcd.Get(ctx, "looking for a noted run", s.keys.UsedID(id), clientv3.WithCountOnly())
		if err != nil {
			return "", err
		}
		if resp.Count == 0 {
			return fmt.Sprintf("%s was open, but is not in this store", id), nil
		}
	}
	return "", nil
}

// SignAll signs all runs that no current key has signed. It gives them an epoch before every real
// epoch, so that those that are open will be closed. It drops deliveries that were not handled.
func (s *Store) SignAll(ctx context.Context) error {
	err := s.Rewrite(ctx, s.keys.Runs(), func(kv *etcdconn.KeyValue) (clientv3.Op, bool, error) {
		if _, err := s.Key().Open(string(kv.Key), kv.Value); err == nil {
			return clientv3.Op{}, false, nil
		}
		v, _ := sign.Content(kv.Value)
		r, err := engine.DecodeRun(v.Body)
		if err != nil {
			s.log.ErrorContext(ctx, "a stored run cannot be read and is left unchanged", "key", string(kv.Key), "err", err)
			return clientv3.Op{}, false, nil
		}
		body, err := engine.EncodeRun(r)
		if err != nil {
			return clientv3.Op{}, false, err
		}
		return clientv3.OpPut(
			string(kv.Key), string(s.Key().Sign(string(kv.Key), sign.Value{N: uint64(r.Records), Body: body})),
		), true, nil
	})
	if err != nil {
		return err
	}
	return s.Rewrite(ctx, s.keys.Claims(), func(kv *etcdconn.KeyValue) (clientv3.Op, bool, error) {
		if kv.Version > 1 {
			return clientv3.Op{}, false, nil
		}
		s.log.WarnContext(ctx, "a delivery that was not handled is dropped", "key", string(kv.Key))
		value, err := s.claimValue(strings.TrimPrefix(string(kv.Key), s.keys.Claims()), handled, nil)
		return clientv3.OpPut(string(kv.Key), value), err == nil, err
	})
}

// VerifyRuns verifies every stored run. It also checks that the store still has each run that is
// open according to the notes. It raises an alarm for each problem that it finds.
func (s *Store) VerifyRuns(ctx context.Context) error {
	err := s.Rewrite(ctx, s.keys.Runs(), func(kv *etcdconn.KeyValue) (clientv3.Op, bool, error) {
		_, _ = s.decodeRun(kv) // raises an alarm for an invalid run
		return clientv3.Op{}, false, nil
	})
	if err != nil {
		return err
	}
	for _, id := range s.Notes().Open() {
		if err := s.verifyListed(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// verifyListed checks that the store still has a run that the notes list as open.
func (s *Store) verifyListed(ctx context.Context, id string) error {
	resp, err := s.etcd.Send(ctx, "looking for a noted run", nil, []clientv3.Op{
		clientv3.OpGet(s.keys.Run(id)), clientv3.OpGet(s.keys.Open(id), clientv3.WithKeysOnly()),
	}, nil)
	if err != nil {
		return err
	}
	stored := etcdconn.First(resp, 0)
	if stored.ModRevision == 0 {
		s.Alarm("run "+id, fmt.Sprintf("run %s was open and is no longer in the store: its entry was deleted", id))
		return nil
	}
	st, err := s.decodeRun(stored)
	if err == nil && !st.Run.State.Ended() && etcdconn.First(resp, 1).ModRevision == 0 {
		s.Alarm("run "+id, fmt.Sprintf("run %s is open but no longer in the store's list of open runs, so it is not continued: the list was changed", id))
	}
	return nil // an invalid run has raised an alarm
}

// noteNewer remembers that this replica left a value to newer replicas.
func (s *Store) noteNewer(err error) {
	if s.trouble.newer.Set(err) {
		s.log.Warn("a value is left to replicas of a newer version", "err", err)
	}
}
