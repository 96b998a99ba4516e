package sshconfig

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/test/testenv"
)

// site copies the example config of a site to a new directory and returns its path.
func site(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"site.conf", "conf.d/10-teams.conf"} {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, strings.ReplaceAll(string(text), "@DIR@", dir))
	}
	return filepath.Join(dir, "site.conf")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reached says how a host is reached, in the terms of ssh -G.
type reached struct{ hostname, port, user, jump string }

// byOpenSSH returns how OpenSSH would reach a host, according to ssh -G.
func byOpenSSH(t *testing.T, config, name string) reached {
	t.Helper()
	cmd := exec.Command(testenv.Program(t, "ssh"), "-G", "-F", config, name)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ssh -G %s: %v: %s", name, err, said.String())
	}
	var r reached
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "hostname":
			r.hostname = value
		case "port":
			r.port = value
		case "user":
			r.user = value
		case "proxyjump":
			r.jump = value
		}
	}
	return r
}

// byUs returns how a host would be reached according to this package.
func byUs(t *testing.T, f *File, name string) reached {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	h, problems := f.For(name, "", me.Username)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", name, problems)
	}
	r := reached{h.HostName, h.Port, h.User, h.ProxyJump}
	if r.port == "" {
		r.port = "22"
	}
	if r.user == "" {
		r.user = me.Username
	}
	if r.jump == "none" {
		r.jump = ""
	}
	return r
}

func compare(t *testing.T, config string, names []string) {
	t.Helper()
	f, problems := Read(config)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, name := range names {
		ours, theirs := byUs(t, f, name), byOpenSSH(t, config, name)
		// ssh puts every address with a port in brackets.
		theirs.jump = strings.NewReplacer("[10.9.9.9]", "10.9.9.9").Replace(theirs.jump)
		if ours != theirs {
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			t.Errorf("%s: %+v, ssh -G has %+v", name, ours, theirs)
			if len(text) < 2000 {
				t.Logf("%s", text)
			}
		}
	}
}

// TestSiteAsOpenSSH reads a config of 200 lines, and compares the result for each host with ssh
// -G.
func TestSiteAsOpenSSH(t *testing.T) {
	names := []string{
		"bastion", "bastion-eu", "inner-1", "web1", "web9", "web", "web12", "a.lab.example.com", "secret.lab.example.com",
		"x.old.lab.example.com", "old-1", "old-2", "old-3", "old-4", "old-5", "legacy-7", "db-1", "db-2", "db-3", "db-9", "10.3.4.5",
		"10.30.4.5", "fd00::7", "team-1", "team-2", "localhost", "127.0.0.1", "unknown", "x.example.com", "app-3", "app-3.eu.example.com",
	}
	for i := range 10 {
		names = append(names, fmt.Sprintf("infra-%d", i), fmt.Sprintf("infra%d", i), fmt.Sprintf("query-%d", i), fmt.Sprintf("n.infra-%d.example.com", i))
	}
	compare(t, site(t), names)
}

// TestRandomAsOpenSSH compares random configs with ssh -G.
func TestRandomAsOpenSSH(t *testing.T) {
	random := rand.New(rand.NewPCG(16, 2026))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	patterns := func() string {
		var out []string
		for range 1 + random.IntN(3) {
			out = append(out, pick("", "", "!")+pick("*", "a*", "?", "a?", "ab", "b", "*b", "a.b", "*.b", "10.0.0.?", "10.0.0.1"))
		}
		return strings.Join(out, " ")
	}
	for range 60 {
		dir := t.TempDir()
		var text func(depth int) string
		text = func(depth int) string {
			var b strings.Builder
			for range 4 + random.IntN(12) {
				switch random.IntN(8) {
				case 0, 1:
					fmt.Fprintf(&b, "%s%s%s\n", pick("Host ", "host\t", "HOST = ", "Host="), patterns(), pick("", " ", " # said"))
				case 2:
					fmt.Fprintf(&b, "Match %s%s %s\n", pick("", "!"), pick("host", "originalhost", "user"), strings.ReplaceAll(patterns(), " ", ","))
				case 3:
					if depth < 3 {
						name := filepath.Join(dir, fmt.Sprintf("part-%d-%d", depth, random.IntN(1<<30)))
						write(t, name, text(depth+1))
						fmt.Fprintf(&b, "Include %s\n", name)
					}
				default:
					fmt.Fprintf(&b, "%s%s%s\n", pick("", "  ", "\t"), pick(
						"HostName ab", "HostName %h.b", "HostName=10.0.0.1", "User ab", "User \"b\"", "Port 2201", "Port = 2202",
						"ProxyJump j", "ProxyJump u@k:2203,l", "ProxyJump none", "Compression yes", "HostKeyAlias x",
					), pick("", " ", "\t"))
				}
			}
			return b.String()
		}
		config := filepath.Join(dir, "config")
		write(t, config, text(0))
		compare(t, config, []string{"a", "ab", "b", "a.b", "10.0.0.1", "10.0.0.12"})
	}
}

// TestRefused: a line that would run a program, query the network or read files elsewhere is
// refused. The problem names the number of the line.
func TestRefused(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "other")
	write(t, elsewhere, "User somebody\n")
	for _, tt := range []struct {
		line, what string
		warning    bool
	}{
		{"ProxyCommand nc %h %p", "ProxyCommand would run", false},
		{"  proxycommand = ssh -W %h:%p bastion", "ProxyCommand would run", false},
		{"Match exec \"test -e /tmp/x\"", "Match exec would run", false},
		{"Match host a exec true", "Match exec would run", false},
		{"Match !exec true", "Match exec would run", false},
		{"Match final", "Match final is not supported", false},
		{"Match host", "Match host has no value", false},
		{"Include " + elsewhere, "is outside ", false},
		{"Include ../other", "is outside ", false},
		{"Include inside-link", "is outside ", false},
		{"Include /etc/ssh/ssh_config.d/none-*.conf", "is outside ", false},
		{"Include itself", "too deeply", false},
		{"CanonicalizeHostname yes", "does not canonicalise", false},
		{"HostNmae infra-1", "is not a keyword", false},
		{"User \"ops", "quote is not closed", false},
		{"User", "has no value", false},
		{"StrictHostKeyChecking no", "not used: host keys are always checked", true},
		{"UserKnownHostsFile /dev/null", "not used: host keys are always checked", true},
	} {
		dir := t.TempDir()
		if err := os.Symlink(elsewhere, filepath.Join(dir, "inside-link")); err != nil {
			t.Fatal(err)
		}
		config := filepath.Join(dir, "itself")
		write(t, config, "Host *\n# a comment\n"+tt.line+"\nUser ops\n")
		f, problems := Read(config)
		if len(problems) == 0 || problems[0].Line != 3 || !strings.Contains(problems[0].What, tt.what) || problems[0].Warning != tt.warning {
			t.Errorf("%s: %v", tt.line, problems)
		}
		if strings.Contains(string(f.Text), "somebody") {
			t.Errorf("%s: the file was read", tt.line)
		}
	}
}
