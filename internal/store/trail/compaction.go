package trail

import (
	"context"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/store/etcdconn"
)

// compactionMark is a point in the life of the store.
type compactionMark struct {
	rev    int64  // its revision
	sealed uint64 // the newest entry of the trail
}

// compact forgets the past of an embedded store when enough has happened since
// it was last called for that: what was before then. An external cluster
// compacts itself.
//
// Sealed records count like revisions: one transaction appends many, and what
// it left, deleted records, is in the way of every look for pending ones until
// it is forgotten.
func (s *Log) compact(ctx context.Context) error {
	s.sealer.mu.Lock()
	now := s.sealer.compactionMark
	s.sealer.mu.Unlock()
	since := max(now.rev-s.marked.rev, int64(now.sealed-s.marked.sealed))
	if !s.etcd.Embedded() || since < s.conf.KeepHistory {
		return nil
	}
	old := s.marked.rev
	if old == 0 { // in this process's first time
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

// Relieve brings an embedded store that was full back to work, where there is
// room again: etcd does not do so by itself. In an external cluster that is
// for its operators to do, who see the same alarm.
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
		return fmt.Errorf("the state store is full: it needs %d of %d bytes even after making room; %s", st.DbSize, s.conf.Quota, s.CompactionAdvice())
	}
	if err := s.etcd.Disarm(ctx); err != nil {
		return err
	}
	s.log.WarnContext(ctx, "the state store was full and has room again", "bytes", st.DbSize, "quota", s.conf.Quota)
	return nil
}

func (s *Log) CompactionAdvice() string {
	if s.archive == nil {
		return "name an archive for the old part of the trail (state.archive)"
	}
	return "see whether the archive " + s.archive.Dir() + " can be written, and whether the trail is posted to the audit channel"
}
