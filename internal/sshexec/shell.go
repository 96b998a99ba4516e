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

// sshd hands a command line to the account's login shell, and what arrives at
// the program is what that shell makes of it. Behind csh, tcsh and fish other
// words arrive than a POSIX shell would pass on, and some of them are run. So
// nothing is sent over a connection before its login shell has passed on words
// that each of them would change.

// shellWords are those words; shellProbe is the line that prints them, quoted as
// every command line is (a test holds it to runbooks.Quote). Whatever a shell
// runs of it does nothing.
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

// shellMark is the first of them: that it arrives shows that something ran.
const shellMark = "dhbot-login-shell"

// proveShell uses a channel to prove the login shell behind a connection, and
// gives the place on it back. It says why the shell cannot be used; such a
// connection takes nothing more.
func (p *Pool) proveShell(ctx context.Context, c *conn, channel ssh.Channel, requests <-chan *ssh.Request) *failure {
	k := c.host.key
	s := newSession(channel, p.cfg.KeepBytes, p.cfg.StopBytes)
	p.wg.Go(func() { s.run(shellProbe, requests) })
	why := s.await(ctx, p.cfg.HandshakeTimeout)
	r := remote.Result{Started: time.Now(), Stdout: s.stdout.output(), Stderr: s.stderr.output()}
	p.mu.Lock()
	p.stats.Sessions++ // and none of its commands
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
			"%s lets us in, and its login shell passed no words on within %v", k.address, p.cfg.HandshakeTimeout)}
	}
	p.retire(c, f)
	return f
}

// saidRunes is how much of a login shell's own words is shown.
const saidRunes = 160

// misread is the failure of a login shell that did not pass the words on: the
// party that said no where that is known, and else what it said.
func misread(k key, r remote.Result) *failure {
	if r.Outcome != remote.Answered {
		return &failure{outcome: r.Outcome, text: fmt.Sprintf("%s lets us in and then takes no command: %s", k.address, r.Detail)}
	}
	if known := remote.Classify(remote.Command{Host: k.address, Sent: shellProbe}, r); known.Outcome != remote.Answered {
		return &failure{outcome: known.Outcome, text: known.Detail}
	}
	said := redact.Line(strings.TrimSpace(r.Stderr.String()+" "+r.Stdout.String()), saidRunes)
	if said == "" {
		said = "nothing"
	}
	return &failure{outcome: remote.LoginRefused, text: fmt.Sprintf(
		"the login shell of %[1]s on %[2]s does not pass words on as they are typed (it answered: %[3]s): give the account "+
			"a POSIX shell, for example with usermod -s /bin/bash %[1]s, and take out a forced command",
		k.login, k.address, said)}
}
