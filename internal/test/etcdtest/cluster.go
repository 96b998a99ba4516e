package etcdtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/test/testenv"
)

// Cluster is a cluster of real etcd members on loopback.
type Cluster struct {
	Tools   Tools
	Members []*Member

	t     *testing.T
	quota int64
}

// Member is a member of a Cluster.
type Member struct {
	Name         string
	Host         string // the address of the member
	Client, Peer string // URLs
	dir          string
	process      *exec.Cmd
	output       bytes.Buffer
}

// Start starts a cluster of three members. quota is the maximum size of a database file in bytes,
// or 0 for etcd's default.
func Start(t *testing.T, tools Tools, quota int64) *Cluster {
	t.Helper()
	c := &Cluster{Tools: tools, t: t, quota: quota}
	for i := range 3 {
		c.Members = append(c.Members, c.newMember(i))
	}
	t.Cleanup(func() {
		for i := range c.Members {
			c.Kill(i)
		}
	})
	for i := range c.Members {
		c.Run(i, "new")
	}
	c.AwaitLeader()
	return c
}

func (c *Cluster) newMember(i int) *Member {
	host := fmt.Sprintf("127.0.0.%d", 11+i)
	return &Member{
		Name: fmt.Sprintf("m%d", i+1), Host: host, dir: filepath.Join(c.t.TempDir(), "data"),
		Client: "http://" + testenv.FreeAddress(c.t, host), Peer: "http://" + testenv.FreeAddress(c.t, host),
	}
}

// peers returns the value of --initial-cluster.
func (c *Cluster) peers() string {
	var all []string
	for _, m := range c.Members {
		all = append(all, m.Name+"="+m.Peer)
	}
	return strings.Join(all, ",")
}

// Run starts member i. state is "new" or "existing", the value of --initial-cluster-state.
func (c *Cluster) Run(i int, state string) {
	c.t.Helper()
	m := c.Members[i]
	args := []string{
		"--name", m.Name, "--data-dir", m.dir, "--listen-client-urls", m.Client, "--advertise-client-urls", m.Client,
		"--listen-peer-urls", m.Peer, "--initial-advertise-peer-urls", m.Peer, "--initial-cluster", c.peers(),
		"--initial-cluster-state", state, "--initial-cluster-token", "dhbot", "--heartbeat-interval", "50", "--election-timeout", "500",
	}
	if c.quota > 0 {
		args = append(args, "--quota-backend-bytes", fmt.Sprint(c.quota))
	}
	m.process = exec.Command(c.Tools.Server, args...)
	m.process.Stdout, m.process.Stderr = &m.output, &m.output
	if err := m.process.Start(); err != nil {
		c.t.Fatal(err)
	}
}

// Kill ends a member.
func (c *Cluster) Kill(i int) {
	m := c.Members[i]
	if m.process == nil {
		return
	}
	_ = m.process.Process.Kill() // the member may have ended
	_ = m.process.Wait()         // the error only says that the member was killed
	m.process = nil
}

// Endpoints returns the endpoints of all members.
func (c *Cluster) Endpoints() string {
	var all []string
	for _, m := range c.Members {
		all = append(all, m.Client)
	}
	return strings.Join(all, ",")
}

// Ctl runs etcdctl with all endpoints, like etcdctl.sh.
func (c *Cluster) Ctl(args ...string) remote.Result { return c.CtlAt(c.Endpoints(), args...) }

// CtlAt runs etcdctl with the given endpoints.
func (c *Cluster) CtlAt(endpoints string, args ...string) remote.Result {
	c.t.Helper()
	return c.run(c.Tools.Ctl, append([]string{"--endpoints", endpoints, "--dial-timeout", "1s", "--command-timeout", "3s"}, args...)...)
}

// Util runs etcdutl, or etcdctl if this version of etcd has no etcdutl.
func (c *Cluster) Util(args ...string) remote.Result {
	c.t.Helper()
	if c.Tools.Util == "" {
		return c.run(c.Tools.Ctl, args...)
	}
	return c.run(c.Tools.Util, args...)
}

