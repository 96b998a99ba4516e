package etcdstore_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/replicas"
)

// raw returns a plain etcd client, so that a test can bypass the store.
func raw(t testing.TB, endpoint string) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// endLease ends the lease of a replica, as if its process had been suspended for too long.
func endLease(t testing.TB, c *clientv3.Client, replica string) {
	t.Helper()
	resp, err := c.Get(t.Context(), etcdstore.DefaultPrefix+"replica/"+replica)
	if err != nil || len(resp.Kvs) != 1 {
		t.Fatalf("replica %s: %v, %v", replica, resp, err)
	}
	if _, err := c.Revoke(t.Context(), clientv3.LeaseID(resp.Kvs[0].Lease)); err != nil {
		t.Fatal(err)
	}
}

// run runs a store until the test ends or stop is called.
func run(t testing.TB, s *etcdstore.Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	conf := func(name string) etcdstore.Config {
		return etcdstore.Config{Endpoints: []string{endpoint}, Replica: name, LeaseTTL: 4 * time.Second, SealEach: 10 * time.Millisecond}
	}
	a, b := open(t, conf("a")), open(t, conf("b"))
	stopA := run(t, a)
	newRun(t, a)
	within(t, "a seals", func() bool {
		h, err := a.Health(t.Context())
		return err == nil && h.Sealer == "a" && h.Sealed == 1
	})
	run(t, b)

	if alive, err := b.Alive(t.Context()); err != nil || !slices.Equal(alive, []string{"a", "b"}) {
		t.Errorf("alive %v, %v", alive, err)
	}
	// Both replicas change the same run and see each other's changes.
	at := newRun(t, b)
	at = commit(t, a, change(at, engine.Approved))
	commit(t, b, change(at, engine.Running))
	if _, err := a.Commit(t.Context(), change(at, engine.Cancelled)); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("error %v, want ErrConflict", err)
	}
	// Only a seals records. When a stops, b takes over.
	if n, err := b.Seal(t.Context()); n != 0 || err != nil {
		t.Errorf("b sealed %d, %v while a leads", n, err)
	}
	stopA()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	newRun(t, b)
	within(t, "b seals", func() bool {
		h, err := b.Health(t.Context())
		return err == nil && h.Sealer == "b" && h.Sealed == 5 && h.Pending == 0
	})
	if alive, err := b.Alive(t.Context()); err != nil || !slices.Equal(alive, []string{"b"}) {
		t.Errorf("alive %v, %v", alive, err)
	}
	if rep := verify(t, b); rep.Entries != 5 {
		t.Errorf("trail of %d entries", rep.Entries)
	}
}

// A replica whose lease has ended commits nothing until it has taken a new lease.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	s := open(t, etcdstore.Config{Endpoints: []string{endpoint}, LeaseTTL: 3 * time.Second, SealEach: 10 * time.Millisecond})
	at := newRun(t, s)
	verify(t, s) // this makes the replica the sealer
	endLease(t, raw(t, endpoint), "bot")
	if _, err := s.Commit(t.Context(), change(at, engine.Approved)); !errors.Is(err, engine.ErrLeaseLost) {
		t.Fatalf("error %v, want ErrLeaseLost", err)
	}
	if h, err := s.Health(t.Context()); err != nil || h.Alive {
		t.Errorf("health %+v, %v", h, err)
	}
	run(t, s)
	within(t, "the replica commits again", func() bool {
		_, err := s.Commit(t.Context(), change(at, engine.Approved))
		return err == nil
	})
	within(t, "it seals again", func() bool {
		h, err := s.Health(t.Context())
		return err == nil && h.Alive && h.Sealed == 2
	})
}

// A lease that is renewed lives longer than its TTL.
func TestLeaseKept(t *testing.T) {
	t.Parallel()
	s := open(t, etcdstore.Config{Dir: t.TempDir(), LeaseTTL: 2 * time.Second})
	run(t, s)
	at := newRun(t, s)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		at = commit(t, s, change(at, engine.Waiting))
	}
}

// The name of a live replica cannot be taken. The name of a dead replica can be taken once its
// lease has ended.
func TestReplicaNames(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	conf := etcdstore.Config{Endpoints: []string{endpoint}, Replica: "a", LeaseTTL: 2 * time.Second, Timeout: 2 * time.Second}
	first := open(t, conf)
	stop := run(t, first)
	_, err := etcdstore.Open(t.Context(), conf)
	var used *replicas.NameInUseError
	if !errors.As(err, &used) || used.PID != os.Getpid() || used.Name != "a" {
		t.Fatalf("error %v, want *NameInUseError", err)
	}
	stop() // stops renewing, but does not revoke the lease
	run(t, open(t, conf))
	if _, err := first.Commit(t.Context(), change(engine.Stored{Run: engine.Run{ID: "R-7F3K"}}, engine.Waiting)); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("the former holder of the name can commit: %v", err)
	}
	// When the first process with the name runs again, its Run reports that another process has the
	// name.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := first.Run(ctx); !errors.As(err, &used) {
		t.Errorf("Run of the former holder ended with %v, want *NameInUseError", err)
	}
}

// shown returns the next version of a run that a watch delivers.
func shown(t *testing.T, seen <-chan engine.Stored) engine.Stored {
	t.Helper()
	select {
	case r := <-seen:
		return r
	case <-time.After(2 * time.Minute):
		t.Fatal("the watch delivers nothing")
		return engine.Stored{}
	}
}

