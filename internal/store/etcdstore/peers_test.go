package etcdstore_test

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/store/etcdstore"
)

// Each replica sees the config hash of every other replica, and how far the clock of the other
// replica is ahead of its own clock.
func TestPeers(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	conf := func(name, hash string, ahead time.Duration) etcdstore.Config {
		return etcdstore.Config{
			Endpoints: []string{endpoint}, Replica: name, ConfigHash: hash, LeaseTTL: 5 * time.Second,
			Now: func() time.Time { return time.Now().Add(ahead) },
		}
	}
	a, b := open(t, conf("a", "one", 0)), open(t, conf("b", "two", 10*time.Second))
	run(t, a)
	run(t, b)
	within(t, "a sees that b's clock is ahead", func() bool {
		list, err := a.Peers(t.Context())
		return err == nil && len(list) == 2 && list[0].Self && !list[1].Self && list[1].Name == "b" &&
			list[0].Config == "one" && list[1].Config == "two" && list[1].Ahead > 5*time.Second && list[1].Ahead <= 10*time.Second
	})
	list, err := b.Peers(t.Context())
	if err != nil || len(list) != 2 || list[0].Ahead != 0 {
		t.Errorf("b sees %+v, %v, want a clock of a that is not ahead", list, err)
	}
	if err := b.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err = a.Peers(t.Context()); err != nil || len(list) != 2 || list[0].Leaving || !list[1].Leaving {
		t.Errorf("a sees %+v, %v, want b as leaving", list, err)
	}
}

// If no replica received events for a time, exactly one replica learns of this gap.
func TestHear(t *testing.T) {
	t.Parallel()
	s := open(t, etcdstore.Config{Dir: t.TempDir()})
	first := time.UnixMilli(1_700_000_000_000)
	for _, c := range []struct{ at, before time.Time }{
		{first, time.Time{}},
		{first.Add(5 * time.Second), first},
		{first.Add(2 * time.Second), first.Add(5 * time.Second)}, // a clock that is behind
		{first.Add(time.Hour), first.Add(5 * time.Second)},
	} {
		if before, err := s.SetLastHeard(t.Context(), c.at); err != nil || !before.Equal(c.before) {
			t.Errorf("hearing at %s: before %s, %v; want %s", c.at, before, err, c.before)
		}
	}
}

// A guest is no replica, and leaves nothing in the store.
func TestGuest(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	client := raw(t, endpoint)
	s := open(t, etcdstore.Config{Endpoints: []string{endpoint}, Replica: "check", Guest: true})
	if _, err := s.HoldsDeephaven(t.Context()); err != nil {
		t.Error(err)
	}
	if found, err := client.Get(t.Context(), "", clientv3.WithPrefix()); err != nil || found.Count > 0 || found.Header.Revision != 1 {
		t.Errorf("the guest wrote: %v, %v", found, err)
	}
	if leases, err := client.Leases(t.Context()); err != nil || len(leases.Leases) > 0 {
		t.Errorf("the guest took a lease: %v, %v", leases, err)
	}
}
