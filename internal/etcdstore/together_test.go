package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
)

// slowStore takes a second for each transaction, and remembers their keys.
type slowStore struct {
	mu   sync.Mutex
	txns [][]string
	fail error
}

func (s *slowStore) store(_ context.Context, ops []clientv3.Op) error {
	time.Sleep(time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for _, op := range ops {
		keys = append(keys, string(op.KeyBytes()))
	}
	s.txns = append(s.txns, keys)
	return s.fail
}

func recordNamed(key string, size int) *companion {
	return &companion{op: clientv3.OpPut(key, "x"), size: size, turn: make(chan turn, 1)}
}

// come sends records one after the other, without waiting for what becomes of
// them, and returns where that is told.
func come(ctx context.Context, g *together, s *slowStore, size int, keys ...string) []chan error {
	var ends []chan error
	for _, k := range keys {
		end := make(chan error, 1)
		ends = append(ends, end)
		go func() { end <- g.put(ctx, recordNamed(k, size), s.store) }()
		synctest.Wait()
	}
	return ends
}

func TestWhoComesMeanwhileGoesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g together
		s := &slowStore{}
		for _, end := range come(t.Context(), &g, s, 10, "a", "b", "c", "d") {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
		if err := <-come(t.Context(), &g, s, 10, "e")[0]; err != nil {
			t.Error(err)
		}
		if want := [][]string{{"a"}, {"b", "c", "d"}, {"e"}}; fmt.Sprint(s.txns) != fmt.Sprint(want) {
			t.Errorf("stored %v, want %v", s.txns, want)
		}
	})
}

func TestOneEndIsEverybodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g together
		s := &slowStore{fail: engine.ErrStoreDown}
		for i, end := range come(t.Context(), &g, s, 10, "a", "b", "c") {
			if err := <-end; !errors.Is(err, engine.ErrStoreDown) {
				t.Errorf("record %d: %v", i, err)
			}
		}
	})
}

// Who gives up while waiting is not stored and holds nobody up, be it the one
// who would have led; who gives up later is told that nothing is known.
func TestWhoGivesUpHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g together
		s := &slowStore{}
		first := come(t.Context(), &g, s, 10, "a")
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		gone := come(short, &g, s, 10, "b")
		long, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		rest := come(t.Context(), &g, s, 10, "c")
		midway := come(long, &g, s, 10, "d")
		for _, end := range append(gone, midway...) {
			if err := <-end; !errors.Is(err, engine.ErrStoreDown) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("who gave up: %v", err)
			}
		}
		for _, end := range append(first, rest...) {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
		if want := [][]string{{"a"}, {"c", "d"}}; fmt.Sprint(s.txns) != fmt.Sprint(want) {
			t.Errorf("stored %v, want %v", s.txns, want)
		}
		if err := <-come(t.Context(), &g, s, 10, "e")[0]; err != nil {
			t.Error(err)
		}
	})
}

func TestWhatDoesNotFitGoesNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g together
		s := &slowStore{}
		var keys []string
		for i := range maxOps + 10 {
			keys = append(keys, fmt.Sprintf("%03d", i))
		}
		ends := come(t.Context(), &g, s, 10, keys...)
		ends = append(ends, come(t.Context(), &g, s, maxBytes, "big", "bigger")...)
		for _, end := range ends {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
		var sizes []int
		for _, txn := range s.txns {
			sizes = append(sizes, len(txn))
		}
		if want := []int{1, maxOps, 9, 1, 1}; !slices.Equal(sizes, want) {
			t.Errorf("transactions of %v records, want %v", sizes, want)
		}
	})
}
