package etcdstore_test

import (
	"testing"

	"dhbot/internal/store/etcdstore"
)

// If two replicas save a round trip at the same time, only the first succeeds.
func TestEcho(t *testing.T) {
	t.Parallel()
	s := open(t, etcdstore.Config{Dir: t.TempDir()})
	none, err := s.LoadRoundTrip(t.Context())
	if err != nil || none != (etcdstore.RoundTrip{}) {
		t.Fatalf("%+v, %v before there was any", none, err)
	}
	set := func(old etcdstore.RoundTrip, sent int64, want bool) {
		t.Helper()
		next := old
		next.TS, next.Sent = "1.2", sent
		if ok, err := s.SaveRoundTrip(t.Context(), old, next); err != nil || ok != want {
			t.Errorf("%d: stored %v, %v", sent, ok, err)
		}
	}
	set(none, 1, true)
	set(none, 2, false)
	first, err := s.LoadRoundTrip(t.Context())
	if err != nil || first.Sent != 1 || first.TS != "1.2" {
		t.Errorf("loaded %+v, %v, want the first round trip", first, err)
	}
	set(first, 3, true)
	set(first, 4, false)
}
