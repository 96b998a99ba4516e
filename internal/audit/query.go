package audit

import (
	"context"
	"errors"
	"iter"
	"math"
	"strings"
	"time"
)

// Brief has the fields of a record that a query can use. An index of old records has exactly these
// fields, so no query can depend on a field that the index lacks.
type Brief struct {
	Kind                                  Kind
	Run, Person, Account, Cluster, Target string
}

// Brief returns the fields of a record that a query can use.
func (r Record) Brief() Brief {
	return Brief{r.Kind, r.Run, r.Person, r.Account, r.Cluster, r.Target}
}

// Query selects the entries whose record is not older than Since, and is accepted by Wants. If
// there are more than Newest of them, it selects only the newest.
type Query struct {
	Since  time.Time
	Wants  func(Brief) bool // nil for all
	Newest int              // the largest number of entries to pass on; older ones are counted
}

// All is a Query.Newest without a limit.
const All = math.MaxInt

// Selects reports whether a query selects a record.
func (q Query) Selects(r Record) bool {
	return !r.At.Before(q.Since) && (q.Wants == nil || q.Wants(r.Brief()))
}

// Filter has the options of `bot audit show` that select entries. An empty field selects all
// entries.
type Filter struct {
	Since  time.Time
	Person string
	Run    string // in any case
	Target string // a part of the target
}

// Query returns the query of a filter, without a limit on the number of entries.
func (f Filter) Query() Query {
	return Query{Since: f.Since, Newest: All, Wants: func(b Brief) bool {
		return (f.Person == "" || b.Person == f.Person) && (f.Run == "" || strings.EqualFold(b.Run, f.Run)) &&
			strings.Contains(b.Target, f.Target)
	}}
}

// Matches iterates over the entries that a query selects. It ends at the first error.
func Matches(ctx context.Context, l Log, q Query) iter.Seq2[Sealed, error] {
	return each(func(f func(Sealed) error) error {
		_, err := l.Find(ctx, q, f)
		return err
	})
}

// slack is the longest time by which a record may be older than an earlier record of the trail. The
// order comes from the store, but the times come from the replicas' clocks, which differ.
const slack = time.Minute

// Past reports whether a record at this time is so old that the query selects no entry before it.
func (q Query) Past(at time.Time) bool {
	return !q.Since.IsZero() && at.Before(q.Since.Add(-slack))
}

// Reader is the part of a Log that Scan needs.
type Reader interface {
	Trail(ctx context.Context, n uint64, f func(Sealed) error) error
	Head(ctx context.Context) (s Sealed, ok bool, err error)
}

// Scan answers a query like Log.Find, but ignores the entries before number floor. It reads every
// entry since q.Since, and only a few older entries.
func Scan(ctx context.Context, l Reader, floor uint64, q Query, f func(Sealed) error) (older int, err error) {
	head, ok, err := l.Head(ctx)
	if err != nil || !ok {
		return 0, err
	}
	first, err := startOf(ctx, l, floor, head.N, q)
	if err != nil {
		return 0, err
	}
	var kept []Sealed // a ring of the newest; unused without a limit
	err = l.Trail(ctx, first, func(s Sealed) error {
		switch {
		case !q.Selects(s.Record):
			return nil
		case q.Newest == All:
			return f(s)
		case len(kept) < q.Newest:
			kept = append(kept, s)
			return nil
		case q.Newest > 0:
			kept[older%q.Newest] = s
		}
		older++
		return nil
	})
	if err != nil {
		return 0, err
	}
	for i := range kept {
		if err := f(kept[(older+i)%len(kept)]); err != nil {
			return 0, err
		}
	}
	return older, nil
}

// startOf returns the number of an entry, at least floor, where the query can start: it selects no
// entry between floor and this number. The search goes backwards in growing steps, so that it finds
// a recent time quickly.
func startOf(ctx context.Context, l Reader, floor, head uint64, q Query) (uint64, error) {
	for back := uint64(100); floor+back < head; back *= 4 {
		n := head - back
		s, err := entry(ctx, l, n)
		if err != nil {
			return 0, err
		}
		if q.Past(s.Record.At) {
			return n, nil
		}
	}
	return floor, nil
}

// errRead stops Trail after the entry that was wanted. Callers never see it.
var errRead = errors.New("read what was wanted")

// entry reads one entry.
func entry(ctx context.Context, l Reader, n uint64) (out Sealed, err error) {
	err = l.Trail(ctx, n, func(s Sealed) error {
		out = s
		return errRead
	})
	if errors.Is(err, errRead) {
		return out, nil
	}
	return out, err
}
