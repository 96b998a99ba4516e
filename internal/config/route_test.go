package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dhbot/internal/sshroute"
	"dhbot/internal/strictyaml"
)

// routed parses a config with the given ssh part and hosts, next to an ssh_config.
func routed(t *testing.T, ssh, hosts, sshConfig string) (*Config, strictyaml.Problems) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ssh_config"), []byte(sshConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`slack: {home: T0EXAMPLE, audit_channel: C0AUDIT}
state: {dir: /var/lib/dhbot}
ssh: {user: dhops, known_hosts: known_hosts, %s}
people: {anna: {slack: [U0ANNA]}, ben: {slack: [U0BEN]}}
clusters:
  prod:
    catalog: current
    roles: {operators: [anna], approvers: [ben]}
    hosts:
%s`, ssh, hosts)
	return Parse(filepath.Join(dir, "config.yaml"), []byte(text))
}

const sites = `Host infra-1 infra-2
    HostName %h.example.com
    Port 2201
    ProxyJump inner
Host inner
    HostName 10.0.0.2
    User jump
    ProxyJump root@outer:2022
    HostKeyAlias inner.internal
Host outer
    HostName bastion.example.com
    IdentityFile /keys/outer
Host infra-2
    User special
    KexAlgorithms +diffie-hellman-group14-sha1
    IdentityFile /keys/infra-2
    CertificateFile /keys/infra-2-user.pub
`

// Addresses, logins and jump hosts: settings of a host take precedence over the ssh_config, and the
// ssh_config over the settings for all hosts.
func TestRoutes(t *testing.T) {
	const inner = "root@bastion.example.com:2022,jump@10.0.0.2:22"
	c, problems := routed(t, "key_file: id, config_file: ssh_config, proxy_jump: gate@10.9.9.9", `
      infra-1: {address: infra-1, processes: [db_dis]}
      infra-2: {address: infra-2, processes: [db_dis]}
      infra-3: {address: "infra-1:2222", login: other, proxy_jump: none, processes: [db_dis], host_key_alias: three}
      infra-4: {address: "10.0.0.4", proxy_jump: "a@x,b@y:2022", key_file: own, processes: [db_dis]}
      infra-5: {address: "10.0.0.5", processes: [db_dis], algorithms: {ciphers: "+aes128-cbc", kex: curve25519-sha256}}
`, sites)
	if problems.Fatal() {
		t.Fatal(problems)
	}
	for name, want := range map[string]string{
		"infra-1": "dhops " + inner + ",infra-1.example.com:2201",
		"infra-2": "special " + inner + ",infra-2.example.com:2201",
		"infra-3": "other infra-1.example.com:2222",
		"infra-4": "dhops a@x:22,b@y:2022,10.0.0.4:22",
		"infra-5": "dhops gate@10.9.9.9:22,10.0.0.5:22",
	} {
		h, _ := c.Fleet.Clusters[0].Host(name)
		if got := h.Login + " " + (sshroute.Place{Address: h.Address, Via: h.Via}).String(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	option := func(address, via string) sshroute.Options {
		return c.SSH.Options[sshroute.Place{Address: address, Via: via}]
	}
	if o := option("10.0.0.2:22", "root@bastion.example.com:2022"); o.Alias != "inner.internal" {
		t.Errorf("the inner jump host: %+v", o)
	}
	if o := option("bastion.example.com:2022", ""); len(o.Credentials) != 1 || o.Credentials[0].KeyFile != "/keys/outer" {
		t.Errorf("the outer jump host: %+v", o)
	}
	if o := option("infra-2.example.com:2201", inner); !slices.Contains(o.Algorithms.KeyExchanges, "diffie-hellman-group14-sha1") ||
		o.Credentials[0] != (sshroute.Credential{KeyFile: "/keys/infra-2", CertificateFile: "/keys/infra-2-user.pub"}) {
		t.Errorf("infra-2: %+v", o)
	}
	if o := option("infra-1.example.com:2222", ""); o.Alias != "three" {
		t.Errorf("infra-3: %+v", o)
	}
	if o := option("10.0.0.5:22", "gate@10.9.9.9:22"); !slices.Equal(o.Algorithms.KeyExchanges, []string{"curve25519-sha256"}) {
		t.Errorf("infra-5: %+v", o)
	}
	var warned []string
	for _, p := range problems {
		if strings.Contains(p.What, "is insecure") {
			warned = append(warned, p.String())
		}
	}
	if len(warned) != 2 || !strings.Contains(warned[0]+warned[1], "ssh_config:15:1: warning: ssh.config_file: KexAlgorithms allows diffie-hellman-group14-sha1") ||
		!strings.Contains(warned[0]+warned[1], "infra-5.algorithms.ciphers: Ciphers allows aes128-cbc") {
		t.Errorf("warnings: %q", warned)
	}
}

// The word none is never the name of a jump host, with and without an ssh_config.
func TestNoJumpHost(t *testing.T) {
	host := "\n      infra-1: {address: infra-1, processes: [db_dis]}\n"
	for _, tt := range []struct{ ssh, sshConfig string }{
		{"key_file: id, proxy_jump: none", ""},
		{"key_file: id, proxy_jump: none, config_file: ssh_config", "Host other\nUser a\n"},
		{"key_file: id, proxy_jump: a@gate, config_file: ssh_config", "Host *\nProxyJump None\n"},
	} {
		c, problems := routed(t, tt.ssh, host, tt.sshConfig)
		if h, _ := c.Fleet.Clusters[0].Host("infra-1"); problems.Fatal() || h.Via != "" || c.SSH.ProxyJump == "none" {
			t.Errorf("%s: via %q, %v", tt.ssh, h.Via, problems)
		}
	}
}

// The same address behind two bastions is two machines; behind one bastion it is one machine.
func TestSameAddressTwice(t *testing.T) {
	hosts := `
      infra-1: {address: 10.0.0.5, proxy_jump: a@one, processes: [db_dis]}
      infra-2: {address: 10.0.0.5, proxy_jump: a@%s, processes: [db_dis]}
