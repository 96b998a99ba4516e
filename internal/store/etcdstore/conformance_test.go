package etcdstore_test

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/internal/store/etcdstore"
	"dhbot/internal/test/storetest"
	"dhbot/internal/test/testenv"
)

// open opens a store without running its loops, and closes it at the end of the test. Limits
// that a test does not set are long enough for a busy machine.
func open(t testing.TB, c etcdstore.Config) *etcdstore.Store {
	t.Helper()
	c.LeaseTTL = cmp.Or(c.LeaseTTL, 10*time.Minute)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.AppendEach = cmp.Or(c.AppendEach, time.Millisecond)
	s, err := etcdstore.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestEmbeddedConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
		t.Parallel()
		return open(t, etcdstore.Config{Dir: t.TempDir(), Now: now})
	})
}

// TestExternalConformance runs Debian's etcd 3.4, the oldest supported version, as a separate
// process.
func TestExternalConformance(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	var n atomic.Int32
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
		t.Parallel()
		return open(t, etcdstore.Config{
			Endpoints: []string{endpoint}, Now: now, Prefix: fmt.Sprintf("test%d/", n.Add(1)),
		})
	})
}

// startEtcd runs an etcd process on loopback until the test ends. It returns the endpoint of the
// process.
func startEtcd(t testing.TB) string {
	t.Helper()
	e := newEtcd(t, "http")
	e.start(t)
	return e.client
}

// etcd is a real etcd that can be killed and started again.
type etcd struct {
	bin, dir, client, peer string
	name, cluster          string // the member's name; all members, as NAME=PEER,…
	flags                  []string
	cmd                    *exec.Cmd
}

func newEtcd(t testing.TB, scheme string, flags ...string) *etcd {
	t.Helper()
	bin := testenv.Program(t, "etcd")
	e := &etcd{bin: bin, dir: filepath.Join(t.TempDir(), "etcd"), flags: flags}
	e.client, e.peer = scheme+"://"+testenv.FreeAddress(t, "127.0.0.1"), "http://"+testenv.FreeAddress(t, "127.0.0.1")
	e.name, e.cluster = "m", "m="+e.peer
	return e
}

func (e *etcd) start(t testing.TB) {
	t.Helper()
	e.launch(t)
	e.await(t)
}

func (e *etcd) launch(t testing.TB) {
	t.Helper()
	e.cmd = exec.Command(e.bin, append([]string{"--name=" + e.name, "--data-dir=" + e.dir, "--logger=zap", "--log-level=fatal",
		"--listen-client-urls=" + e.client, "--advertise-client-urls=" + e.client,
		"--listen-peer-urls=" + e.peer, "--initial-advertise-peer-urls=" + e.peer, "--initial-cluster=" + e.cluster,
		"--heartbeat-interval=50", "--election-timeout=500"}, e.flags...)...)
	e.cmd.Stderr = t.Output()
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.kill)
}

// await waits until the member answers. If the member requires a client certificate, await returns
// at once, because the test has no certificate.
func (e *etcd) await(t testing.TB) {
	t.Helper()
	if strings.HasPrefix(e.client, "http:") {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if _, err := raw(t, e.client).Get(ctx, "ready"); err != nil {
			t.Fatalf("etcd does not answer: %v", err)
		}
	}
}

func (e *etcd) kill() {
	if e.cmd != nil {
		_ = e.cmd.Process.Kill() // it may have ended already
		_ = e.cmd.Wait()
		e.cmd = nil
	}
}
