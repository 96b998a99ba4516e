package etcdstore_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"dhbot/internal/etcdstore"
	"dhbot/internal/slackio"
	"dhbot/internal/storetest"
)

var _ slackio.Claims = (*etcdstore.Store)(nil)

// open opens a store that is closed with the test.
func open(t testing.TB, c etcdstore.Config) *etcdstore.Store {
	t.Helper()
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

// Debian's etcd 3.4 as an ordinary process: the oldest version supported.
func TestExternalConformance(t *testing.T) {
	endpoint := startEtcd(t)
	var n atomic.Int32
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
		return open(t, etcdstore.Config{
			Endpoints: []string{endpoint}, Now: now, Prefix: fmt.Sprintf("test%d/", n.Add(1)),
		})
	})
}

// startEtcd runs an etcd process on loopback until the test ends and returns
// its endpoint.
func startEtcd(t testing.TB) string {
	t.Helper()
	bin, err := exec.LookPath("etcd")
	if err != nil {
		if os.Getenv("DHBOT_REAL") == "1" {
			t.Fatal("DHBOT_REAL=1 wants a real etcd, and there is no etcd in PATH")
		}
		t.Skip("there is no etcd in PATH")
	}
	client, peer := freeURL(t), freeURL(t)
	cmd := exec.Command(bin, "--name=m", "--data-dir="+filepath.Join(t.TempDir(), "etcd"), "--log-level=error",
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=m="+peer,
		"--heartbeat-interval=50", "--election-timeout=500")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // killed
	})
	return client
}

// freeURL is an http URL on a loopback port that was free a moment ago.
func freeURL(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}
