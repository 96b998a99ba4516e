package sshexec

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/test/sshdtest"
)

// runAll runs reads and returns their results. It fails the test if a read has no result.
func runAll(t *testing.T, ctx context.Context, p *Pool, reads ...remote.Command) []remote.Result {
	t.Helper()
	out, told := make([]remote.Result, len(reads)), make([]int, len(reads))
	var mu sync.Mutex
	p.RunAll(ctx, reads, func(i int, r remote.Result) {
		mu.Lock()
		defer mu.Unlock()
		out[i] = r
		told[i]++
	})
	for i, n := range told {
		if n != 1 {
			t.Errorf("read %d has %d results", i, n)
		}
		if r := out[i]; r.Started.IsZero() || r.Ended.Before(r.Started) || (r.Outcome == remote.Answered) != (r.Detail == "") {
			t.Errorf("read %d: started %v, ended %v, %v: %q", i, r.Started, r.Ended, r.Outcome, r.Detail)
		}
	}
	return out
}

func wrapped(s *sshdtest.Server, sent string) remote.Command {
	return on(s, "env LC_ALL=C timeout -k 5 60 "+sent)
}

// TestJoined checks that the reads of one host use one session, and that each has its own result.
func TestJoined(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	got := runAll(t, t.Context(), p,
		wrapped(s, "printf 'one\\ntwo'"),
		wrapped(s, "sh -c 'echo out; echo err >&2; exit 3'"),
		wrapped(s, "sh -c 'echo \"sudo: a password is required\" >&2; exit 1'"),
		wrapped(s, "sh -c 'echo \"Error receiving data -- Resource temporarily unavailable\" >&2; exit 1' monit"),
		wrapped(s, "true"),
	)
	for i, w := range []struct {
		outcome remote.Outcome
		exit    int
		stdout  string
	}{
		{remote.Answered, 0, "one\ntwo"},
		{remote.Answered, 3, "out\n"},
		{remote.SudoRefused, 1, ""},
		{remote.SupervisorSilent, 1, ""},
		{remote.Answered, 0, ""},
	} {
		if r := got[i]; r.Outcome != w.outcome || r.Exit != w.exit || r.Stdout.String() != w.stdout {
			t.Errorf("read %d: %v (%s), exit %d, %q", i, r.Outcome, r.Detail, r.Exit, r.Stdout)
		}
	}
	if got[1].Stderr.String() != "err\n" {
		t.Errorf("standard error %q", got[1].Stderr)
	}
	if n := p.Stats().Commands; n != 1 {
		t.Errorf("%d commands for reads of one host, want 1", n)
	}
}

// TestJoinedReportsAtOnce checks that a read is reported when it has ended, not when all have
// ended.
func TestJoinedReportsAtOnce(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	file := filepath.Join(t.TempDir(), "told")
	reads := []remote.Command{wrapped(s, "echo first"), wrapped(s, fmt.Sprintf("sh -c 'until test -e %s; do sleep 0.01; done; echo second'", file))}
	p.RunAll(t.Context(), reads, func(i int, r remote.Result) {
		if i == 0 {
			write(t, file, "")
		}
		want(t, r, remote.Answered)
	})
}

// TestJoinedRunsOutOfTime checks that a read that times out does not shorten the time of the other
// reads.
func TestJoinedRunsOutOfTime(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	got := runAll(t, t.Context(), p,
		wrapped(s, "echo first"), on(s, "env LC_ALL=C timeout -k 5 0.1 sleep 600"), wrapped(s, "echo third"), wrapped(s, "echo fourth"))
	want(t, got[1], remote.TimedOut, "infra-1: ", "time limit")
	for i, w := range map[int]string{0: "first\n", 2: "third\n", 3: "fourth\n"} {
		want(t, got[i], remote.Answered)
		if got[i].Stdout.String() != w {
			t.Errorf("read %d: %q", i, got[i].Stdout)
		}
	}
	if n := p.Stats().Commands; n != 3 {
		t.Errorf("%d commands, want the joined line and the two reads after the timed-out one", n)
	}
}

