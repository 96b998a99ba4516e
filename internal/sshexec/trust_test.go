package sshexec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/remote"
	"dhbot/internal/test/sshdtest"
)

// TestTrustWhileConnected checks that open connections respect changes of known_hosts, of its file
// mode, and of the key's file mode.
func TestTrustWhileConnected(t *testing.T) {
	s := sshdtest.Start(t)
	text, err := os.ReadFile(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(s.KnownHosts, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mode := func(path string, m os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, m); err != nil {
			t.Fatal(err)
		}
	}
	var revoked strings.Builder
	for line := range strings.Lines(string(text)) {
		revoked.WriteString("@revoked " + line)
	}
	p := openPool(t, s)
	want(t, run(t, p, on(s, "true")), remote.Answered)

	write(string(text) + revoked.String())
	want(t, run(t, p, on(s, "true")), remote.HostKeyWrong, "revoked")
	write(string(text))
	want(t, run(t, p, on(s, "true")), remote.Answered)

	// If others can write the known_hosts file, the last good copy is used instead.
	mode(s.KnownHosts, 0o666)
	if err := os.WriteFile(s.KnownHosts, []byte(revoked.String()+string(text)), 0o666); err != nil {
		t.Fatal(err)
	}
	want(t, run(t, p, on(s, "true")), remote.Answered)
	write(string(text))
	mode(s.KnownHosts, 0o600)

	// If others can read the key file, the key opens no new connection.
	mode(s.KeyFile, 0o644)
	for _, h := range p.hosts {
		for _, c := range h.conns {
			p.retire(c, nil)
		}
	}
	want(t, run(t, p, on(s, "true")), remote.LoginRefused, "other accounts can read it")
	mode(s.KeyFile, 0o600)
	want(t, run(t, p, on(s, "true")), remote.Answered)
}

// TestSignedHostKey checks a host key that an authority has signed. It is trusted because of the
// authority's line in known_hosts, whatever the types of the two keys. It is not trusted under
// another name, or if one of the two keys is revoked.
func TestSignedHostKey(t *testing.T) {
	for _, types := range []struct{ ca, key string }{{"ed25519", "ed25519"}, {"rsa", "ed25519"}, {"ecdsa", "rsa"}} {
		t.Run(types.ca+" signs "+types.key, func(t *testing.T) {
			ca := sshdtest.NewAuthorityOf(t, types.ca)
			key := sshdtest.KeygenOf(t, filepath.Join(t.TempDir(), "signed"), types.key)
			s := sshdtest.Start(t, "HostKey "+key, "HostCertificate "+ca.Sign(key, "127.0.0.1", "-h"))
			public := func(file string) string {
				text, err := os.ReadFile(file + ".pub")
				if err != nil {
					t.Fatal(err)
				}
				return strings.Join(strings.Fields(string(text))[:2], " ") + "\n"
			}
			name := strings.Fields(read(t, s.KnownHosts))[0]
			authority := "@cert-authority " + name + " " + public(ca.Key)
			p := openPool(t, s)
			for _, c := range []struct {
				name, lines string
				want        remote.Outcome
				words       string
			}{
				{"by its authority", authority, remote.Answered, ""},
				{"by a pattern", "@cert-authority 127.0.0.* " + public(ca.Key), remote.Answered, ""},
				{"of another host", "@cert-authority elsewhere " + public(ca.Key), remote.HostKeyWrong, "which is not in known_hosts for this host"},
				{"its key is revoked", authority + "@revoked * " + public(key), remote.HostKeyWrong, "marks as revoked"},
				{"its authority is revoked", authority + "@revoked * " + public(ca.Key), remote.HostKeyWrong, "marks as revoked"},
				{"by its authority again", authority, remote.Answered, ""},
			} {
				write(t, s.KnownHosts, "# "+c.name+"\n"+c.lines)
				want(t, run(t, p, on(s, "true")), c.want, c.words)
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
