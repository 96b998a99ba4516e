package etcdstore

import (
	"context"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"dhbot/internal/store/etcdconn"
)

// Moved counts what one call of Archive moved out of the store.
type Moved struct {
	Entries uint64 // of the trail
	Runs    int
}

// Archive moves data from the store to the archive: trail entries older than the newest KeepTrail,
// in segments, and ended runs that are older than KeepRunsFor or not among the newest KeepRuns. If
// the store is filling up, it moves the newest entries too. Entries that are not posted stay in the
// store. Archive does nothing if no archive is configured, or if this replica of an external
// cluster does not lead. Run calls it regularly.
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
		return m, fmt.Errorf("the archive cannot be cleaned up: %w", err)
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
			s.log.ErrorContext(ctx, "no space is being freed in the store", "err", err)
		}
	}
}

// keepIndexed updates the indexes of the archive until ctx ends.
func (s *Store) keepIndexed(ctx context.Context) error {
	if s.archive == nil {
		return nil
	}
	return s.archive.KeepIndexed(ctx, s.conf.ArchiveEach)
}

// freeSpace archives data when a full embedded store starts. Without free space, this replica could
// not take a lease.
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
