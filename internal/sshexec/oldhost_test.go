package sshexec

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
	"dhbot/internal/test/testenv"
)

// allowing sets the algorithms of one place, in the form of ssh_config.
func allowing(t testing.TB, c *Config, address string, lists map[sshroute.Kind]string) {
	t.Helper()
	var o sshroute.Options
	for kind, spec := range lists {
		chosen, err := sshroute.Choose(kind, spec)
		if err != nil {
			t.Fatal(err)
		}
		o.Algorithms.Set(kind, chosen.List)
	}
	c.Options = map[sshroute.Place]sshroute.Options{{Address: address}: o}
}

// TestOldSSHD checks that the error about an old sshd lists the algorithms that it offers, and the
// setting that allows one of them. With the setting, the host can be reached.
func TestOldSSHD(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config []string
		lists  map[sshroute.Kind]string
		words  []string
	}{
		{"group14-sha1", []string{"KexAlgorithms diffie-hellman-group14-sha1"},
			map[sshroute.Kind]string{sshroute.KeyExchange: "+diffie-hellman-group14-sha1"},
			[]string{"offers only diffie-hellman-group14-sha1 as key exchange", "algorithms: {kex: '+diffie-hellman-group14-sha1'}", "host keys ssh-ed25519", "hmac-sha1-etm@openssh.com"}},
		{"group1-sha1", []string{"KexAlgorithms diffie-hellman-group1-sha1"},
			map[sshroute.Kind]string{sshroute.KeyExchange: "diffie-hellman-group1-sha1"}, []string{"algorithms: {kex: '+diffie-hellman-group1-sha1'}"}},
		{"group-exchange", []string{"KexAlgorithms diffie-hellman-group-exchange-sha1"},
			map[sshroute.Kind]string{sshroute.KeyExchange: "+diffie-hellman-group-exchange-sha1"}, []string{"algorithms: {kex: '+diffie-hellman-group-exchange-sha1'}"}},
		{"CBC", []string{"Ciphers aes128-cbc"},
			map[sshroute.Kind]string{sshroute.Cipher: "+aes128-cbc"}, []string{"algorithms: {ciphers: '+aes128-cbc'}", "ciphers aes128-cbc"}},
		{"triple DES", []string{"Ciphers 3des-cbc"},
			map[sshroute.Kind]string{sshroute.Cipher: "3des-cbc"}, []string{"algorithms: {ciphers: '+3des-cbc'}"}},
		{"all of 2014", []string{"KexAlgorithms diffie-hellman-group14-sha1", "Ciphers aes128-cbc", "MACs hmac-sha1"},
			map[sshroute.Kind]string{sshroute.KeyExchange: "+diffie-hellman-group14-sha1", sshroute.Cipher: "^aes128-cbc", sshroute.MAC: "hmac-sha1"},
			[]string{"diffie-hellman-group14-sha1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sshdtest.Start(t, tt.config...)
			want(t, run(t, openPool(t, s), on(s, "true")), remote.Unreachable, append(tt.words, "it offers key exchange")...)
			p := openPool(t, s, func(c *Config) { allowing(t, c, s.Address, tt.lists) })
			want(t, run(t, p, on(s, "true")), remote.Answered)
		})
	}
}

// TestPublicKeyAlgorithms checks that only the configured signature algorithms are used with a
// host.
func TestPublicKeyAlgorithms(t *testing.T) {
	s := sshdtest.Start(t)
	p := openPool(t, s, func(c *Config) {
		allowing(t, c, s.Address, map[sshroute.Kind]string{sshroute.PublicKey: "ssh-rsa"})
	})
	want(t, run(t, p, on(s, "true")), remote.LoginRefused, "not offered: key", "configured to accept only ssh-rsa")
	p = openPool(t, s, func(c *Config) {
		allowing(t, c, s.Address, map[sshroute.Kind]string{sshroute.HostKey: "ssh-rsa"})
	})
	want(t, run(t, p, on(s, "true")), remote.HostKeyWrong, "known_hosts has only keys of the types ssh-ed25519")
}

