package trail

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/archive"
	"dhbot/internal/audit"
	"dhbot/internal/store/etcdconn"
)

// Archiving is safe against a crash at any point. A segment is complete, durable and verified
// before the first of its keys is deleted. Deletion begins with the oldest chunk. After an
// interruption the next call finds the segment and the entries that are still stored, compares
// them, and deletes the rest. Archiving only sends deletions to etcd, and even a full etcd accepts
// deletions.

// MayTrim returns the conditions of a transaction that deletes archived keys. The second result
// reports whether this replica may send such a transaction. It is always true for an embedded
// store, because only one process can open its directory.
func (s *Log) MayTrim() ([]clientv3.Cmp, bool) {
	if s.etcd.Embedded() {
		return nil, true
	}
	s.sealer.mu.Lock()
	defer s.sealer.mu.Unlock()
	term := s.sealer.term
	return []clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(s.keys.LeadsTrail()), "=", term)}, term != 0
}

// Pressed reports whether the store is filling up. If so, the store keeps nothing longer than
// needed.
func (s *Log) Pressed(ctx context.Context) (bool, error) {
	st, err := s.etcd.Status(ctx)
	if err != nil {
		return false, err
	}
	return st.DbSizeQuota > 0 && st.DbSizeInUse > st.DbSizeQuota/4, nil
}

// ArchiveTrail moves entries to the archive, segment by segment. It moves no entry after the entry
// posted, which was posted last. It also keeps the newest KeepTrail entries in the store, unless
// pressed is set. ArchiveTrail returns the number of moved entries.
func (s *Log) ArchiveTrail(ctx context.Context, cmp []clientv3.Cmp, posted uint64, pressed bool) (moved uint64, err error) {
	limit, err := s.movable(ctx, posted, pressed)
	if err != nil {
		return 0, err
	}
	for {
		first, ok, err := s.FirstStored(ctx)
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

// movable returns the number of the last entry that may leave the store.
func (s *Log) movable(ctx context.Context, posted uint64, pressed bool) (uint64, error) {
	head, ok, err := s.Head(ctx)
	if err != nil || !ok {
		return 0, err
	}
	keep := s.conf.KeepTrail
	if pressed {
		keep = 0
	}
	return min(head.N-min(keep, head.N), posted), nil
}

// FirstStored returns the oldest entry of the trail in the store. The result ok is false if the
// store has none.
func (s *Log) FirstStored(ctx context.Context) (first audit.Sealed, ok bool, err error) {
	resp, err := s.etcd.Get(ctx, "reading where the stored trail begins", s.keys.Chunks(), clientv3.WithPrefix(), clientv3.WithLimit(1))
	if err != nil || len(resp.Kvs) == 0 {
		return audit.Sealed{}, false, err
	}
	entries, err := decodeChunk(resp.Kvs[0])
	if err != nil {
		return audit.Sealed{}, false, err
	}
	return entries[0], true, nil
}

// segmentFrom returns the archived segment that has the oldest entry in the store. An earlier
// call may have written the segment without deleting all its entries from the store. Otherwise
// segmentFrom writes a new segment. Its Last is 0 if there are too few entries for a new segment.
func (s *Log) segmentFrom(ctx context.Context, first audit.Sealed, limit uint64, pressed bool) (archive.Segment, error) {
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
	after := audit.Head{N: first.N - 1 - uint64(first.Record.Lost), Hash: first.Prev}
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

// ForkedError means that the archive and the store do not belong together.
type ForkedError struct {
	Dir      string
	Archived uint64 // the archive's last entry
	Store    uint64 // the store's first entry, or its last one if the archive continues beyond that
}

func (e *ForkedError) Error() string {
	return fmt.Sprintf("the archive %s and the state store do not belong together: the archive ends with audit entry %d, the store has %d; "+
		"after restoring an older backup, move the newer segments out of the archive and keep them; otherwise set the right archive (state.archive)",
		e.Dir, e.Archived, e.Store)
}

// CheckFork returns an error if the archive is newer than the end of the store. This happens if
// an older backup of the store was restored without its archive. An unreadable archive is only
// logged, and is not an error here.
func (s *Log) CheckFork(ctx context.Context) error {
	if s.archive == nil {
		return nil
	}
	list, err := s.archive.Segments()
	if err != nil {
		s.log.ErrorContext(ctx, "the archive cannot be read; the trail is not archived until it can be", "err", err)
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

// chunkFits reports whether the first chunk can be moved completely.
func (s *Log) chunkFits(ctx context.Context, first, limit uint64) (fits bool, err error) {
	for _, err := range s.wholeChunks(ctx, first, limit) {
		return err == nil, err
	}
	return false, nil
}

// wholeChunks returns the entries of the stored chunks, starting at entry first. It stops before
// a chunk that would exceed limit, or that would make more than one segment.
func (s *Log) wholeChunks(ctx context.Context, first, limit uint64) iter.Seq2[audit.Sealed, error] {
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

// trim deletes the stored chunks of an archived segment, starting at entry first. Before that it
// compares each entry with the archive.
func (s *Log) trim(ctx context.Context, cmp []clientv3.Cmp, seg archive.Segment, first uint64) error {
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
			if e.N != next && e.N != next+uint64(e.Record.Lost) || archived[e.N] != e.Hash {
				return fmt.Errorf("audit entry %d in the store (under %s) differs from the entry in the archived segment %s; nothing of that segment was deleted from the store: run `bot audit verify`", e.N, key, seg.Path)
			}
			next = e.N + 1
		}
		old = append(old, clientv3.OpDelete(key))
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return err
	}
	if next != seg.Last+1 {
		return fmt.Errorf("the archived segment %s ends in the middle of a stored chunk of the trail; nothing was deleted from the store: run `bot audit verify`", seg.Path)
	}
	for batch := range slices.Chunk(old, etcdconn.MaxOps) {
		if err := s.Delete(ctx, "deleting archived entries of the trail", cmp, batch); err != nil {
			return err
		}
	}
	return nil
}

// Delete sends deletions to the store. If a comparison in cmp fails, Delete deletes nothing and
// returns an error. cmp must include the conditions that MayTrim returns.
func (s *Log) Delete(ctx context.Context, what string, cmp []clientv3.Cmp, ops []clientv3.Op) error {
	s.etcd.Background.Add(1)
	resp, err := s.etcd.Send(ctx, what, cmp, ops, nil)
	if err == nil && !resp.Succeeded {
		err = errors.New("another replica leads now, and archives in place of this one")
	}
	return err
}