func (c *Cluster) run(program string, args ...string) remote.Result {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Env = append(os.Environ(), "ETCDCTL_API=3")
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	r := remote.Result{Outcome: remote.Answered, Started: time.Now()}
	err := command.Run()
	if command.ProcessState == nil {
		c.t.Fatal(err)
	}
	r.Exit, r.Ended = command.ProcessState.ExitCode(), time.Now()
	r.Stdout = remote.Output{Head: stdout.Bytes(), Total: int64(stdout.Len())}
	r.Stderr = remote.Output{Head: stderr.Bytes(), Total: int64(stderr.Len())}
	return remote.Classify(remote.Command{}, r)
}

// Await waits for a condition.
func (c *Cluster) Await(what string, is func() bool) {
	c.t.Helper()
	deadline := time.NewTimer(90 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline.C:
			c.t.Fatalf("etcd %s: this did not happen in time: %s\n%s", c.Tools.Version, what, c.Members[0].output.String())
		}
	}
}

// AwaitLeader waits until every running member serves clients.
func (c *Cluster) AwaitLeader() {
	c.t.Helper()
	for _, m := range c.Members {
		if m.process != nil {
			c.Await(m.Name+" serves", func() bool { return c.CtlAt(m.Client, "get", "x").OK() })
		}
	}
}

// RaiseCorrupt raises the alarm CORRUPT, as a member does that finds different data in another
// member. It does not use etcdctl, which cannot raise an alarm.
func (c *Cluster) RaiseCorrupt() {
	c.t.Helper()
	response, err := http.Post(c.Members[0].Client+"/v3/maintenance/alarm", "application/json", strings.NewReader(`{"action":"ACTIVATE","memberID":"7","alarm":"CORRUPT"}`))
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		c.t.Fatalf("raising CORRUPT: %s: %s", response.Status, body)
	}
}

// AddLearner adds a fourth, non-voting member.
func (c *Cluster) AddLearner() *Member {
	c.t.Helper()
	m := c.newMember(3)
	// A leader accepts a new member only after it has been connected to all members for a
	// while.
	c.Await("a learner is added", func() bool { return c.Ctl("member", "add", m.Name, "--learner", "--peer-urls", m.Peer).OK() })
	c.Members = append(c.Members, m)
	c.Run(3, "existing")
	c.Await("the learner answers", func() bool { return c.CtlAt(m.Client, "endpoint", "status").OK() })
	return m
}

// Split makes the members of the cluster hold different data. It restores each member from a
// snapshot, but the last member from an earlier snapshot than the others.
func (c *Cluster) Split() {
	c.t.Helper()
	dir := c.t.TempDir()
	save := func(name string) string {
		file := filepath.Join(dir, name)
		if r := c.CtlAt(c.Members[0].Client, "snapshot", "save", file); !r.OK() {
			c.t.Fatalf("snapshot: %s%s", r.Stdout.String(), r.Stderr.String())
		}
		return file
	}
	earlier := save("earlier.db")
	for i := range 50 {
		c.Ctl("put", "more", fmt.Sprint(i))
	}
	later := save("later.db")
	for i, m := range c.Members {
		c.Kill(i)
		file := later
		if i == len(c.Members)-1 {
			file = earlier
		}
		m.dir = filepath.Join(dir, m.Name)
		r := c.Util("snapshot", "restore", file, "--name", m.Name, "--initial-cluster", c.peers(), "--initial-cluster-token", "dhbot",
			"--initial-advertise-peer-urls", m.Peer, "--data-dir", m.dir)
		if !r.OK() {
			c.t.Fatalf("restore: %s%s", r.Stdout.String(), r.Stderr.String())
		}
	}
	for i := range c.Members {
		c.Run(i, "new")
	}
	c.AwaitLeader()
}
