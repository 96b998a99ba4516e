package sshexec

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
)

// openPool makes a pool for a server. When the test ends, openPool closes the pool and checks that
// no goroutine is left.
func openPool(t testing.TB, s *sshdtest.Server, change ...func(*Config)) *Pool {
	t.Helper()
	c := Config{
		Credentials: sshroute.Keys(s.KeyFile), KnownHosts: s.KnownHosts,
		DialTimeout: time.Minute, HandshakeTimeout: 2 * time.Minute,
	}
	for _, f := range change {
		f(&c)
	}
	return openConfig(t, c)
}

func openConfig(t testing.TB, c Config) *Pool {
	t.Helper()
	before := runtime.NumGoroutine()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine()-forgotten() <= before })
	})
	return p
}

// forgotten counts the goroutines in which the SSH library waits forever (see Pool.openChannel).
func forgotten() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "ssh.(*mux).openChannel(")
}

// on returns a command for a server.
func on(s *sshdtest.Server, sent string) remote.Command {
	return remote.Command{Host: "infra-1", Address: s.Address, Login: s.Login, Sent: sent, Timeout: 2 * time.Minute}
}

// through returns the command with jump hosts, in the order of the connections.
func through(c remote.Command, jumps ...*sshdtest.Server) remote.Command {
	var hops []sshroute.Hop
	for _, j := range jumps {
		hops = append(hops, sshroute.Hop{Login: j.Login, Address: j.Address})
	}
	c.Via = sshroute.Join(hops)
	return c
}

// changing returns the command as a command that changes something.
func changing(c remote.Command) remote.Command {
	c.Changes = true
	return c
}

func run(t testing.TB, p *Pool, c remote.Command) remote.Result {
	t.Helper()
	r := p.Run(t.Context(), c)
	if r.Started.IsZero() || r.Ended.Before(r.Started) {
		t.Errorf("started %v, ended %v", r.Started, r.Ended)
	}
	if (r.Outcome == remote.Answered) != (r.Detail == "") {
		t.Errorf("outcome %v with detail %q", r.Outcome, r.Detail)
	}
	return r
}

// want checks the outcome of a result, and that its detail contains all the words.
func want(t testing.TB, r remote.Result, o remote.Outcome, words ...string) {
	t.Helper()
	if r.Outcome != o {
		t.Errorf("outcome %v (%s), want %v", r.Outcome, r.Detail, o)
	}
	for _, w := range words {
		if !strings.Contains(r.Detail, w) {
			t.Errorf("detail %q lacks %q", r.Detail, w)
		}
	}
}

// eventually waits until a condition is true, and fails the test after two minutes.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Errorf("not in time: %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// started runs a command in the background. It returns when the command has begun on the host,
// which it sees by a file that the command creates.
func started(t testing.TB, ctx context.Context, p *Pool, c remote.Command) <-chan remote.Result {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "begun")
	c.Sent = "touch " + mark + "; " + c.Sent
	result := make(chan remote.Result, 1)
	go func() { result <- p.Run(ctx, c) }()
	eventually(t, "the command has begun", func() bool { return exists(mark) })
	return result
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// countLines counts the lines of a file.
func countLines(t testing.TB, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}