// TestDropbear checks a host with Dropbear, the SSH server of small and old machines.
func TestDropbear(t *testing.T) {
	dropbear := testenv.Program(t, "dropbear")
	dir := t.TempDir()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	hostKey := filepath.Join(dir, "host")
	out, err := exec.Command(testenv.Program(t, "dropbearkey"), "-t", "ed25519", "-f", hostKey).CombinedOutput()
	if err != nil {
		t.Fatalf("dropbearkey: %v: %s", err, out)
	}
	login := sshdtest.Keygen(t, filepath.Join(dir, "id"))
	authorize(t, me.HomeDir, login+".pub")
	address := testenv.FreeAddress(t, "127.0.0.1")
	var said bytes.Buffer
	cmd := exec.Command(dropbear, "-F", "-E", "-s", "-r", hostKey, "-p", address, "-P", filepath.Join(dir, "pid"))
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // the exit code does not matter
		if t.Failed() {
			t.Logf("dropbear said: %s", said.String())
		}
	})
	public := filepath.Join(dir, "host.pub")
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "ssh-ed25519 ") {
			write(t, public, line)
		}
	}
	known := filepath.Join(dir, "known_hosts")
	write(t, known, sshdtest.KnownHostsLine(t, address, public))
	eventually(t, "dropbear listens", func() bool { return listens(address) })
	p := openConfig(t, Config{Credentials: sshroute.Keys(login), KnownHosts: known})
	command := remote.Command{Host: "old", Address: address, Login: me.Username, Sent: "echo $((6*7))", Timeout: 20 * time.Second}
	r := run(t, p, command)
	want(t, r, remote.Answered)
	if got := strings.TrimSpace(r.Stdout.String()); got != "42" {
		t.Errorf("dropbear answered %q", got)
	}
	listed := func(lists map[sshroute.Kind]string) *Pool {
		c := Config{Credentials: sshroute.Keys(login), KnownHosts: known}
		allowing(t, &c, address, lists)
		return openConfig(t, c)
	}
	want(t, run(t, listed(map[sshroute.Kind]string{
		sshroute.KeyExchange: "diffie-hellman-group14-sha256", sshroute.Cipher: "aes128-ctr", sshroute.MAC: "hmac-sha1",
	}), command), remote.Answered)
	want(t, run(t, listed(map[sshroute.Kind]string{sshroute.Cipher: "3des-cbc"}), command), remote.Unreachable, "it offers key exchange", "ciphers")
}

// authorize allows a key to log in as the current user while the test runs. Dropbear reads only the
// user's own authorized_keys.
func authorize(t *testing.T, home, publicKey string) {
	t.Helper()
	dir := filepath.Join(home, ".ssh")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "authorized_keys")
	before, err := os.ReadFile(path)
	missing := os.IsNotExist(err)
	if err != nil && !missing {
		t.Fatal(err)
	}
	key, err := os.ReadFile(publicKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, slices.Concat(before, []byte("\n"), key), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := os.WriteFile(path, before, 0o600)
		if missing {
			err = os.Remove(path)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// TestChoose checks that Choose interprets lists as ssh_config(5) describes.
func TestChoose(t *testing.T) {
	for spec, want := range map[string]string{
		"aes128-ctr":             "aes128-ctr",
		"aes128-ctr,3des-cbc":    "aes128-ctr,3des-cbc weak 3des-cbc",
		"+aes128-cbc":            strings.Join(sshroute.Default(sshroute.Cipher), ",") + ",aes128-cbc weak aes128-cbc",
		"^3des-cbc":              "3des-cbc," + strings.Join(sshroute.Default(sshroute.Cipher), ",") + " weak 3des-cbc",
		"-aes*,chacha20*":        "",
		"aes*-gcm@*":             "aes128-gcm@openssh.com,aes256-gcm@openssh.com",
		"aes128-ctr,blowfish":    "aes128-ctr unknown blowfish",
		"blowfish":               "",
		"":                       "",
		"+":                      "",
		"aes128-ctr,,aes256-ctr": "",
	} {
		c, err := sshroute.Choose(sshroute.Cipher, spec)
		got := strings.Join(c.List, ",")
		if len(c.Weak) > 0 {
			got += " weak " + strings.Join(c.Weak, ",")
		}
		if len(c.Unknown) > 0 && err == nil {
			got += " unknown " + strings.Join(c.Unknown, ",")
		}
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%q: %q, want %q (%v)", spec, got, want, fmt.Sprint(err))
		}
	}
}
