package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
)

const (
	storingRecord = "storing an audit record"
	// appendMost is the maximum number of records in one transaction. Each record needs two
	// operations, one of which is a nested transaction that settles a claim. The limit
	// etcdconn.MaxOps of etcd covers both levels together.
	appendMost = etcdconn.MaxOps / 4
)

// Loose are records that belong to no run and are about to be stored.
type Loose struct {
	Ops  []clientv3.Op
	size int // bytes of the records
}

// Loosely makes the operations that store records without a run. They also settle the claim,
// unless it is "". The numbers and links of the records are cleared, because only records of a
// run have them.
func (s *Log) Loosely(claim string, records ...audit.Record) (l Loose, err error) {
	for _, r := range records {
		b, err := audit.Canonical(audit.Link(r, 0, ""))
		if err != nil {
			return Loose{}, err
		}
		l.Ops = append(l.Ops, clientv3.OpPut(s.keys.LooseRecord(s.process, s.appends.Add(1)), string(b)))
		l.size += len(b)
	}
	if claim != "" {
		settle, err := s.runs.Settling(claim)
		if err != nil {
			return Loose{}, err
		}
		l.Ops = append(l.Ops, settle)
	}
	return l, nil
}

// Append stores a record that belongs to no run, and settles the claim in the same transaction.
// Concurrent callers share a transaction.
func (s *Log) Append(ctx context.Context, r audit.Record, claim string) error {
	l, err := s.Loosely(claim, r)
	if err != nil {
		return err
	}
	err = s.appending.Do(ctx, l)
	if err != nil && ctx.Err() != nil && !errors.Is(err, engine.ErrStoreDown) {
		return etcdconn.Down(storingRecord, err) // the store did not answer in time
	}
	return err
}

// room is how much of etcdconn.MaxBytes these records use up in a transaction.
func (l Loose) room() int { return max(l.size, etcdconn.MaxBytes/appendMost) }

// appendAll stores the records of several callers.
func (s *Log) appendAll(ctx context.Context, asked []Loose) error {
	var ops []clientv3.Op
	for _, l := range asked {
		ops = append(ops, l.Ops...)
	}
	_, err := s.etcd.Txn(ctx, storingRecord, nil, ops, nil)
	return err
}