`
	if _, problems := routed(t, "key_file: id", fmt.Sprintf(hosts, "two"), ""); problems.Fatal() {
		t.Errorf("behind two: %v", problems)
	}
	if _, problems := routed(t, "key_file: id", fmt.Sprintf(hosts, "one"), ""); !problems.Fatal() {
		t.Error("one machine under two names was accepted")
	}
}

// Unusable settings are reported with their place.
func TestRouteProblems(t *testing.T) {
	host := "\n      infra-1: {address: infra-1, processes: [db_dis]}\n"
	for _, tt := range []struct{ ssh, hosts, sshConfig, want string }{
		{"key_file: id, config_file: ssh_config", host, "Host *\n  ProxyCommand nc %h %p\n", "ssh_config:2:1: ssh.config_file: ProxyCommand would run"},
		{"key_file: id, config_file: ssh_config", host, "Host a\n\nMatch exec true\n", "ssh_config:3:1: ssh.config_file: Match exec would run"},
		{"key_file: id, config_file: ssh_config", host, "Include /etc/passwd\n", "ssh_config:1:1: ssh.config_file: /etc/passwd is outside "},
		{"key_file: id, config_file: ssh_config", host, "Host *\nProxyJump infra-1\n", "form a loop; correct the ProxyJump lines"},
		{"key_file: id, config_file: ssh_config", host, "HostName a/b\n", "not an address"},
		{"key_file: id, config_file: none", host, "", "cannot be read"},
		{"key_file: id, credentials: [{key_file: id}]", host, "", "both set"},
		{"credentials: [{agent: SSH_AUTH_SOCK, key_file: id}]", host, "", "either an agent or a key file"},
		{"credentials: []", host, "", "is empty"},
		{"known: x", host, "", "key_file: this is missing"},
		{"key_file: id, renew: [renew]", host, "", "absolute path"},
		{"key_file: id, proxy_jump: bastion", host, "", "is not a jump host; write user@host"},
		{"key_file: id, config_file: ssh_config, proxy_jump: 'bastion,none'", host, "", `"none" is not a jump host`},
		{"key_file: id, proxy_jump: 'a@a,a@b,a@c,a@d,a@e,a@f,a@g,a@h,a@i'", host, "", "more than 8 jump hosts; choose a shorter route"},
		{"key_file: id", "\n      infra-1: {address: a, processes: [db_dis], algorithms: {kex: +rot13}}\n", "", "does not implement rot13"},
		{"key_file: id", "\n      infra-1: {address: a, processes: [db_dis], algorithms: {ciphers: rot13}}\n", "", "leaves no algorithm"},
	} {
		_, problems := routed(t, tt.ssh, tt.hosts, tt.sshConfig)
		if !problems.Fatal() || !strings.Contains(fmt.Sprint(problems), tt.want) {
			t.Errorf("%s: %v; want %s", tt.ssh, problems, tt.want)
		}
	}
}

// Replicas must have the same ssh_config too.
func TestSSHConfigIsHashed(t *testing.T) {
	host := "\n      infra-1: {address: infra-1, processes: [db_dis]}\n"
	one, _ := routed(t, "key_file: id, config_file: ssh_config", host, "User a\n")
	two, _ := routed(t, "key_file: id, config_file: ssh_config", host, "User b\n")
	if one.Hash == two.Hash {
		t.Error("two different ssh_configs have the same hash")
	}
}
