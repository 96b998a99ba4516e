package sshexec

import (
	"os"
	"strings"
	"testing"

	"dhbot/internal/sshexec/hostkey"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
)

// TestHostKeysCompared checks that the keys of a host are compared with known_hosts, also behind a
// jump host, and that no key becomes trusted.
func TestHostKeysCompared(t *testing.T) {
	jump, s := sshdtest.Start(t), sshdtest.Start(t)
	path := knowing(t, jump, s)
	p := openPool(t, s, func(c *Config) { c.KnownHosts, c.Credentials = path, sshroute.Keys(jump.KeyFile) })
	look := func() hostkey.Report {
		t.Helper()
		keys, err := p.HostKeys(t.Context(), through(on(s, ""), jump))
		if err != nil || len(keys.Shown) != 1 {
			t.Fatalf("keys %+v, %v, want one key", keys, err)
		}
		return keys
	}
	if k := look(); !k.Shown[0].Known || len(k.Missing) != 0 {
		t.Errorf("a known host: %+v", k)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(jump.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(other))
	if k := look(); k.Shown[0].Known || !strings.Contains(k.Shown[0].Verdict, "unknown") || !strings.Contains(string(before), strings.Fields(k.Shown[0].Line)[2]) {
		t.Errorf("an unknown host: %+v", k)
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != string(other) {
		t.Errorf("known_hosts was changed: %v", err)
	}
	key := strings.Fields(string(other))
	write(t, path, string(other)+strings.Fields(string(before[strings.IndexByte(string(before), '\n')+1:]))[0]+" "+key[1]+" "+key[2]+"\n")
	if k := look(); k.Shown[0].Known || !strings.Contains(k.Shown[0].Verdict, "changed") || len(k.Missing) != 1 {
		t.Errorf("a host with another key: %+v", k)
	}
}
