package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/internal/fleet"
	"dhbot/internal/strictyaml"
	"dhbot/runbooks"
)

// The example config has no problems, and its values mean what its comments say.
func TestExample(t *testing.T) {
	data, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, problems := Parse("config.example.yaml", data)
	if len(problems) > 0 {
		t.Fatalf("the example has problems:\n%v", problems)
	}
	prod, ok := c.Fleet.Cluster("prod")
	if !ok || prod.Catalog != "current" || prod.ACLs != fleet.ACLsInEtcd || len(prod.Hosts) != 2 {
		t.Errorf("prod: %+v", prod)
	}
	if h, _ := prod.Host("infra-1"); h.Address != "10.0.0.5:22" || h.Login != "dhops" || !h.Runs("db_dis") {
		t.Errorf("infra-1: %+v", h)
	}
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, tt := range []struct {
		process, at string
		want        bool
	}{
		{"status_dashboard", "2026-11-20T12:00:00-05:00", true},
		{"status_dashboard", "2026-11-20T20:00:00-05:00", false},
		{"status_dashboard", "2026-11-21T12:00:00-05:00", false}, // a Saturday
		{"db_dis", "2026-11-21T03:00:00-05:00", true},
	} {
		if got := prod.ShouldBeUp(tt.process, at(tt.at)); got != tt.want {
			t.Errorf("%s should be up at %s: %v, want %v", tt.process, tt.at, got, tt.want)
		}
	}
	who, err := c.Rules.Identify(auth.Profile{Account: auth.Account{User: "U0BEN"}, ID: "U0BEN", Organisation: "T0EXAMPLE"})
	if err != nil || who.Name != "ben" {
		t.Errorf("ben: %v, %v", who, err)
	}
	if err := c.Rules.MayAsk(who, "prod", runbooks.Disruptive, ""); err != nil {
		t.Errorf("ben may request: %v", err)
	}
	if c.VoteTTL != 15*time.Minute || c.StartTTL != 2*time.Minute || len(c.Hash) != 64 {
		t.Errorf("ttl %s, start %s, hash %q", c.VoteTTL, c.StartTTL, c.Hash)
	}
}

// Keys that are commented out in the example config are valid too.
func TestExampleUncommented(t *testing.T) {
	data, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^( +)# ((?:  )*[a-z_]+:(?: .*)?)$`).ReplaceAllString(string(data), "$1$2")
	text = strings.ReplaceAll(text, "ssh-ed25519 AAAAC3… anna@laptop", testKey)
	c, problems := Parse("uncommented", []byte(text))
	if len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, text)
	}
	if c.State.Etcd == nil || c.State.Archive == "" || c.SSH.ProxyJump == "" || len(c.Keys["anna"]) != 1 || c.Fleet.Clusters[0].Hosts[0].LogRoot == "" {
		t.Errorf("not everything was uncommented:\n%s", text)
	}
}

const testKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2y8TSV1hXAcFQ1Q1mY7S8y3iQ6oQ0q3m9pJY2mVtJ9 anna@laptop"

// wantLine is the format in which a sample lists its problems: # want: LINE: text
var wantLine = regexp.MustCompile(`(?m)^# want: (\d+): (.+)$`)

// Every sample under invalid lists all of its problems, with their lines.
func TestInvalid(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d samples (%v)", len(files), err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, problems := Parse(name, data)
		left := append(strictyaml.Problems(nil), problems...)
		wants := wantLine.FindAllStringSubmatch(string(data), -1)
		if len(wants) == 0 {
			t.Errorf("%s has no line # want:", name)
		}
		for _, want := range wants {
			line, _ := strconv.Atoi(want[1])
			found := false
			for i, p := range left {
				if p.Line == line && strings.Contains(p.String(), want[2]) {
					left, found = append(left[:i], left[i+1:]...), true
					break
				}
			}
			if !found {
				t.Errorf("%s: no problem at line %d contains %q; there are:\n%v", name, line, want[2], problems)
			}
		}
		for _, p := range left {
			t.Errorf("%s: unexpected: %v", name, p)
		}
		for i := range problems {
			if i > 0 && problems[i].Line < problems[i-1].Line {
				t.Errorf("%s: the problems are not sorted:\n%v", name, problems)
			}
			if problems[i].Column < 1 || problems[i].What == "" {
				t.Errorf("%s: a problem has no text, fix or key: %+v", name, problems[i])
			}
			if strings.Contains(problems[i].String(), "hunter2") {
				t.Errorf("%s: a problem contains a password: %v", name, problems[i])
			}
		}
	}
}

