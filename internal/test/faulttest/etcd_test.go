package faulttest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dhbot/internal/test/testenv"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// etcd is a cluster of real etcd processes on loopback.
type etcd struct {
	bin     string
	log     io.Writer // of the members' stderr
	members []*member
}

type member struct {
	name, dir, client, peer string

	mu  sync.Mutex
	cmd *exec.Cmd // nil while it is down
}

func startEtcd(t testing.TB, dir string, members int) *etcd {
	e := &etcd{bin: testenv.Program(t, "etcd"), log: t.Output()}
	for i := range members {
		name := fmt.Sprintf("m%d", i+1)
		e.members = append(e.members, &member{
			name: name, dir: filepath.Join(dir, name),
			client: "http://" + testenv.FreeAddress(t, "127.0.0.1"), peer: "http://" + testenv.FreeAddress(t, "127.0.0.1"),
		})
	}
	t.Cleanup(e.kill)
	for i := range e.members {
		if err := e.start(i); err != nil {
			t.Fatal(err)
		}
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: e.endpoints()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if _, err := client.Get(ctx, "ready"); err != nil {
		t.Fatalf("etcd does not answer: %v", err)
	}
	return e
}

func (e *etcd) endpoints() []string {
	var out []string
	for _, m := range e.members {
		out = append(out, m.client)
	}
	return out
}

// start starts a stopped member, with the data that it had.
func (e *etcd) start(i int) error {
	var cluster []string
	for _, m := range e.members {
		cluster = append(cluster, m.name+"="+m.peer)
	}
	m := e.members[i]
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd != nil {
		return nil
	}
	cmd := exec.Command(e.bin, "--name="+m.name, "--data-dir="+m.dir, "--logger=zap", "--log-level=fatal",
		"--listen-client-urls="+m.client, "--advertise-client-urls="+m.client,
		"--listen-peer-urls="+m.peer, "--initial-advertise-peer-urls="+m.peer,
		"--initial-cluster="+strings.Join(cluster, ","), "--heartbeat-interval=50", "--election-timeout=500")
	cmd.Stderr = e.log
	cmd.SysProcAttr = withParent()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	m.cmd = cmd
	return nil
}

// stop kills a member. The member keeps its data.
func (e *etcd) stop(i int) {
	m := e.members[i]
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
		m.cmd = nil
	}
}

// freeze suspends a member, and thaw resumes it.
func (e *etcd) freeze(i int) { e.members[i].signal(syscall.SIGSTOP) }
func (e *etcd) thaw(i int)   { e.members[i].signal(syscall.SIGCONT) }

func (m *member) signal(s os.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd != nil {
		_ = m.cmd.Process.Signal(s)
	}
}

func (e *etcd) kill() {
	for i := range e.members {
		e.stop(i)
	}
}
