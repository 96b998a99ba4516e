package sshexec

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/sshroute"
)

// TestNewRefuses checks that New reports all problems of a configuration at once.
func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	good := keyFile(t, dir, "good", "")
	open := keyFile(t, dir, "open", "")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	locked := keyFile(t, dir, "locked", "a passphrase")
	public := filepath.Join(dir, "good.pub")
	write(t, public, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG7xPwvpd9a7Gd7mGH7uSPLVQYF2ZpDPKUN9WMEbBDmk")
	known, broken := filepath.Join(dir, "known_hosts"), filepath.Join(dir, "broken")
	write(t, known, "")
	write(t, broken, "infra-1 ssh-ed25519 notbase64!\n")

	for _, c := range []struct {
		name   string
		config Config
		words  []string
	}{
		{"nothing", Config{}, []string{"ssh.key_file", "ssh.known_hosts"}},
		{"missing files", Config{Credentials: sshroute.Keys(dir + "/none"), KnownHosts: dir + "/nothing"},
			[]string{dir + "/none does not exist", dir + "/nothing"}},
		{"readable by others", Config{Credentials: sshroute.Keys(open), KnownHosts: known}, []string{"0644", "chmod 600"}},
		{"passphrase", Config{Credentials: sshroute.Keys(good, locked), KnownHosts: known}, []string{locked, "passphrase"}},
		{"public key", Config{Credentials: sshroute.Keys(public), KnownHosts: known}, []string{public, ".pub"}},
		{"directory", Config{Credentials: sshroute.Keys(dir), KnownHosts: known}, []string{"not a regular file"}},
		{"broken known hosts", Config{Credentials: sshroute.Keys(good), KnownHosts: broken}, []string{broken + ":1"}},
	} {
		p, err := New(c.config)
		if err == nil {
			p.Close()
			t.Errorf("%s: accepted", c.name)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q lacks %q", c.name, err, w)
			}
		}
	}
}

func keyFile(t *testing.T, dir, name, passphrase string) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, name)
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, name, []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	write(t, path, string(pem.EncodeToMemory(block)))
	return path
}