func TestValid(t *testing.T) {
	files, err := filepath.Glob("testdata/valid/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d samples (%v)", len(files), err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, problems := Parse(name, data); problems.Fatal() {
			t.Errorf("%v", problems)
		}
	}
}

// If one problem is fatal, Err returns an error that names all problems. Warnings alone are
// no error.
func TestProblemsErr(t *testing.T) {
	warnings := strictyaml.Problems{{File: "f", What: "look", Warning: true}}
	if warnings.Err() != nil {
		t.Errorf("a warning is an error: %v", warnings.Err())
	}
	fatal := append(warnings, strictyaml.Problem{File: "f", Line: 3, Column: 2, Key: "a.b", What: "bad", Instead: "write c"})
	if err := fatal.Err(); err == nil || err.Error() != "f: warning: look\nf:3:2: a.b: bad; write c" {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.yaml", "../../config.example.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := Parse("fuzz", data)
		if problems.Fatal() {
			return
		}
		// A config that passes is complete.
		if c.Rules.Home == "" && len(c.Rules.HomeTeams) == 0 || len(c.Rules.People) == 0 || len(c.Fleet.Clusters) == 0 || c.State.Dir == "" || c.SSH.User == "" {
			t.Errorf("passed although incomplete: %q", data)
		}
		for _, cluster := range c.Fleet.Clusters {
			for _, h := range cluster.Hosts {
				if h.Address == "" || h.Login == "" || len(h.Processes) == 0 {
					t.Errorf("passed with an incomplete host %+v: %q", h, data)
				}
			}
		}
	})
}

func ExampleProblems() {
	data := `slack: {home_teams: [T0HOME], audit_channel: C0AUDIT}
state: {dir: /var/lib/dhbot, etcd: {endpoints: ["https://10.0.0.5:2379"], tls: {ca: ca.pem}, user: dhbot, password_file: pw}, archive: /srv/archive}
ssh: {user: dhops, key_file: id, known_hosts: known_hosts}
people:
  anna: {slack: [T0HOME/U0ANNA]}
clusters:
  prod:
    catalog: current
    roles: {operators: [anna], approvers: [ana]}
    hosts:
      infra-1: {adress: 10.0.0.5, processes: [dis]}
      infra-2: {address: 10.0.0.5, processes: [etc]}
`
	_, problems := Parse("dhbot.yaml", []byte(data))
	for _, p := range problems {
		if !p.Warning {
			fmt.Println(p)
		}
	}
	// Output:
	// dhbot.yaml:2:49: state.etcd.endpoints.0: this etcd runs on infra-2, a host of the fleet: Deephaven's etcd is for Deephaven only, and the bot must not depend on hosts that it repairs; use a separate etcd on other machines, or remove etcd: to use the embedded store
	// dhbot.yaml:9:32: clusters.prod.roles.approvers: too few people could approve a Sev 1 request of anna (approvers needed besides the requester: 1); add people to roles.approvers
	// dhbot.yaml:9:44: clusters.prod.roles.approvers.0: there is no person "ana"; did you mean anna?
	// dhbot.yaml:11:7: clusters.prod.hosts.infra-1.address: this is missing; write the name or address of the host, with :port if the port is not 22
	// dhbot.yaml:11:17: clusters.prod.hosts.infra-1.adress: there is no key "adress" here; did you mean address?
	// dhbot.yaml:11:47: clusters.prod.hosts.infra-1.processes.0: the catalog "current" has no process "dis"; write db_dis
	// dhbot.yaml:12:48: clusters.prod.hosts.infra-2.processes.0: the catalog "current" has no process "etc"; did you mean etcd?
}
