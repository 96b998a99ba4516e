package sshexec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
)

func TestAnswers(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	for _, c := range []struct {
		sent   string
		exit   int
		stdout string
		stderr string
	}{
		{"true", 0, "", ""},
		{"exit 7", 7, "", ""},
		{"echo out; echo err >&2", 0, "out\n", "err\n"},
		{"exec nosuchprogram 2>/dev/null", 127, "", ""},
		{"cat; read x; echo $?", 0, "1\n", ""},                   // standard input has ended
		{"test -t 0 || test -t 1 || echo none", 0, "none\n", ""}, // no terminal
		{"echo \"$SSH_AUTH_SOCK$SSH_TTY$DISPLAY\"", 0, "\n", ""}, // no agent
	} {
		r := run(t, p, on(s, c.sent))
		want(t, r, remote.Answered)
		if r.Exit != c.exit || r.Stdout.String() != c.stdout || r.Stderr.String() != c.stderr {
			t.Errorf("%s: exit %d, %q, %q", c.sent, r.Exit, r.Stdout, r.Stderr)
		}
	}
	if n := s.Accepted(); n != 1 {
		t.Errorf("%d connections for commands one after the other, want 1", n)
	}
	if st := p.Stats(); st.Connections != 1 || st.Sessions != 0 || st.Dials != 1 || st.Commands != 7 {
		t.Errorf("stats %+v", st)
	}
}

// TestEnds checks the outcomes that the host itself causes, such as an exit code or a signal.
func TestEnds(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	for _, c := range []struct {
		sent           string
		read, change   remote.Outcome
		words, changed string
	}{
		{"env LC_ALL=C timeout -k 5 0.1 sleep 30", remote.TimedOut, remote.FateUnknown, "time limit", "may have acted"},
		{"env LC_ALL=C timeout -k 0.1 0.1 sh -c 'trap \"\" TERM; while :; do :; done'", remote.Unreachable, remote.FateUnknown, "KILL", "may have acted"},
		{"exit 137", remote.TimedOut, remote.FateUnknown, "time limit", "may have acted"},
		{"kill -TERM $$", remote.Unreachable, remote.FateUnknown, "TERM", "may have acted"},
		{"echo 'sudo: a password is required' >&2; exit 1", remote.SudoRefused, remote.SudoRefused, "NOPASSWD", "NOPASSWD"},
		{"echo 'Error receiving data -- Resource temporarily unavailable' >&2; exit 1 # monit", remote.SupervisorSilent, remote.FateUnknown, "monit", "monit"},
	} {
		want(t, run(t, p, on(s, c.sent)), c.read, "infra-1: ", c.words)
		want(t, run(t, p, changing(on(s, c.sent))), c.change, "infra-1: ", c.changed)
	}
}

// TestKilledByWrapper checks that a read that the wrapper killed counts as timed out, whichever
// signal sshd reports.
func TestKilledByWrapper(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	c := on(s, "env LC_ALL=C timeout -k 0.1 0.2 sh -c 'trap \"\" TERM; while :; do :; done'")
	c.Timeout = 200 * time.Millisecond
	want(t, run(t, p, c), remote.TimedOut, "ended on the host")
}

func TestManyAtOnce(t *testing.T) {
	for _, max := range []int{10, 3} {
		t.Run(fmt.Sprintf("MaxSessions %d", max), func(t *testing.T) {
			s := sshdtest.Start(t, fmt.Sprintf("MaxSessions %d", max))
			p := openPool(t, s)
			log := filepath.Join(t.TempDir(), "ran")
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					r := run(t, p, changing(on(s, fmt.Sprintf("echo %d >> %s; echo %d", i, log, i))))
					want(t, r, remote.Answered)
					if r.Stdout.String() != fmt.Sprintf("%d\n", i) {
						t.Errorf("command %d said %q", i, r.Stdout)
					}
				})
			}
			wg.Wait()
			if n := countLines(t, log); n != 50 {
				t.Errorf("50 commands ran %d times", n)
			}
			if n := s.Accepted(); n > maxConns && max == 10 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestHostKeyUnknown(t *testing.T) {
	s := sshdtest.Start(t)
	empty := filepath.Join(t.TempDir(), "known_hosts")
	write(t, empty, "# nobody yet\n")
	p := openPool(t, s, func(c *Config) { c.KnownHosts = empty })
	want(t, run(t, p, on(s, "true")), remote.HostKeyWrong, "unknown", "SHA256:", empty, "not sent")
	want(t, p.Dial(t.Context(), on(s, "")), remote.HostKeyWrong, "unknown")

	// An operator adds the line. The pool needs no restart.
	text, err := os.ReadFile(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	write(t, empty, string(text))
	want(t, run(t, p, on(s, "true")), remote.Answered)
}

func TestHostKeyChanged(t *testing.T) {
	s := sshdtest.Start(t)
	other := filepath.Join(t.TempDir(), "known_hosts")
	write(t, other, sshdtest.KnownHostsLine(t, s.Address, s.Stranger+".pub"))
	p := openPool(t, s, func(c *Config) { c.KnownHosts = other })
	want(t, run(t, p, changing(on(s, "true"))), remote.HostKeyWrong, "has changed", "line 1", other, "not sent")
}

func TestHostKeyOfAnotherType(t *testing.T) {
	s := sshdtest.Start(t)
	other := filepath.Join(t.TempDir(), "known_hosts")
	// This is a key of a type that the server has no key for.
	const ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
	host, _, _ := strings.Cut(sshdtest.KnownHostsLine(t, s.Address, s.KeyFile+".pub"), " ")
	write(t, other, host+" "+ecdsa+"\n")
	p := openPool(t, s, func(c *Config) { c.KnownHosts = other })
	want(t, run(t, p, on(s, "true")), remote.HostKeyWrong, "has changed", "ecdsa-sha2-nistp256", "not sent")
}

func TestLoginRefused(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s, func(c *Config) { c.Credentials = sshroute.Keys(s.Stranger) })
	want(t, run(t, p, on(s, "true")), remote.LoginRefused, s.Login, "authorized_keys", "not sent")

	wrong := on(s, "true")
	wrong.Login = "nobody-of-this-name"
	want(t, run(t, p, wrong), remote.LoginRefused, "nobody-of-this-name")
}

func TestUnreachable(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s, func(c *Config) { c.DialTimeout = 200 * time.Millisecond })
	s.Refuse()
	want(t, run(t, p, changing(on(s, "true"))), remote.Unreachable, "refused", "not sent")

	c := on(s, "true")
	c.Address = "nosuchhost.invalid:22"
	want(t, run(t, p, c), remote.Unreachable, "not sent")
}

