package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
)

// Moving into the archive is safe against an end at any point: a segment is
// whole, durable and verified before the first key of it is deleted, deleting
// goes from the oldest chunk on, and where it was cut short the next time
// finds the segment that holds what is left, checks the two against each
// other, and deletes the rest. Nothing but deletions touches etcd, which it
// accepts even when it is full.

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
	cmp, mine := s.mayTrim()
	if s.archive == nil || !mine {
		return m, nil
	}
	s.archiving.Lock()
	defer s.archiving.Unlock()
	pressed, err := s.pressed(ctx)
	if err != nil {
		return m, err
	}
	if err := s.archive.Sweep(); err != nil {
		return m, fmt.Errorf("the archive cannot be tidied: %w", err)
	}
	if m.Entries, err = s.archiveTrail(ctx, cmp, pressed); err != nil {
		return m, err
	}
	m.Runs, err = s.archiveRuns(ctx, cmp)
	return m, err
}

// mayTrim is what a transaction that deletes archived keys requires, and
// whether this replica may send one. The lock of its directory makes an
// embedded store ours alone.
func (s *Store) mayTrim() ([]clientv3.Cmp, bool) {
	if s.server != nil {
		return nil, true
	}
	s.sealer.mu.Lock()
	defer s.sealer.mu.Unlock()
	term := s.sealer.term
	return []clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(s.keys.leader()), "=", term)}, term != 0
}

// pressed says that the store fills up: then nothing is kept beyond need.
func (s *Store) pressed(ctx context.Context) (bool, error) {
	st, err := s.status(ctx)
	if err != nil {
		return false, err
	}
	return st.DbSizeQuota > 0 && st.DbSizeInUse > st.DbSizeQuota/4, nil
}

// archiveTrail moves segment by segment and returns how many entries it moved.
func (s *Store) archiveTrail(ctx context.Context, cmp []clientv3.Cmp, pressed bool) (moved uint64, err error) {
	limit, err := s.movable(ctx, pressed)
	if err != nil {
		return 0, err
	}
	for {
		first, ok, err := s.firstStored(ctx)
		if err != nil || !ok || first.N > limit {
			return moved, err
		}
		seg, err := s.segmentFrom(ctx, first, limit, pressed)
		if err != nil || seg.Last == 0 || seg.Last > limit {
			return moved, err
		}
		if err := s.trim(ctx, cmp, seg, first.N); err != nil {
			return moved, err
		}
		moved += seg.Last - first.N + 1
	}
}

// movable is the last entry that may leave the store.
func (s *Store) movable(ctx context.Context, pressed bool) (uint64, error) {
	head, ok, err := s.Head(ctx)
	if err != nil || !ok {
		return 0, err
	}
	posted, err := s.TrailPosted(ctx)
	if err != nil {
		return 0, err
	}
	keep := s.conf.KeepTrail
	if pressed {
		keep = 0
	}
	return min(head.N-min(keep, head.N), posted), nil
}

// firstStored is the oldest entry of the trail that is in the store.
func (s *Store) firstStored(ctx context.Context) (first audit.Sealed, ok bool, err error) {
	resp, err := s.get(ctx, "reading where the stored trail begins", s.keys.chunks(), clientv3.WithPrefix(), clientv3.WithLimit(1))
	if err != nil || len(resp.Kvs) == 0 {
		return audit.Sealed{}, false, err
	}
	entries, err := decodeChunk(resp.Kvs[0])
	if err != nil {
		return audit.Sealed{}, false, err
	}
	return entries[0], true, nil
}

// segmentFrom is the archived segment that holds the oldest stored entry: one
// that an earlier call wrote and did not finish with, or a new one. Its Last
// is 0 where there are too few entries for one.
func (s *Store) segmentFrom(ctx context.Context, first audit.Sealed, limit uint64, pressed bool) (archive.Segment, error) {
	list, err := s.archive.Segments()
	if err != nil {
		return archive.Segment{}, err
	}
	for _, seg := range list {
		if seg.First <= first.N && first.N <= seg.Last {
			return seg, nil
		}
	}
	if !pressed && limit-first.N+1 < s.conf.Segment {
		return archive.Segment{}, nil
	}
	after := audit.Head{N: first.N - 1, Hash: first.Prev}
	last, err := s.archive.Last()
	if err != nil {
		return archive.Segment{}, err
	}
	if last != after {
		return archive.Segment{}, &ForkedError{Dir: s.archive.Dir(), Archived: last.N, Store: first.N}
	}
	if fits, err := s.chunkFits(ctx, first.N, limit); err != nil || !fits {
		return archive.Segment{}, err
	}
	return s.archive.PutSegment(after, s.wholeChunks(ctx, first.N, limit))
}

