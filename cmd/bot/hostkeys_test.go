package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/test/sshdtest"
	"dhbot/internal/test/testenv"
)

// signedHost starts a server whose host key is signed by an authority.
func signedHost(t *testing.T, ca *sshdtest.Authority) (s *sshdtest.Server, key string) {
	t.Helper()
	key = sshdtest.Keygen(t, filepath.Join(t.TempDir(), "signed"))
	certificate := ca.Sign(key, "127.0.0.1", "-h")
	return sshdtest.Start(t, "HostKey "+key, "HostCertificate "+certificate), key
}

// fingerprint is the fingerprint of a key file as ssh-keygen prints it for people to
// compare.
func fingerprint(t *testing.T, file string) string {
	t.Helper()
	out, err := exec.Command(testenv.Program(t, "ssh-keygen"), "-lf", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.Fields(string(out))[1]
}

// hostKeyLine returns the fields of a server's line in known_hosts: the name, the type and the key.
func hostKeyLine(t *testing.T, s *sshdtest.Server) []string {
	t.Helper()
	text, err := os.ReadFile(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// keyScene has hosts whose keys are in known_hosts in each possible form.
type keyScene struct {
	t             *testing.T
	dir           string
	config, known string
	servers       map[string]*sshdtest.Server
	lines         map[string][]string // the correct known_hosts line of each server
	keys          map[string]string   // the files of signed keys

	ca, other, withdrawn *sshdtest.Authority
}

func newKeyScene(t *testing.T) *keyScene {
	t.Helper()
	x := &keyScene{
		t: t, dir: t.TempDir(), servers: map[string]*sshdtest.Server{}, lines: map[string][]string{}, keys: map[string]string{},
		ca: sshdtest.NewAuthority(t), other: sshdtest.NewAuthority(t), withdrawn: sshdtest.NewAuthority(t),
	}
	for _, name := range []string{"plain", "hashed", "alias", "revoked", "changed", "unknown", "unsigned"} {
		x.servers[name] = sshdtest.Start(t)
	}
	for name, by := range map[string]*sshdtest.Authority{
		"signed": x.ca, "signed-revoked": x.ca, "signed-by-another": x.other, "authority-revoked": x.withdrawn,
	} {
		x.servers[name], x.keys[name] = signedHost(t, by)
	}
	for name, s := range x.servers {
		x.lines[name] = hostKeyLine(t, s)
	}
	x.writeKnownHosts()
	x.writeConfig()
	return x
}

func (x *keyScene) write(name, text string) string {
	x.t.Helper()
	path := filepath.Join(x.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		x.t.Fatal(err)
	}
	return path
}

func (x *keyScene) read(path string) string {
	x.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		x.t.Fatal(err)
	}
	return string(text)
}

// public returns the type and the key of the public half of a private key.
func (x *keyScene) public(key string) string {
	x.t.Helper()
	return strings.Join(strings.Fields(x.read(key + ".pub"))[:2], " ")
}

func (x *keyScene) writeKnownHosts() {
	x.t.Helper()
	name := func(host string) string { return x.lines[host][0] }
	key := func(host string) string { return strings.Join(x.lines[host][1:], " ") }
	hashed := x.write("hashed", name("hashed")+" "+key("hashed")+"\n")
	if out, err := exec.Command(testenv.Program(x.t, "ssh-keygen"), "-H", "-f", hashed).CombinedOutput(); err != nil {
		x.t.Fatalf("%v: %s", err, out)
	}
	x.known = x.write("known_hosts", x.read(hashed)+strings.Join([]string{
		name("plain") + " " + key("plain"),
		"alias.internal " + key("alias"),
		name("revoked") + " " + key("revoked"),
		"@revoked * " + key("revoked"),
		name("changed") + " " + key("plain"),
		"@cert-authority " + name("signed") + "," + name("signed-revoked") + " " + x.public(x.ca.Key),
		"@cert-authority " + name("signed-by-another") + "," + name("unsigned") + " " + x.public(x.ca.Key),
		"@cert-authority " + name("authority-revoked") + " " + x.public(x.withdrawn.Key),
		"@revoked * " + x.public(x.keys["signed-revoked"]),
		"@revoked * " + x.public(x.withdrawn.Key),
	}, "\n")+"\n")
}

func (x *keyScene) writeConfig() {
	x.t.Helper()
	var hosts strings.Builder
	for name, s := range x.servers {
		alias := ""
		if name == "alias" {
			alias = ", host_key_alias: alias.internal"
		}
		fmt.Fprintf(&hosts, "      %s: {address: %q, processes: [db_dis]%s}\n", name, s.Address, alias)
	}
	x.config = x.write("config.yaml", fmt.Sprintf(`slack: {home: T0EXAMPLE, audit_channel: C0AUDIT}
state: {dir: %s}
ssh: {user: dhops, known_hosts: %s, key_file: %s}
people: {anna: {slack: [U0ANNA]}, ben: {slack: [U0BEN]}}
clusters:
  prod:
    catalog: current
    roles: {operators: [anna], approvers: [ben]}
    hosts:
%s`, filepath.Join(x.dir, "state"), x.known, x.servers["plain"].KeyFile, hosts.String()))
}

// TestHostKeys checks what `bot hostkeys` prints about the key of each host. The expected
// fingerprints are those that ssh-keygen prints.
func TestHostKeys(t *testing.T) {
	t.Parallel()
	x := newKeyScene(t)
	before := x.read(x.known)

	for _, c := range []struct {
		host string
		code int
		says []string
		not  string // a text that must not appear, "" for none
	}{
		{"plain", 0, []string{"known_hosts has it"}, "line to add"},
		{"hashed", 0, []string{"known_hosts has it"}, "line to add"},
		{"alias", 0, []string{"alias (alias.internal:22)", "known_hosts has it"}, "line to add"},
		{"signed", 0, []string{"known_hosts has its certificate authority", "known_hosts has the authority of its certificate",
			fingerprint(t, x.keys["signed"]+".pub") + ", signed by authority " + fingerprint(t, x.ca.Key+".pub")}, "changed"},
		{"signed-by-another", 1, []string{"which is not in known_hosts for this host", "line to add: @cert-authority",
			fingerprint(t, x.other.Key+".pub")}, "known_hosts has it"},
		{"unsigned", 1, []string{"without a certificate", "HostCertificate"}, "changed"},
		{"revoked", 1, []string{"marks as revoked"}, "line to add"},
		{"signed-revoked", 1, []string{"marks as revoked", fingerprint(t, x.keys["signed-revoked"]+".pub")}, "line to add"},
		{"authority-revoked", 1, []string{"marks as revoked", fingerprint(t, x.withdrawn.Key+".pub")}, ""},
		{"changed", 1, []string{"has changed", "which the host does not show"}, "certificate"},
		{"unknown", 1, []string{"unknown", "line to add: " + strings.Join(x.lines["unknown"], " ")}, ""},
	} {
		t.Run(c.host, func(t *testing.T) {
			code, out, errs := bot(t.Context(), "hostkeys", "--config", x.config, c.host)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, words := range c.says {
				if !strings.Contains(out, words) {
					t.Errorf("%q is missing", words)
				}
			}
			if c.not != "" && strings.Contains(out, c.not) {
				t.Errorf("%q must not appear", c.not)
			}
			t.Logf("%s%s", out, errs)
		})
	}
	if code, _, _ := bot(t.Context(), "hostkeys", "--config", x.config, "nosuch"); code != 2 {
		t.Errorf("a host that the config does not have: exit code %d, want 2", code)
	}
	if x.read(x.known) != before {
		t.Error("known_hosts was written")
	}
}
