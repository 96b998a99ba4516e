package sshexec

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
)

// underAuthority starts a server that accepts user certificates of an authority, and no keys
// without a certificate.
func underAuthority(t *testing.T, a *sshdtest.Authority, more ...string) *sshdtest.Server {
	t.Helper()
	return sshdtest.Start(t, append(more, "TrustedUserCAKeys "+a.Key+".pub", "AuthorizedKeysFile none")...)
}

// knowing writes a known_hosts file for several servers, and returns its path.
func knowing(t *testing.T, servers ...*sshdtest.Server) string {
	t.Helper()
	var all strings.Builder
	for _, s := range servers {
		text, err := os.ReadFile(s.KnownHosts)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	path := filepath.Join(t.TempDir(), "known_hosts")
	write(t, path, all.String())
	return path
}

// The pool logs in through two jump hosts with a certificate that a real agent holds.
func TestCertificateByAgentThroughTwoJumps(t *testing.T) {
	ca := sshdtest.NewAuthority(t)
	first, second, target := underAuthority(t, ca), underAuthority(t, ca), underAuthority(t, ca)
	key := sshdtest.Keygen(t, filepath.Join(t.TempDir(), "id"))
	ca.Sign(key, target.Login, "-V", "+1h")
	agent := sshdtest.StartAgent(t)
	p := openConfig(t, Config{
		Credentials: []sshroute.Credential{{Agent: agent.Socket}},
		KnownHosts:  knowing(t, first, second, target),
	})
	command := through(on(target, "true"), first, second)
	want(t, run(t, p, command), remote.LoginRefused, "no credential to log in to "+first.Address, "holds no key", "ssh-add")
	agent.Add(key)
	want(t, run(t, p, command), remote.Answered)
	for _, s := range []*sshdtest.Server{first, second, target} {
		if s.Connections() != 1 {
			t.Errorf("%s has %d connections, want 1", s.Address, s.Connections())
		}
	}
	list := p.Expiring(time.Now())
	if len(list) != 1 || !list[0].Urgent || !strings.Contains(list[0].Text, "agent certificate id") {
		t.Errorf("the agent's certificate, which expires within an hour, is not reported as urgent: %v", list)
	}

	// Another host behind the same jump hosts uses their open connections: no new connection to a
	// jump host.
	want(t, run(t, p, through(on(second, "true"), first)), remote.Answered)
	if first.Connections() != 1 {
		t.Errorf("the first jump host has %d connections", first.Connections())
	}
	// After the key of a jump host is revoked, the host is no longer used.
	text, err := os.ReadFile(first.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.cfg.KnownHosts, "@revoked "+strings.Replace(string(text), strings.Fields(string(text))[0], "*", 1))
	appendTo(t, p.cfg.KnownHosts, knowing(t, first, second, target))
	want(t, run(t, p, command), remote.HostKeyWrong, "revoked", first.Address)
}

func appendTo(t *testing.T, path, from string) {
	t.Helper()
	var all []byte
	for _, f := range []string{path, from} {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	write(t, path, string(all))
}

// TestCertificateRefusals checks that a problem with a certificate is reported. Some problems show
// in the certificate itself, others only when sshd refuses it.
func TestCertificateRefusals(t *testing.T) {
	ca, other := sshdtest.NewAuthority(t), sshdtest.NewAuthority(t)
	s := underAuthority(t, ca)
	for _, tt := range []struct {
		name       string
		by         *sshdtest.Authority
		principals string
		valid      string
		o          remote.Outcome
		words      []string
	}{
		{"valid", ca, s.Login, "+1d", remote.Answered, nil},
		{"expired", ca, s.Login, "20260101:20260201", remote.LoginRefused, []string{"not offered: certificate", "it expired 2026-02-01", "offered and refused: key"}},
		{"not yet valid", ca, s.Login, "20990101:20990201", remote.LoginRefused, []string{"not offered: certificate", "not valid before 2099-01-01", "the clock here says"}},
		{"wrong principal", ca, "alice,bob", "+1d", remote.LoginRefused, []string{"offered and refused: certificate", "names the principals alice, bob and not " + s.Login}},
		{"another authority", other, s.Login, "+1d", remote.LoginRefused, []string{"offered and refused: certificate", "CA signed the bot's certificate"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key := sshdtest.Keygen(t, filepath.Join(t.TempDir(), "id"))
			tt.by.Sign(key, tt.principals, "-V", tt.valid)
			p := openPool(t, s, func(c *Config) { c.Credentials = sshroute.Keys(key) })
			want(t, run(t, p, on(s, "true")), tt.o, tt.words...)
		})
	}
}

// An agent's certificates are offered before its keys, although the agent lists keys first.
func TestAgentCertificateFirst(t *testing.T) {
	ca := sshdtest.NewAuthority(t)
	s := underAuthority(t, ca)
	key := sshdtest.Keygen(t, filepath.Join(t.TempDir(), "id"))
	ca.Sign(key, "alice", "-V", "+1d")
	agent := sshdtest.StartAgent(t)
	agent.Add(key)
	p := openPool(t, s, func(c *Config) { c.Credentials = []sshroute.Credential{{Agent: agent.Socket}} })
	want(t, run(t, p, on(s, "true")), remote.LoginRefused, "offered and refused: agent certificate", "; agent key")
}

// A renewed certificate is used from the next dial on, without a restart.
func TestCertificateReplaced(t *testing.T) {
	ca := sshdtest.NewAuthority(t)
	s := underAuthority(t, ca)
	key := sshdtest.Keygen(t, filepath.Join(t.TempDir(), "id"))
	ca.Sign(key, s.Login, "-V", "20260101:20260201")
	p := openPool(t, s, func(c *Config) { c.Credentials = sshroute.Keys(key) })
	want(t, run(t, p, on(s, "true")), remote.LoginRefused, "expired")
	ca.Sign(key, s.Login, "-V", "+1d")
	want(t, run(t, p, on(s, "true")), remote.Answered)
}

// TestOrderOfCredentials checks that credentials are tried in the order of the config until one of
// them is accepted. A refused login names all credentials in that order.
func TestOrderOfCredentials(t *testing.T) {
	s := sshdtest.Start(t)
	locked := filepath.Join(t.TempDir(), "locked")
	if err := os.Rename(keyFile(t, filepath.Dir(locked), "made", "open sesame"), locked); err != nil {
		t.Fatal(err)
	}
	passphrase := filepath.Join(t.TempDir(), "passphrase")
	write(t, passphrase, "open sesame\n")
	if err := os.Chmod(passphrase, 0o600); err != nil {
		t.Fatal(err)
	}
	agent := sshdtest.StartAgent(t)
	agent.Add(s.Stranger)
	p := openPool(t, s, func(c *Config) {
		c.Credentials = []sshroute.Credential{
			{KeyFile: locked, PassphraseFile: passphrase},
			{Agent: agent.Socket},
			{Agent: agent.Socket + ".gone"},
		}
	})
	r := run(t, p, on(s, "true"))
	want(t, r, remote.LoginRefused, "offered and refused: key "+locked, "not offered: agent "+agent.Socket+".gone", "does not answer")
	if a, b := strings.Index(r.Detail, locked), strings.Index(r.Detail, "agent key stranger"); a < 0 || b < a {
		t.Errorf("not in the order of the config: %s", r.Detail)
	}
	agent.Add(s.KeyFile)
	want(t, run(t, p, on(s, "true")), remote.Answered)
}

// The renewal command runs before the certificate expires, and its output is not logged.
func TestRenew(t *testing.T) {
	ca := sshdtest.NewAuthority(t)
	s := underAuthority(t, ca)
	key := sshdtest.Keygen(t, filepath.Join(t.TempDir(), "id"))
	ca.Sign(key, s.Login, "-V", "20260101:20260201")
	script := filepath.Join(t.TempDir(), "renew")
	write(t, script, "#!/bin/sh\necho token-of-the-vault; echo token-of-the-vault >&2\n"+
		"[ -z \"$SLACK_BOT_TOKEN\" ] || exit 9\n"+
		"exec ssh-keygen -q -s "+ca.Key+" -I renewed -n "+s.Login+" -V +2h "+key+".pub\n")
	if err := os.Chmod(script, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLACK_BOT_TOKEN", "xoxb-secret")
	var log strings.Builder
	p := openPool(t, s, func(c *Config) {
		c.Credentials, c.Renew, c.Log = sshroute.Keys(key), []string{script}, slog.New(slog.NewTextHandler(&log, nil))
	})
	want(t, run(t, p, on(s, "true")), remote.Answered)
	if strings.Contains(log.String(), "token-of-the-vault") {
		t.Errorf("what the command printed was logged: %s", log.String())
	}
	if list := p.Expiring(time.Now()); len(list) != 0 {
		t.Errorf("a certificate that is renewed in time is reported: %v", list)
	}
	if list := p.Expiring(time.Now().Add(90 * time.Minute)); len(list) != 1 || !list[0].Urgent {
		t.Errorf("a certificate whose renewal is overdue is not reported as urgent: %v", list)
	}
}
