package trail

import (
	"context"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/store/etcdconn"
)

// compactionMark is a position in the history of the store.
type compactionMark struct {
	rev    int64  // its revision
	sealed uint64 // the newest entry of the trail
}

// compact drops the history of an embedded store up to the previous mark, as soon as enough has
// been written since that mark. An external cluster compacts itself.
//
// Each sealed record counts as one revision, although one transaction appends many records. Until
// the deleted records are compacted, they slow down every read of pending records.
func (s *Log) compact(ctx context.Context) error {
	s.sealer.mu.Lock()
	now := s.sealer.compactionMark
	s.sealer.mu.Unlock()
	since := max(now.rev-s.marked.rev, int64(now.sealed-s.marked.sealed))
	if !s.etcd.Embedded() || since < s.conf.KeepHistory {
		return nil
	}
	old := s.marked.rev
	if old == 0 { // the first call in this process
		old = now.rev - s.conf.KeepHistory
	}
	if old > 0 {
		if err := s.etcd.Compact(ctx, old); err != nil {
			return err
		}
	}
	s.marked = now
	return nil
}

// Relieve clears the alarm of an embedded store that was full and has free space again, because
// etcd does not clear the alarm itself. In an external cluster the operators must clear it.
func (s *Log) Relieve(ctx context.Context) error {
	if !s.etcd.Embedded() {
		return nil
	}
	st, err := s.etcd.Status(ctx)
	if err != nil || !etcdconn.Alarmed(st, pb.AlarmType_NOSPACE) {
		return err
	}
	if err := s.etcd.Compact(ctx, st.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	if err := s.etcd.Defragment(); err != nil {
		return err
	}
	if st, err = s.etcd.Status(ctx); err != nil {
		return err
	}
	if limit := s.conf.Quota / 10 * 9; st.DbSize > limit {
		return fmt.Errorf("the state store is full: it uses %d of %d bytes even after freeing space; %s", st.DbSize, s.conf.Quota, s.CompactionAdvice())
	}
	if err := s.etcd.Disarm(ctx); err != nil {
		return err
	}
	s.log.WarnContext(ctx, "the state store was full and has free space again", "bytes", st.DbSize, "quota", s.conf.Quota)
	return nil
}

func (s *Log) CompactionAdvice() string {
	if s.archive == nil {
		return "name an archive for the old part of the trail (state.archive)"
	}
	return "check that the archive " + s.archive.Dir() + " can be written, and that the trail is posted to the audit channel"
}
