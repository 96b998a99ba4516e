package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/config"
	"dhbot/internal/fleet"
)

// Bad lines and hosts without a key are reported without a connection, with
// line and key.
func TestCheckKnownHosts(t *testing.T) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG7xPwvpd9a7Gd7mGH7uSPLVQYF2ZpDPKUN9WMEbBDmk"
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte("# prod\n10.0.0.5 "+key+"\n10.0.0.6 ssh-ed25519\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{}
	cfg.SSH.KnownHosts = file
	cfg.Fleet.Clusters = []fleet.Cluster{{Name: "prod", Hosts: []fleet.Host{
		{Name: "infra-1", Address: "10.0.0.5:22", Via: "jump@bastion:22"}, {Name: "query-1", Address: "10.0.0.6:22"}, {Name: "query-2", Address: "10.0.0.5:2222"},
	}}}
	got := CheckKnownHosts(cfg)
	want := []string{file + ":3:1: warning: skipped: the key after", "clusters.prod.hosts.infra-1 (its jump host): no key of bastion:22", "clusters.prod.hosts.query-1: no key of 10.0.0.6:22"}
	if len(got) != len(want) || got.Fatal() {
		t.Fatalf("problems %v, want 3 warnings", got)
	}
	for i, w := range want {
		if !strings.Contains(got[i].String(), w) {
			t.Errorf("%s; want %s", got[i], w)
		}
	}
	cfg.SSH.KnownHosts = file + "-not-there"
	if got := CheckKnownHosts(cfg); len(got) != 1 || !strings.Contains(got[0].String(), "no such file") {
		t.Errorf("problems %v, want that the file does not exist", got)
	}
}