// The store detects changes that bypass it. It does not seal a pending record that was changed, and
// sealed entries do not verify if a part of them is missing.
func TestTampering(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	s, client := open(t, etcdstore.Config{Endpoints: []string{endpoint}}), raw(t, endpoint)
	newRun(t, s)
	verify(t, s)
	newRun(t, s)
	verify(t, s)
	at := newRun(t, s)
	head, _, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	key := etcdstore.DefaultPrefix + "rec/" + at.Run.ID + "/00000001"
	was, err := client.Get(t.Context(), key)
	if err != nil || len(was.Kvs) != 1 {
		t.Fatalf("%s: %v, %v", key, was, err)
	}
	good := string(was.Kvs[0].Value)
	put := func(key, value string) {
		t.Helper()
		if _, err := client.Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	put(key, strings.Replace(good, "{", "{ ", 1))
	if n, err := s.Seal(t.Context()); n != 0 || err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("sealed %d, %v, want an error that names %s", n, err, key)
	}
	put(key, good)
	verify(t, s)

	if _, err := client.Delete(t.Context(), etcdstore.DefaultPrefix+"trail/0000000000000002"); err != nil {
		t.Fatal(err)
	}
	_, err = audit.Verify(audit.Entries(t.Context(), s, 1), audit.Options{Heads: []audit.Head{{N: head.N, Hash: head.Hash}}})
	var broken *audit.BrokenError
	if !errors.As(err, &broken) || broken.N != 2 {
		t.Errorf("error %v, want entry 2 missing", err)
	}
}

// While the store is down, calls return ErrStoreDown. A watch continues when the store answers
// again.
func TestStoreGoesAwayAndReturns(t *testing.T) {
	t.Parallel()
	cut, proxied := startProxy(t, startEtcd(t))
	s := open(t, etcdstore.Config{Endpoints: []string{proxied}, Timeout: 3 * time.Second, LeaseTTL: 10 * time.Minute})
	at := newRun(t, s)
	seen := make(chan engine.Stored, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func(r engine.Stored) { seen <- r }) }()
	shown(t, seen)

	cut(true)
	var calls sync.WaitGroup
	for what, call := range map[string]func() error{
		"commit": func() error { _, err := s.Commit(t.Context(), change(at, engine.Approved)); return err },
		"claim":  func() error { _, err := s.Claim(t.Context(), "x", nil); return err },
		"read":   func() error { _, err := s.Get(t.Context(), at.Run.ID); return err },
		"health": func() error { _, err := s.Health(t.Context()); return err },
	} {
		calls.Go(func() {
			if err := call(); !errors.Is(err, engine.ErrStoreDown) {
				t.Errorf("%s: error %v, want ErrStoreDown", what, err)
			}
		})
	}
	calls.Wait()
	cut(false)
	within(t, "the store answers again", func() bool {
		got, err := s.Get(t.Context(), at.Run.ID)
		return err == nil && got.Rev == at.Rev
	})
	want := commit(t, s, change(at, engine.Running))
	for shown(t, seen).Rev != want.Rev {
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v", err)
	}
}

// If etcd has deleted older versions of runs that a watch has not delivered yet, the watch delivers
// the newest version of each run.
func TestWatchOverCompaction(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	s := open(t, etcdstore.Config{Endpoints: []string{endpoint}, LeaseTTL: time.Minute})
	other := open(t, etcdstore.Config{Endpoints: []string{endpoint}, Replica: "other", LeaseTTL: time.Minute})
	a, b := newRun(t, s), newRun(t, s)
	seen := make(chan engine.Stored, 1000)
	var log syncBuffer
	proxyCut, proxied := startProxy(t, endpoint)
	w := open(t, etcdstore.Config{
		Endpoints: []string{proxied}, Replica: "w", Timeout: 5 * time.Second, LeaseTTL: 10 * time.Minute,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Watch(ctx, func(r engine.Stored) { seen <- r }) }()
	shown(t, seen)
	shown(t, seen)

	proxyCut(true)
	for range 20 {
		a = commit(t, other, change(a, engine.Running))
	}
	b = commit(t, other, change(b, engine.Done))
	client := raw(t, endpoint)
	if _, err := client.Compact(t.Context(), b.Rev); err != nil {
		t.Fatal(err)
	}
	proxyCut(false)
	var got []int64
	for !slices.Contains(got, b.Rev) {
		got = append(got, shown(t, seen).Rev)
	}
	if !slices.Equal(got, []int64{a.Rev, b.Rev}) {
		t.Errorf("revisions shown after the compaction %v, want the newest of each run %v", got, []int64{a.Rev, b.Rev})
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v\n%s", err, log.String())
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// startProxy forwards connections to an endpoint. cut(true) breaks all of them and refuses new
// connections until cut(false).
func startProxy(t *testing.T, endpoint string) (cut func(bool), proxied string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	off := false
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "http://"))
			mu.Lock()
			if err != nil || off {
				in.Close()
				if err == nil {
					out.Close()
				}
				mu.Unlock()
				continue
			}
			conns = append(conns, in, out)
			mu.Unlock()
			wg.Go(func() { pipe(in, out) })
			wg.Go(func() { pipe(out, in) })
		}
	})
	cut = func(now bool) {
		mu.Lock()
		defer mu.Unlock()
		off = now
		if off {
			for _, c := range conns {
				c.Close()
			}
			conns = nil
		}
	}
	t.Cleanup(func() { l.Close(); cut(true); wg.Wait() })
	return cut, "http://" + l.Addr().String()
}

func pipe(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	to.Close()
	from.Close()
}
