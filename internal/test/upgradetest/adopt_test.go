package upgradetest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/trail"
)

// TestAdopt checks that an unsigned state is adopted at the first start, and that a state
// whose key is lost is adopted after `bot state adopt`. Open runs are not continued; runs,
// locks, archive and trail stay readable.
func TestAdopt(t *testing.T) {
	dir := t.TempDir()
	unpack(t, filepath.Join(v01Dir, "state.tar.gz"), dir)
	conf := etcdstore.Config{Dir: filepath.Join(dir, "state"), Archive: filepath.Join(dir, "state", "archive"), KeyFile: filepath.Join(dir, "state.key")}
	with := func(c etcdstore.Config, f func(s *etcdstore.Store)) {
		t.Helper()
		s, err := etcdstore.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		f(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	adopted := func(epoch uint64, says string) func(s *etcdstore.Store) {
		return func(s *etcdstore.Store) {
			check(t, s, v01)
			checkTrail(t, s, v01)
			open, err := s.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, st := range open {
				if st.Before == "" {
					t.Errorf("%s is continued in epoch %d", st.Run.ID, epoch)
				}
			}
			if err := s.Unsettled(t.Context(), func(key string, _ []byte, _ string, _ time.Time) error {
				t.Errorf("the delivery %s is resumed", key)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			head, _, err := s.Head(t.Context())
			if err != nil || !restoredIn(t, s, says) {
				t.Errorf("the trail does not contain %q; it ends with %+v, %v", says, head.Record, err)
			}
			if h, err := s.Health(t.Context()); err != nil || h.Epoch != epoch {
				t.Errorf("epoch %d, want %d, %v", h.Epoch, epoch, err)
			}
			if err := s.VerifyHistory(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	with(conf, adopted(1, "From now on the state is signed"))
	with(conf, adopted(1, "From now on the state is signed")) // once
	if err := etcdstore.Rotate(t.Context(), conf); err != nil {
		t.Fatal(err)
	}
	with(conf, adopted(1, "The key of the state was rotated"))

	if err := os.Remove(conf.KeyFile); err != nil {
		t.Fatal(err)
	}
	lost := (*trail.NoKeyError)(nil)
	if _, err := etcdstore.Open(t.Context(), conf); !errors.As(err, &lost) || !strings.Contains(err.Error(), "bot state adopt") {
		t.Fatalf("the state was opened without its key: %v", err)
	}
	conf.Adopt = true
	with(conf, adopted(2, "adopted with `bot state adopt`"))
}

// restoredIn reports whether the text of a record in the trail contains the given text.
func restoredIn(t *testing.T, s *etcdstore.Store, text string) (found bool) {
	t.Helper()
	err := s.Trail(t.Context(), 1, func(e audit.Sealed) error {
		found = found || strings.Contains(e.Record.Text, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