func TestFrozenHost(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	want(t, run(t, p, on(s, "true")), remote.Answered)

	ctx, cancel := context.WithCancel(t.Context())
	read := started(t, ctx, p, on(s, "sleep 60"))
	s.Signal(syscall.SIGSTOP)
	cancel()
	want(t, <-read, remote.Unreachable, "the request was cancelled")
	s.Signal(syscall.SIGCONT)
}

func TestCancelled(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	log := filepath.Join(t.TempDir(), "ran")
	want(t, p.Run(gone, changing(on(s, "echo x > "+log))), remote.NoOutcome, "not sent")
	want(t, run(t, p, on(s, "true")), remote.Answered)
	want(t, p.Run(gone, changing(on(s, "echo x > "+log))), remote.NoOutcome, "not sent")
	if exists(log) {
		t.Error("a command that was cancelled before it was sent has run")
	}

	ctx, cancel := context.WithCancel(t.Context())
	result := started(t, ctx, p, changing(on(s, "sleep 1")))
	cancel()
	want(t, <-result, remote.FateUnknown, "the request was cancelled", "may have acted")

	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	want(t, p.Run(ctx, on(s, "sleep 1")), remote.TimedOut, "the request was cancelled")
}

// TestConnectionLost loses the connection while a command runs. The command is not sent again, and
// the next command gets a new connection.
func TestConnectionLost(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	log := filepath.Join(t.TempDir(), "ran")
	change := started(t, t.Context(), p, changing(on(s, "echo x >> "+log+"; sleep 2")))
	read := started(t, t.Context(), p, on(s, "echo x >> "+log+"; sleep 2"))
	s.Signal(syscall.SIGKILL)
	want(t, <-change, remote.FateUnknown, "infra-1: ", "may have acted")
	want(t, <-read, remote.Unreachable, "lost")
	want(t, run(t, p, on(s, "true")), remote.Answered)
	if n := countLines(t, log); n != 2 {
		t.Errorf("2 commands were run %d times", n)
	}
	if n := s.Accepted(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
	if st := p.Stats(); st.Lost != 1 {
		t.Errorf("stats %+v, want 1 lost", st)
	}
}

// TestIdleConnectionLost checks that a connection that dies while idle is replaced before anything
// is sent.
func TestIdleConnectionLost(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	for range 5 {
		want(t, run(t, p, changing(on(s, "true"))), remote.Answered)
		s.Signal(syscall.SIGKILL)
	}
}

// TestMaintain checks that Maintain keeps a connection open through many keep-alives, and closes it
// at the end.
func TestMaintain(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s, func(c *Config) { c.KeepAlive = time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Maintain(ctx) }()
	for range 10 {
		want(t, run(t, p, on(s, "sleep 0.01")), remote.Answered)
	}
	if n := s.Accepted(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Maintain: %v", err)
	}
	want(t, p.Run(t.Context(), on(s, "true")), remote.NoOutcome, "closed")
	eventually(t, "the server has no connection", func() bool { return s.Connections() == 0 })
}

func TestFlood(t *testing.T) {
	s := sshdtest.Start(t)
	const keep, stop = 64 << 10, 48 << 20
	p := openPool(t, s, func(c *Config) { c.KeepBytes, c.StopBytes = keep, stop })
	want(t, run(t, p, on(s, "true")), remote.Answered)

	r := run(t, p, on(s, "echo first; head -c 33554432 /dev/zero; echo; echo last"))
	want(t, r, remote.Answered)
	if got := r.Stdout; len(got.Head) != keep || len(got.Tail) != keep || got.Total != 6+33554432+6 ||
		!strings.HasPrefix(got.String(), "first\n") || !strings.HasSuffix(got.String(), "\nlast\n") {
		t.Errorf("kept %d and %d of %d", len(got.Head), len(got.Tail), got.Total)
	}

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r = run(t, p, on(s, "yes"))
	want(t, r, remote.TimedOut, "48 MiB")
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	want(t, run(t, p, changing(on(s, "yes >&2"))), remote.FateUnknown, "48 MiB", "may have acted")
	want(t, run(t, p, on(s, "true")), remote.Answered)
	if n := s.Accepted(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// TestNoise checks that the output contains neither the login shell's greeting nor the server's
// banner.
func TestNoise(t *testing.T) {
	dir := t.TempDir()
	banner := filepath.Join(dir, "banner")
	write(t, banner, "AUTHORISED USE ONLY\n")
	s := sshdtest.Start(t, "Banner "+banner, `ForceCommand echo "NOTICE: maintenance on Sunday"; eval "$SSH_ORIGINAL_COMMAND"`)
	p := openPool(t, s)
	r := run(t, p, on(s, "echo active; echo why >&2; exit 3"))
	want(t, r, remote.Answered)
	if r.Exit != 3 || r.Stdout.String() != "active\n" || r.Noise != "NOTICE: maintenance on Sunday\n" || r.Stderr.String() != "why\n" {
		t.Errorf("exit %d, %q, %q, %q", r.Exit, r.Noise, r.Stdout, r.Stderr)
	}
}

// TestChildLeftBehind checks that a command has ended even if a child of the command keeps the
// output open. The connection stays usable.
func TestChildLeftBehind(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	began := time.Now()
	r := run(t, p, changing(on(s, "echo done; sleep 60 & exit 4")))
	want(t, r, remote.Answered)
	if r.Exit != 4 || r.Stdout.String() != "done\n" {
		t.Errorf("exit %d, %q", r.Exit, r.Stdout)
	}
	if took := time.Since(began); took > 50*time.Second {
		t.Errorf("it took %v", took)
	}
	want(t, run(t, p, on(s, "true")), remote.Answered)
}

func TestProxyJump(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s)
	want(t, run(t, p, through(on(s, "true"), s)), remote.Answered)
	want(t, p.Dial(t.Context(), through(on(s, ""), s)), remote.Answered)
	if n := s.Accepted(); n != 2 {
		t.Errorf("%d connections, want the jump host's and the host's", n)
	}
	change := started(t, t.Context(), p, changing(through(on(s, "sleep 2"), s)))
	s.Signal(syscall.SIGKILL)
	want(t, <-change, remote.FateUnknown)
	want(t, run(t, p, through(on(s, "true"), s)), remote.Answered)

	nobody := through(on(s, "true"), s)
	nobody.Address = "127.0.0.1:1"
	want(t, run(t, p, nobody), remote.Unreachable, "jump host", "127.0.0.1:1", "not sent")
}

// TestQuickAcknowledgements checks that quick acknowledgements are on until the first session is
// open. On a connection to a jump host they stay on.
func TestQuickAcknowledgements(t *testing.T) {
	s := sshdtest.Start(t)
	for _, c := range []struct {
		name    string
		command remote.Command
		later   bool
	}{
		{"direct", on(s, "true"), false},
		{"through a jump host", through(on(s, "true"), s), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := openPool(t, s)
			var asked atomic.Int64
			p.acknowledge = func(at net.Conn) {
				if _, tcp := at.(*net.TCPConn); tcp {
					asked.Add(1)
				}
			}
			more := func(r remote.Result) bool {
				want(t, r, remote.Answered)
				return asked.Swap(0) > 0
			}
			for range 2 {
				if !more(p.Dial(t.Context(), c.command)) {
					t.Error("acknowledgements are slow before a session is open")
				}
			}
			if !more(run(t, p, c.command)) {
				t.Error("acknowledgements are slow while the first session opens")
			}
			if later := more(run(t, p, c.command)); later != c.later {
				t.Errorf("quick acknowledgements after the first session: %v", later)
			}
		})
	}
}

func TestProxyJumpRefused(t *testing.T) {
	s := sshdtest.Start(t)
	jump := sshdtest.Start(t)
	p := openPool(t, s)
	want(t, run(t, p, through(on(s, "true"), jump)), remote.HostKeyWrong, jump.Address, "unknown")
	if s.Accepted() != 0 {
		t.Error("the host was contacted although its jump host is unknown")
	}
}

func TestNoTimeLimit(t *testing.T) {
	s := sshdtest.Start(t)
	c := on(s, "true")
	c.Timeout = 0
	want(t, run(t, openPool(t, s), c), remote.NoOutcome, "no time limit", "not sent")
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
