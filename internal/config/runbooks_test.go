package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withRunbooks returns a config that names a directory of runbooks. The config uses the process
// market_feed, which only those runbooks can define.
func withRunbooks(dir string) []byte {
	return fmt.Appendf(nil, `slack: {home_teams: [T0HOME], audit_channel: C0AUDIT}
state: {dir: /var/lib/dhbot}
ssh: {user: dhops, key_file: id, known_hosts: known_hosts}
people: {anna: {slack: [T0HOME/U0ANNA]}}
runbooks: %s
clusters:
  prod:
    catalog: current
    roles: {readers: [anna]}
    hosts:
      infra-1: {address: 10.0.0.5, processes: [db_dis, market_feed]}
      infra-2: {adress: 10.0.0.6, processes: [db_dis]}
`, dir)
}

// The config is checked against the site's own runbooks too. Problems of the runbooks are
// reported together with problems of the config.
func TestRunbooks(t *testing.T) {
	for _, tt := range []struct {
		dir  string
		want []string // parts of the fatal problems, in order
	}{
		{"own/good", []string{
			"testdata/dhbot.yaml:12:7: clusters.prod.hosts.infra-2.address: this is missing",
			`testdata/dhbot.yaml:12:17: clusters.prod.hosts.infra-2.adress: there is no key "adress" here`,
		}},
		{"own/broken", []string{
			"testdata/dhbot.yaml:12:7: ", "testdata/dhbot.yaml:12:17: ",
			"testdata/own/broken/feed.yaml:5:5: processes.0.level: ",
			"testdata/own/broken/feed.yaml:7:5: processes.0.manager: ",
			"testdata/own/broken/other.yaml:2:1: ",
		}},
		{"own/yml", []string{"dhbot.yaml:5:1: runbooks: testdata/own/yml cannot be read: feed.yml would not be read", "12:7", "12:17"}},
		{"own", []string{"dhbot.yaml:5:1: runbooks: testdata/own holds no *.yaml file", "12:7", "12:17"}},
		{"own/none", []string{"dhbot.yaml:5:1: runbooks: testdata/own/none cannot be read: no such file", "12:7", "12:17"}},
		{"dhbot.yaml", []string{"dhbot.yaml:5:1: runbooks: testdata/dhbot.yaml cannot be read", "12:7", "12:17"}},
		{`""`, []string{`11:56: clusters.prod.hosts.infra-1.processes.1: the catalog "current" has no process "market_feed"`, "12:7", "12:17"}},
	} {
		c, problems := Parse("testdata/dhbot.yaml", withRunbooks(tt.dir))
		var got []string
		for _, p := range problems {
			if !p.Warning {
				got = append(got, p.String())
			}
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: %d problems, want %d:\n%s", tt.dir, len(got), len(tt.want), strings.Join(got, "\n"))
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], tt.want[i]) {
				t.Errorf("%s: %s\nwant %s", tt.dir, got[i], tt.want[i])
			}
		}
		if tt.dir != "own/good" {
			continue
		}
		catalog, _ := c.Catalogs.Get("current")
		if p := catalog.Find("feed").Process; p == nil || p.ID != "market_feed" {
			t.Errorf("the catalog finds %+v", p)
		}
	}
}

// A different runbook changes the hash of the config, because replicas must have the same
// runbooks.
func TestRunbooksAreHashed(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/own/good/feed.yaml")
	if err != nil {
		t.Fatal(err)
	}
	hash := func(text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "feed.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, _ := Parse("dhbot.yaml", withRunbooks(dir))
		if len(c.Hash) != 64 {
			t.Fatalf("hash %q", c.Hash)
		}
		return c.Hash
	}
	one := hash(string(text))
	if one != hash(string(text)) || one == hash(string(text)+"\n# a remark\n") {
		t.Error("the hash does not depend on the files")
	}
}

// A runbook that another account can write is refused.
func TestRunbooksWritableByOthers(t *testing.T) {
	for _, tt := range []struct {
		path    string
		mode    os.FileMode
		problem string
	}{
		{"runbooks", 0o755, ""},
		{"runbooks", 0o775, "15:1: runbooks: others can write "},
		{"runbooks/feed.yaml", 0o664, "15:1: runbooks: others can write "},
		{"runbooks/feed.yaml", 0o646, "(mode 0646): another account could decide which commands run; make root or the bot's user the owner of the file"},
	} {
		dir := site(t)
		own := filepath.Join(dir, "runbooks")
		if err := os.CopyFS(own, os.DirFS("testdata/own/good")); err != nil {
			t.Fatal(err)
		}
		if err := replace(filepath.Join(dir, "dhbot.yaml"), "[db_dis]}\n", "[market_feed]}\nrunbooks: runbooks\n"); err != nil {
			t.Fatal(err)
		}
		for path, mode := range map[string]os.FileMode{"runbooks": 0o700, "runbooks/feed.yaml": 0o600, tt.path: tt.mode} {
			if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
				t.Fatal(err)
			}
		}
		c, problems := Load(filepath.Join(dir, "dhbot.yaml"), bothTokens)
		if tt.problem == "" {
			if err := problems.Err(); err != nil || c.Runbooks != own {
				t.Errorf("%s %o: %q, %v", tt.path, tt.mode, c.Runbooks, err)
			}
			continue
		}
		if !problems.Fatal() || !strings.Contains(problems.Error(), tt.problem) {
			t.Errorf("%s %o: no problem contains %q: %v", tt.path, tt.mode, tt.problem, problems)
		}
	}
}
