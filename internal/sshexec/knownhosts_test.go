package sshexec

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
)

const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG7xPwvpd9a7Gd7mGH7uSPLVQYF2ZpDPKUN9WMEbBDmk"

// TestKnownHostsWhileTheyAreWritten checks that a bad line in known_hosts affects no other host. If
// the file no longer has a usable line, the last good copy stays in use. A removed line is no
// longer used.
func TestKnownHostsWhileTheyAreWritten(t *testing.T) {
	s := sshdtest.Start(t)
	good, err := os.ReadFile(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "known_hosts")
	at := time.Now().Add(-time.Hour)
	put := func(text string) {
		t.Helper()
		write(t, path, text)
		at = at.Add(time.Minute) // each version has its own modification time
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	put("oldhost 1024 35 1432722\n" + string(good))
	p := openPool(t, s, func(c *Config) { c.KnownHosts, c.Log = path, slog.New(slog.NewTextHandler(&log, nil)) })
	dial := func() *failure {
		_, judge, err := p.check(s.Address, sshroute.Options{})
		if err != nil {
			return err.(*failure)
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(strings.SplitN(string(good), " ", 2)[1]))
		if err != nil {
			t.Fatal(err)
		}
		if err := judge(s.Address, &net.TCPAddr{}, key); err != nil {
			return err.(*failure)
		}
		return nil
	}
	want(t, run(t, p, on(s, "true")), remote.Answered)
	if !strings.Contains(log.String(), "line=1") {
		t.Errorf("the skipped line is not in the log: %s", log.String())
	}
	for name, text := range map[string]string{"emptied": "", "only a bad line": "10.0.0.9 ssh-ed25519\n", "half written": string(good)[:20]} {
		put(text)
		if f := dial(); f != nil {
			t.Errorf("%s: %s", name, f.text)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if f := dial(); f != nil {
		t.Errorf("removed: %s", f.text)
	}
	put("other-host " + otherKey + "\n10.0.0.9 ssh-ed25519\n")
	if f := dial(); f == nil || !strings.Contains(f.text, "is unknown") || !strings.Contains(f.text, "line 2: the key after") {
		t.Errorf("the host's line was removed: %v", f)
	}
}

// TestKnownHostsWithoutPort checks hosts on a port other than 22. Like OpenSSH, the pool also
// accepts a line without the port if it has the host's key. If that line has another key, the host
// counts as unknown, not as changed.
func TestKnownHostsWithoutPort(t *testing.T) {
	s := sshdtest.Start(t)
	path := filepath.Join(t.TempDir(), "known_hosts")
	line := sshdtest.KnownHostsLine(t, s.Address, s.KeyFile+".pub")
	good, err := os.ReadFile(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "127.0.0.1 "+strings.SplitN(string(good), " ", 2)[1])
	want(t, run(t, openPool(t, s, func(c *Config) { c.KnownHosts = path }), on(s, "true")), remote.Answered)
	other := filepath.Join(t.TempDir(), "known_hosts")
	write(t, other, "127.0.0.1 "+strings.SplitN(line, " ", 2)[1])
	want(t, run(t, openPool(t, s, func(c *Config) { c.KnownHosts = other }), on(s, "true")), remote.HostKeyWrong, "unknown")
}
