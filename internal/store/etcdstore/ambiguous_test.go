package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"dhbot/internal/engine"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/test/suspend"
)

// A delivery is never handled after its sender was told that it was not accepted, whether the store
// stored it, lost it, or stores it late. Here the test suspends etcd. Once etcd continues, it reads
// the requests from its socket and stores them.
func TestClaimInDoubt(t *testing.T) {
	t.Parallel()
	e := newEtcd(t, "http")
	e.start(t)
	s := open(t, etcdstore.Config{Endpoints: []string{e.client}, Timeout: 5 * time.Second, LeaseTTL: 10 * time.Minute})
	run(t, s)
	if err := suspend.Process(e.cmd.Process); err != nil {
		t.Fatal(err)
	}
	const n = 5
	for i := range n {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if _, err := s.Claim(ctx, fmt.Sprint("click/", i), []byte("{}")); !errors.Is(err, engine.ErrStoreDown) {
			t.Errorf("error %v, want ErrStoreDown", err)
		}
		cancel()
	}
	if err := e.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	within(t, "no claim is ambiguous", func() bool {
		h, err := s.Health(t.Context())
		return err == nil && h.AmbiguousClaims == 0
	})
	err := s.Unsettled(t.Context(), func(key string, _ []byte, _ string, _ time.Time) error {
		return fmt.Errorf("%s would be resumed", key)
	})
	if err != nil {
		t.Error(err)
	}
	for i := range n { // each key is in the store, so a later claim is refused
		if first, err := s.Claim(t.Context(), fmt.Sprint("click/", i), nil); err != nil || first {
			t.Errorf("click/%d: first %v, %v", i, first, err)
		}
	}
}