// ForkedError says that archive and store do not belong together.
type ForkedError struct {
	Dir             string
	Archived, Store uint64 // the archive's last entry, and the store's first or, where that is less, last
}

func (e *ForkedError) Error() string {
	return fmt.Sprintf("the archive %s and the state store do not belong together: the archive ends with audit entry %d, the store has %d; "+
		"after putting back an older backup move the newer segments out of the archive and keep them; otherwise name the right archive (state.archive)",
		e.Dir, e.Archived, e.Store)
}

// checkFork refuses an archive that goes on where the store ends, which is so
// after an older backup of the store was put back beside a newer archive. An
// archive that cannot be read now is not an error: Archive reports it.
func (s *Store) checkFork(ctx context.Context) error {
	if s.archive == nil {
		return nil
	}
	list, err := s.archive.Segments()
	if err != nil {
		s.log.Error("the archive cannot be read; the trail is not moved there until it can be", "err", err)
		return nil
	}
	if len(list) == 0 {
		return nil
	}
	head, _, err := s.Head(ctx)
	if err != nil {
		return err
	}
	if last := list[len(list)-1].Last; last > head.N {
		return &ForkedError{Dir: s.archive.Dir(), Archived: last, Store: head.N}
	}
	return nil
}

// chunkFits says whether the first chunk may be moved as a whole.
func (s *Store) chunkFits(ctx context.Context, first, limit uint64) (fits bool, err error) {
	for _, err := range s.wholeChunks(ctx, first, limit) {
		return err == nil, err
	}
	return false, nil
}

// wholeChunks are the entries of the stored chunks from first on, up to a
// segment's worth of them, and none that reaches beyond limit.
func (s *Store) wholeChunks(ctx context.Context, first, limit uint64) iter.Seq2[audit.Sealed, error] {
	return func(yield func(audit.Sealed, error) bool) {
		enough := errors.New("enough")
		err := s.chunks(ctx, first, func(_ string, entries []audit.Sealed) error {
			last := entries[len(entries)-1].N
			if last > limit || (entries[0].N > first && last >= first+s.conf.Segment) {
				return enough
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return enough
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(audit.Sealed{}, err)
		}
	}
}

// trim deletes the stored chunks of an archived segment, from entry first on,
// after checking each of their entries against the archive.
func (s *Store) trim(ctx context.Context, cmp []clientv3.Cmp, seg archive.Segment, first uint64) error {
	archived := make(map[uint64]string, seg.Last-seg.First+1)
	if _, err := seg.Read(func(e audit.Sealed) error { archived[e.N] = e.Hash; return nil }); err != nil {
		return err
	}
	enough := errors.New("enough")
	var old []clientv3.Op
	next := first
	err := s.chunks(ctx, first, func(key string, entries []audit.Sealed) error {
		for _, e := range entries {
			if e.N > seg.Last {
				return enough
			}
			if e.N != next || archived[e.N] != e.Hash {
				return fmt.Errorf("audit entry %d in the store (under %s) is not the one in the archived segment %s; nothing of it was deleted: run `bot audit verify`", e.N, key, seg.Path)
			}
			next++
		}
		old = append(old, clientv3.OpDelete(key))
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return err
	}
	if next != seg.Last+1 {
		return fmt.Errorf("the archived segment %s ends within a piece of the stored trail; nothing was deleted: run `bot audit verify`", seg.Path)
	}
	for batch := range slices.Chunk(old, maxOps) {
		if err := s.delete(ctx, "deleting what was archived of the trail", cmp, batch); err != nil {
			return err
		}
	}
	return nil
}

// delete sends deletions; they are not made when another replica leads now.
func (s *Store) delete(ctx context.Context, what string, cmp []clientv3.Cmp, ops []clientv3.Op) error {
	s.background.Add(1)
	resp, err := s.send(ctx, what, cmp, ops, nil)
	if err == nil && !resp.Succeeded {
		err = errors.New("another replica leads now, and archives in place of this one")
	}
	return err
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
			err = s.relieve(ctx)
		}
		if err != nil && ctx.Err() != nil {
			return nil
		}
		if s.trouble.archive.set(err) {
			s.log.Error("the store is not being relieved", "err", err)
		}
	}
}
