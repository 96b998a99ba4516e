package etcdstore

import (
	"context"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"dhbot/internal/store/etcdconn"
)

// Moved is how much one call of Archive took out of the store.
type Moved struct {
	Entries uint64 // of the trail
	Runs    int
}

// Archive moves into the archive what the store need not hold any longer: the
// oldest entries of the trail beyond the newest KeepTrail, in segments, and
// runs that ended long ago. Entries that were not posted stay. Without an
// archive, and in an external cluster while another replica leads, it does
// nothing. Run does it by itself.
func (s *Store) Archive(ctx context.Context) (Moved, error) {
	var m Moved
	cmp, mine := s.MayTrim()
	if s.archive == nil || !mine {
		return m, nil
	}
	s.archiving.Lock()
	defer s.archiving.Unlock()
	pressed, err := s.Pressed(ctx)
	if err != nil {
		return m, err
	}
	posted, err := s.TrailPosted(ctx)
	if err != nil {
		return m, err
	}
	if err := s.archive.Sweep(); err != nil {
		return m, fmt.Errorf("the archive cannot be tidied: %w", err)
	}
	if m.Entries, err = s.ArchiveTrail(ctx, cmp, posted, pressed); err != nil {
		return m, err
	}
	m.Runs, err = s.archiveRuns(ctx, cmp)
	return m, err
}

// keepArchive archives until ctx ends.
func (s *Store) keepArchive(ctx context.Context) error {
	tick := time.NewTicker(s.conf.ArchiveEach)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := s.Archive(ctx)
		if err == nil {
			err = s.Relieve(ctx)
		}
		if err != nil && ctx.Err() != nil {
			return nil
		}
		if s.trouble.archive.Set(err) {
			s.log.ErrorContext(ctx, "the store is not being relieved", "err", err)
		}
	}
}

// freeSpace lets an embedded store that was left full start: without room it
// could not even take a lease.
func (s *Store) freeSpace(ctx context.Context) error {
	if !s.etcd.Embedded() {
		return nil
	}
	st, err := s.etcd.Status(ctx)
	if err != nil || !etcdconn.Alarmed(st, pb.AlarmType_NOSPACE) {
		return err
	}
	if _, err := s.Archive(ctx); err != nil {
		s.log.ErrorContext(ctx, "the full store could not be archived", "err", err)
	}
	return s.Relieve(ctx)
}