// TestJoinedAsAlone checks that these reads have the same result joined as alone: a read that a
// signal ends, a read with too much output, a read that ends the shell, and commands that cannot be
// joined.
func TestJoinedAsAlone(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s, func(c *Config) { c.KeepBytes = 1000 })
	long := wrapped(s, "head -c 1500 /dev/zero")
	longer := wrapped(s, "head -c 5000 /dev/zero")
	for name, odd := range map[string]remote.Command{
		"signal": wrapped(s, "sh -c 'kill -TERM $$'"), "long": long, "longer": longer, "ends the shell": on(s, "exit 5"),
		"change": changing(on(s, "true")), "unlimited": {Host: "infra-1", Address: s.Address, Login: s.Login, Sent: "true"},
		"elsewhere": {Host: "infra-1", Address: s.Address, Login: s.Login, Via: "x@127.0.0.1:1", Sent: "true", Timeout: time.Minute},
	} {
		alone := p.Run(t.Context(), odd)
		before := p.Stats().Commands
		got := runAll(t, t.Context(), p, wrapped(s, "echo first"), odd, wrapped(s, "echo third"))
		if n := p.Stats().Commands - before; odd.Changes && n != 3 {
			t.Errorf("%d commands, but a change is sent alone, want 3", n)
		}
		if r := got[1]; r.Outcome != alone.Outcome || r.Exit != alone.Exit || r.Detail != alone.Detail ||
			r.Stdout.String() != alone.Stdout.String() || r.Stdout.Total != alone.Stdout.Total {
			t.Errorf("%s: %v %d %s, alone %v %d %s", name, r.Outcome, r.Exit, r.Detail, alone.Outcome, alone.Exit, alone.Detail)
		}
		for i, w := range map[int]string{0: "first\n", 2: "third\n"} {
			if want(t, got[i], remote.Answered); got[i].Stdout.String() != w {
				t.Errorf("%s: read %d: %q", name, i, got[i].Stdout)
			}
		}
	}
}

// A login that accepts only single commands gets the reads one by one.
func TestJoinedWithSingleCommandLogin(t *testing.T) {
	s := sshdtest.Start(t, `ForceCommand case "$SSH_ORIGINAL_COMMAND" in *"; "*) echo "not allowed" >&2; exit 1;; esac; exec /bin/bash -c "$SSH_ORIGINAL_COMMAND"`)
	p := openPool(t, s)
	for round, commands := range []int64{3, 2} { // only the first round sends the joined line
		before := p.Stats().Commands
		for i, r := range runAll(t, t.Context(), p, wrapped(s, "echo 0"), wrapped(s, "echo 1")) {
			if want(t, r, remote.Answered); r.Stdout.String() != fmt.Sprintf("%d\n", i) {
				t.Errorf("read %d: %q", i, r.Stdout)
			}
		}
		if n := p.Stats().Commands - before; n != commands {
			t.Errorf("round %d: %d commands, want %d", round, n, commands)
		}
	}
}

// TestJoinedNoise checks that what the login shell prints on its own is in no read's result.
func TestJoinedNoise(t *testing.T) {
	s := sshdtest.Start(t, `ForceCommand echo "NOTICE: maintenance"; echo "stty: no terminal" >&2; eval "$SSH_ORIGINAL_COMMAND"`)
	p := openPool(t, s)
	for _, r := range runAll(t, t.Context(), p, wrapped(s, "echo x"), wrapped(s, "echo x")) {
		if want(t, r, remote.Answered); r.Stdout.String() != "x\n" || r.Stderr.String() != "" {
			t.Errorf("%q, %q", r.Stdout, r.Stderr)
		}
	}
}

// TestJoinedGivenUp checks that reads keep their results if they ended before the request was
// cancelled or the connection was lost.
func TestJoinedGivenUp(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	lose := wrapped(s, "sh -c 'kill $(ps -o ppid= -p $(ps -o ppid= -p $PPID)); sleep 600'")
	for name, odd := range map[string]struct {
		read  remote.Command
		words string
	}{"the request was cancelled": {wrapped(s, "sleep 600"), "the request was cancelled"}, "lost": {lose, "lost"}} {
		ctx, cancel := context.WithCancel(t.Context())
		reads := []remote.Command{wrapped(s, "echo first"), odd.read, wrapped(s, "echo third")}
		got := make([]remote.Result, len(reads))
		p.RunAll(ctx, reads, func(i int, r remote.Result) {
			if got[i] = r; i == 0 && name == "the request was cancelled" {
				cancel()
			}
		})
		cancel()
		if want(t, got[0], remote.Answered); got[0].Stdout.String() != "first\n" {
			t.Errorf("%s: %q", name, got[0].Stdout)
		}
		want(t, got[1], remote.Unreachable, odd.words)
		if got[2].Outcome == remote.Answered {
			t.Errorf("%s: the third read has an answer", name)
		}
	}
}

// Each read of an unreachable host is reported as unreachable.
func TestJoinedUnreachable(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	c := wrapped(s, "true")
	c.Address = "127.0.0.1:1"
	for _, r := range runAll(t, t.Context(), p, c, c) {
		want(t, r, remote.Unreachable, "not sent")
	}
}
