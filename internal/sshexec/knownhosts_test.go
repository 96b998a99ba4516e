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

const (
	ed25519Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG7xPwvpd9a7Gd7mGH7uSPLVQYF2ZpDPKUN9WMEbBDmk"
	ecdsaKey   = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
)

// Lines that OpenSSH passes over are skipped, each with its number and why; the
// others count.
func TestUsableLines(t *testing.T) {
	for line, why := range map[string]string{
		// From the field.
		"oldhost 1024 35 143272250049166269737933547513323306924766577123720650722107527190659497169427": "SSH protocol 1",
		"10.0.0.9 sm2 AAAAA3NtMgAAAANzbTIAAABBBO==":                                                      "not known",
		"10.0.0.9 ssh-ed25519": "is missing",
		"10.0.0.9 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEwgwL9yYtW": "cut off",

		"10.0.0.9": "no key",
		"10.0.0.9 ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ":     "cut off",
		"10.0.0.9 ssh-ed448 AAAACXNzaC1lZDQ0OAAAADk=":         "not known",
		"10.0.0.9 ssh-rsa " + strings.Fields(ed25519Key)[1]:   "its key is ssh-ed25519",
		"@cert-authorities *.example.com " + ed25519Key:       "unknown marker",
		"@cert-authority @revoked x " + ed25519Key:            "damaged",
		"|2|abc|def " + ed25519Key:                            "hashed name of an unknown kind",
		"|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|short " + ed25519Key: "hashed name is damaged",
		"[10.0.0.9 " + ed25519Key:                             "in brackets needs a port",
		"! " + ed25519Key:                                     "negation",
		"<<<<<<< HEAD":                                        "is missing",
		"10.0.0.9 ssh-ed25519 not!base64!":                    "damaged",
		"ssh-ed25519 " + strings.Fields(ed25519Key)[1]:        "is missing",
		strings.Repeat("x", 70_000):                           "no key",
	} {
		file := "# a comment\n\ngood " + ed25519Key + " somebody@somewhere\n" + line + "\n\t \nAlso-Good,10.0.0.8 " + ecdsaKey + "\n"
		clean, used, skipped := usableLines([]byte(file))
		if used != 2 || len(skipped) != 1 || skipped[0].Line != 4 || !strings.Contains(skipped[0].Why, why) {
			t.Errorf("%.60s: %d used, skipped %v; want %q", line, used, skipped, why)
		}
		path := filepath.Join(t.TempDir(), "known_hosts")
		write(t, path, file)
		skipped, without, err := KnownHosts(path, []Named{
			{Address: "good:22"}, {Address: "also-good:22"}, {Address: "ALSO-GOOD:22"}, {Address: "10.0.0.8:2222"},
			{Address: "10.0.0.7:22", Alias: "Good"}, {Address: "10.0.0.9:22"},
		})
		if err != nil || len(skipped) != 1 || len(without) != 1 || without[0].Address != "10.0.0.9:22" {
			t.Errorf("%.60s: skipped %v, without %v, %v", line, skipped, without, err)
		}
		if strings.Count(string(clean), "\n") != strings.Count(file, "\n") {
			t.Errorf("%.60s: the lines have other numbers", line)
		}
	}
}

// What is well is taken: hashes, wildcards, ports, markers, a byte order mark,
// line ends of Windows.
func TestUsableLinesThatAreWell(t *testing.T) {
	for _, line := range []string{
		"*.example.com,!bad.example.com " + ed25519Key,
		"[10.0.0.9]:2222 " + ed25519Key,
		"|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM= " + ed25519Key,
		"@cert-authority *.example.com " + ed25519Key,
		"@revoked * " + ed25519Key,
		"\ufeffinfra-1 " + ed25519Key,
		"infra-1\t" + strings.ReplaceAll(ed25519Key, " ", "\t") + "\r",
		"fd00::1 " + ed25519Key,
	} {
		if _, used, skipped := usableLines([]byte(line + "\n")); used != 1 || len(skipped) != 0 {
			t.Errorf("%s: %d used, skipped %v", line, used, skipped)
		}
	}
}

// A bad line among good ones closes nothing, at the start or while the bot
// runs; a file that holds nothing any more leaves the last good copy in use;
// a line that is taken out counts.
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
		at = at.Add(time.Minute) // each version has a time of its own
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
	put("other-host " + ed25519Key + "\n10.0.0.9 ssh-ed25519\n")
	if f := dial(); f == nil || !strings.Contains(f.text, "is unknown") || !strings.Contains(f.text, "line 2: the key after") {
		t.Errorf("the host's line was taken out: %v", f)
	}
}

// As OpenSSH does, a host at another port is also looked for without its port,
// where that very key is known; another key there says nothing of it.
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
