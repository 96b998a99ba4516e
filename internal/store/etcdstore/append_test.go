package etcdstore_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/store/etcdstore"
)

// Concurrent appends share a transaction, whether their records are short or long. Each record is
// sealed once, and each claim is settled.
func TestAppendsShareTransactions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, length int }{{200, 10}, {20, 100 << 10}} {
		t.Run(fmt.Sprint(c.n, " of ", c.length, " bytes"), func(t *testing.T) {
			t.Parallel()
			s := open(t, etcdstore.Config{Dir: t.TempDir(), AppendEach: time.Second})
			for i := range c.n {
				if first, err := s.Claim(t.Context(), fmt.Sprint("slash/", i), nil); !first || err != nil {
					t.Fatal(first, err)
				}
			}
			before := s.Txns()
			var wg sync.WaitGroup
			for i := range c.n {
				wg.Go(func() {
					r := audit.Record{At: time.Now(), Kind: audit.ReadDone, Person: fmt.Sprint(i), Output: fmt.Sprintf("%0*d", c.length, i)}
					if err := s.Append(t.Context(), r, fmt.Sprint("slash/", i)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if txns := s.Txns() - before; txns > int64(c.n/2) {
				t.Errorf("%d transactions, want at most %d", txns, c.n/2)
			}
			if rep := verify(t, s); rep.Entries != uint64(c.n) {
				t.Errorf("%d entries were sealed, want %d", rep.Entries, c.n)
			}
			seen := map[string]bool{}
			if err := s.Trail(t.Context(), 1, func(e audit.Sealed) error { seen[e.Record.Person] = true; return nil }); err != nil {
				t.Fatal(err)
			}
			if len(seen) != c.n {
				t.Errorf("%d different records were sealed, want %d", len(seen), c.n)
			}
			err := s.Unsettled(t.Context(), func(key string, _ []byte, _ string, _ time.Time) error {
				t.Errorf("%s is not settled", key)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// The store compacts etcd's history after a number of records, not of transactions. Here several
// records share a transaction, so transactions alone would not reach that number.
func TestHistoryIsCompactedByRecords(t *testing.T) {
	t.Parallel()
	const n, length, keep = 3000, 1 << 10, 500
	s := open(t, etcdstore.Config{Dir: t.TempDir(), AppendEach: 20 * time.Millisecond, SealEach: 50 * time.Millisecond, KeepHistory: keep})
	run(t, s)
	appended(t, s, n, audit.Record{Kind: audit.ReadDone, Output: strings.Repeat("x", length)})
	// The trail keeps all records. The history of etcd has at most twice KeepHistory records, plus
	// the records that were written before the store noticed the limit.
	within(t, "the history is compacted", func() bool {
		h, err := s.Health(t.Context())
		return err == nil && h.Sealed == n && h.InUse < (n+4*keep)*length*13/10
	})
}