// Trail calls f with every sealed entry in order, starting at number n: first the archived
// entries, then the entries in the store. It does not verify the entries in the store, see
// audit.Verify. For a damaged or missing archived entry it returns an error of package archive
// that names the file or the entries.
func (s *Log) Trail(ctx context.Context, n uint64, f func(audit.Sealed) error) error {
	next := max(n, 1)
	take := func(e audit.Sealed) error {
		next = e.N + 1
		return f(e)
	}
	found := false
	err := s.chunks(ctx, next, func(_ string, entries []audit.Sealed) error {
		found = true
		for _, e := range entries {
			if e.N < n {
				continue
			}
			if before := e.N - 1 - uint64(e.Record.Lost); before >= next && s.archive != nil {
				if err := s.archive.Trail(next, before, take); err != nil {
					return err
				}
			}
			if err := take(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || found || s.archive == nil {
		return err
	}
	head, _, err := s.Head(ctx)
	if err != nil || head.N < next {
		return err
	}
	return s.archive.Trail(next, head.N, take)
}

// Find calls f with the entries that a query selects, in order. It returns how many older entries
// it left out. In the archive it uses the indexes.
func (s *Log) Find(ctx context.Context, q audit.Query, f func(audit.Sealed) error) (older int, err error) {
	first, archived, err := s.split(ctx, q)
	if err != nil {
		return 0, err
	}
	old := q
	var stored []audit.Sealed
	if q.Newest != audit.All { // how many archived entries are passed on depends on the stored ones
		older, err = audit.Scan(ctx, s, first, q, func(e audit.Sealed) error { stored = append(stored, e); return nil })
		if err != nil {
			return 0, err
		}
		old.Newest -= len(stored)
	}
	if archived > 0 {
		n, err := s.archive.Find(archived, old, f)
		if err != nil {
			return 0, err
		}
		older += n
	}
	if q.Newest == audit.All {
		return audit.Scan(ctx, s, first, q, f)
	}
	for _, e := range stored {
		if err := f(e); err != nil {
			return 0, err
		}
	}
	return older, nil
}

// split divides a query between store and archive. The result first is the first entry to look
// for in the store. The result archived is the last entry to look for in the archive, or 0 for
// none. If entries are archived in between, Trail still finds them.
func (s *Log) split(ctx context.Context, q audit.Query) (first, archived uint64, err error) {
	oldest, ok, err := s.FirstStored(ctx)
	switch {
	case err != nil:
		return 0, 0, err
	case ok:
		first, archived = oldest.N, oldest.N-1-uint64(oldest.Record.Lost)
	default:
		head, _, err := s.Head(ctx)
		if err != nil {
			return 0, 0, err
		}
		first, archived = head.N+1, head.N
	}
	if s.archive == nil || ok && q.Past(oldest.Record.At) {
		archived = 0
	}
	return first, archived, nil
}

// These limit how many chunks are read at a time. The first read is small, and later reads grow
// if the chunks are small. For each read etcd counts all chunks that follow, so many small reads
// take long.
const (
	fewChunks  = 20
	manyChunks = 200
	readBytes  = 1 << 20
)

// chunks calls f with each stored chunk of the trail, starting at the chunk that has entry n. A
// chunk is never empty.
func (s *Log) chunks(ctx context.Context, n uint64, f func(key string, entries []audit.Sealed) error) error {
	from, end := s.keys.Chunk(n), clientv3.GetPrefixRangeEnd(s.keys.Chunks())
	for limit := int64(fewChunks); ; {
		resp, err := s.etcd.Get(ctx, "reading the trail", from, clientv3.WithRange(end), clientv3.WithLimit(limit))
		if err != nil {
			return err
		}
		size := 1
		for some := range slices.Chunk(resp.Kvs, fewChunks*runtime.GOMAXPROCS(0)) {
			for i, c := range decodeChunks(some) {
				if c.err == nil {
					c.err = f(string(some[i].Key), c.entries)
				}
				if c.err != nil {
					return c.err
				}
				size += len(some[i].Value)
				from = string(some[i].Key) + "\x00"
			}
		}
		if !resp.More {
			return nil
		}
		limit = min(4*limit, manyChunks, max(fewChunks, limit*readBytes/int64(size)))
	}
}

// decoded is a decoded chunk, or the reason why it cannot be read.
type decoded struct {
	entries []audit.Sealed
	err     error
}

// decodeChunks decodes chunks on all processors, fewChunks at a time.
func decodeChunks(kvs []*etcdconn.KeyValue) []decoded {
	list := make([]decoded, len(kvs))
	var all sync.WaitGroup
	for begin := 0; begin < len(kvs); begin += fewChunks {
		part := func() {
			for i := begin; i < min(begin+fewChunks, len(kvs)); i++ {
				list[i].entries, list[i].err = decodeChunk(kvs[i])
			}
		}
		if begin+fewChunks < len(kvs) {
			all.Go(part)
		} else {
			part()
		}
	}
	all.Wait()
	return list
}

func decodeChunk(kv *etcdconn.KeyValue) ([]audit.Sealed, error) {
	var list []audit.Sealed
	for line := range bytes.Lines(kv.Value) {
		e, err := audit.DecodeEntry(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return nil, fmt.Errorf("the trail is damaged in the chunk %s: %w", kv.Key, err)
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("the trail is damaged: the chunk %s is empty", kv.Key)
	}
	return list, nil
}

// Head returns the newest sealed entry. The result ok is false if the trail is empty.
func (s *Log) Head(ctx context.Context) (e audit.Sealed, ok bool, err error) {
	resp, err := s.etcd.Get(ctx, "reading the trail's head", s.keys.Head())
	if err != nil || len(resp.Kvs) == 0 {
		return audit.Sealed{}, false, err
	}
	e, err = DecodeHead(resp.Kvs[0])
	return e, err == nil, err
}

// DecodeHead parses the newest sealed entry.
func DecodeHead(kv *etcdconn.KeyValue) (audit.Sealed, error) {
	e, err := audit.DecodeEntry(kv.Value)
	if err != nil {
		return e, fmt.Errorf("the head of the trail is damaged: %w", err)
	}
	return e, nil
}
