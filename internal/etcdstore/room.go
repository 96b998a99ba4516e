package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// alarmed says whether a member has raised an alarm. etcd tells of alarms in
// the texts of its status, in which their protocol names stand.
func alarmed(st *clientv3.StatusResponse, a pb.AlarmType) bool {
	return slices.ContainsFunc(st.Errors, func(text string) bool { return strings.Contains(text, a.String()) })
}

// mark is a point in the life of the store.
type mark struct {
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
func (s *Store) compact(ctx context.Context) error {
	s.sealer.mu.Lock()
	now := s.sealer.mark
	s.sealer.mu.Unlock()
	since := max(now.rev-s.marked.rev, int64(now.sealed-s.marked.sealed))
	if s.server == nil || since < s.conf.KeepHistory {
		return nil
	}
	old := s.marked.rev
	if old == 0 { // in this process's first time
		old = now.rev - s.conf.KeepHistory
	}
	if old > 0 {
		if err := s.forget(ctx, old); err != nil {
			return err
		}
	}
	s.marked = now
	return nil
}

// forget drops revisions before rev.
func (s *Store) forget(ctx context.Context, rev int64, opts ...clientv3.CompactOption) error {
	_, err := ask(ctx, s, func(ctx context.Context) (*clientv3.CompactResponse, error) {
		return s.client.Compact(ctx, rev, opts...)
	})
	if err != nil && !errors.Is(err, rpctypes.ErrCompacted) { // by etcd itself meanwhile
		return down("forgetting old revisions", err)
	}
	return nil
}

// relieve brings an embedded store that was full back to work, where there is
// room again: etcd does not do so by itself. In an external cluster that is
// for its operators to do, who see the same alarm.
func (s *Store) relieve(ctx context.Context) error {
	if s.server == nil {
		return nil
	}
	st, err := s.status(ctx)
	if err != nil || !alarmed(st, pb.AlarmType_NOSPACE) {
		return err
	}
	if err := s.forget(ctx, st.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	if err := s.server.Server.Defragment(); err != nil { // calls wait meanwhile, or time out
		return down("rewriting the database", err)
	}
	if st, err = s.status(ctx); err != nil {
		return err
	}
	if limit := s.conf.Quota / 10 * 9; st.DbSize > limit {
		return fmt.Errorf("the state store is full: it needs %d of %d bytes even after making room; %s", st.DbSize, s.conf.Quota, s.roomAdvice())
	}
	_, err = ask(ctx, s, func(ctx context.Context) (*clientv3.AlarmResponse, error) {
		return s.client.AlarmDisarm(ctx, &clientv3.AlarmMember{})
	})
	if err != nil {
		return down("taking changes again", err)
	}
	s.log.Warn("the state store was full and has room again", "bytes", st.DbSize, "quota", s.conf.Quota)
	return nil
}

func (s *Store) roomAdvice() string {
	if s.archive == nil {
		return "name an archive for the old part of the trail (state.archive)"
	}
	return "see whether the archive " + s.archive.Dir() + " can be written, and whether the trail is posted to the audit channel"
}

// makeRoom lets an embedded store that was left full start: without room it
// could not even take a lease.
func (s *Store) makeRoom(ctx context.Context) error {
	if s.server == nil {
		return nil
	}
	st, err := s.status(ctx)
	if err != nil || !alarmed(st, pb.AlarmType_NOSPACE) {
		return err
	}
	if _, err := s.Archive(ctx); err != nil {
		s.log.Error("the full store could not be archived", "err", err)
	}
	return s.relieve(ctx)
}
