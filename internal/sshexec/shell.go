package sshexec

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/redact"
	"dhbot/internal/remote"
)

// sshd gives a command line to the account's login shell. Shells such as csh, tcsh and fish change
// some words that a POSIX shell leaves unchanged, and even run parts of them. So the pool sends no
// command over a new connection before its login shell has printed such words unchanged.

// shellWords are words that a shell other than a POSIX shell would change. shellProbe is a command
// line that prints them, quoted like every command line (a test compares it with runbooks.Quote).
// It does no harm if a shell runs a part of it.
var (
	shellWords = []string{
		shellMark,
		"it's `echo ran` $(echo ran) $HOME \"x\" a!b \\ \\n \\\\",
		"`echo ran` $(echo ran) $HOME \"x\" a!b \\ \\n \\\\",
		"* ~ {a,b} %1 ^a^b",
		"\\",
	}
	shellProbe = `env 'LC_ALL=C' printf '%s\n' dhbot-login-shell ` +
		"\"it's \\`echo ran\\` \\$(echo ran) \\$HOME \\\"x\\\" a!b \\\\ \\\\n \\\\\\\\\" " +
		"'`echo ran` $(echo ran) $HOME \"x\" a!b \\ \\n \\\\' " +
		`'* ~ {a,b} %1 ^a^b' '\'`
)

// shellMark is the first of shellWords. If it is in the output, a shell ran the probe.
const shellMark = "dhbot-login-shell"

// proveShell checks that the login shell of a connection passes words on unchanged. It uses one
// channel, and gives its session back. If the shell is not usable, proveShell returns why, and
// retires the connection.
func (p *Pool) proveShell(ctx context.Context, c *conn, channel ssh.Channel, requests <-chan *ssh.Request) *failure {
	k := c.host.key
	s := newSession(channel, p.cfg.KeepBytes, p.cfg.StopBytes)
	p.wg.Go(func() { s.run(shellProbe, requests) })
	why := s.await(ctx, p.cfg.HandshakeTimeout)
	r := remote.Result{Started: time.Now(), Stdout: s.stdout.output(), Stderr: s.stderr.output()}
	p.mu.Lock()
	p.stats.Sessions++ // not counted as a command
	p.mu.Unlock()
	defer p.finish(c, s)
	var f *failure
	switch {
	case strings.Contains(r.Stdout.String(), strings.Join(shellWords, "\n")+"\n"):
		noise := noiseBefore(r.Stdout.String())
		c.noise.Store(&noise)
		return nil
	case why == finished || why == lingering:
		s.settle(&r, remote.Command{Host: k.address, Sent: shellProbe, Timeout: p.cfg.HandshakeTimeout}, c.wire.broken.Load())
		f = misread(k, r)
	default:
		f = &failure{outcome: remote.Unreachable, text: fmt.Sprintf(
			"%s accepts the login, but its login shell did not answer within %v", k.address, p.cfg.HandshakeTimeout)}
	}
	p.retire(c, f)
	return f
}

// saidRunes is how many runes of a login shell's output an error shows.
const saidRunes = 160

// misread returns the failure for a login shell that changed shellWords. It names the program that
// refused the command, if that is known, or else the shell's output.
func misread(k key, r remote.Result) *failure {
	if r.Outcome != remote.Answered {
		return &failure{outcome: r.Outcome, text: fmt.Sprintf("%s accepts the login and then runs no command: %s", k.address, r.Detail)}
	}
	if known := remote.Classify(remote.Command{Host: k.address, Sent: shellProbe}, r); known.Outcome != remote.Answered {
		return &failure{outcome: known.Outcome, text: known.Detail}
	}
	said := redact.Line(strings.TrimSpace(r.Stderr.String()+" "+r.Stdout.String()), saidRunes)
	if said == "" {
		said = "nothing"
	}
	return &failure{outcome: remote.LoginRefused, text: fmt.Sprintf(
		"the login shell of %[1]s on %[2]s does not pass the words of a command on unchanged (it answered: %[3]s): give the account "+
			"a POSIX shell, for example with usermod -s /bin/bash %[1]s, and remove any forced command",
		k.login, k.address, said)}
}
