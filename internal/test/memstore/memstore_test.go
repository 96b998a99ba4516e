package memstore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/test/memstore"
	"dhbot/internal/test/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
		return memstore.New(memstore.Config{Now: now})
	})
}

func TestLoseLease(t *testing.T) {
	s := memstore.New(memstore.Config{Replica: "bot-1"})
	s.LoseLease()
	c := engine.Change{Run: engine.Run{V: engine.FormVersion, ID: "R-7F3K", State: engine.Waiting}}
	if _, err := s.Commit(t.Context(), c); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("error %v, want ErrLeaseLost", err)
	}
	if alive, err := s.Alive(t.Context()); err != nil || len(alive) != 0 {
		t.Errorf("alive %v, %v", alive, err)
	}
}

// The store works inside testing/synctest: while it waits, the fake clock advances.
func TestInsideSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(memstore.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		seen := 0
		go func() {
			time.Sleep(time.Minute)
			c := engine.Change{Run: engine.Run{V: engine.FormVersion, ID: "R-7F3K", State: engine.Waiting}}
			if _, err := s.Commit(ctx, c); err != nil {
				t.Error(err)
			}
		}()
		if err := s.Watch(ctx, func(engine.Stored) { seen++ }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if seen != 1 {
			t.Errorf("%d forms seen, want 1", seen)
		}
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
}
