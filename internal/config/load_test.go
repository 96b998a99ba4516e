package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"dhbot/internal/secret"
)

const (
	appToken = "xapp-1-A0-123-secretsecret"
	botToken = "xoxb-1-2-secretsecret"
)

// site makes a directory with a valid config, and returns its path.
func site(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // independent of the umask
			t.Fatal(err)
		}
	}
	write("id", "-----BEGIN OPENSSH PRIVATE KEY-----\n", 0o600)
	write("known_hosts", "infra-1 ssh-ed25519 AAAA\n", 0o644)
	write("password", "etcdsecret\n", 0o600)
	write("ca.pem", "-----BEGIN CERTIFICATE-----\n", 0o644)
	write("app-token", appToken+"\n", 0o600)
	write("dhbot.yaml", `slack: {home_teams: [T0HOME], audit_channel: C0AUDIT}
state:
  dir: `+filepath.Join(dir, "state")+`
  archive: `+filepath.Join(dir, "archive")+`
  etcd: {endpoints: ["https://127.0.0.9:2379"], tls: {ca: ca.pem}, user: dhbot, password_file: password}
ssh: {user: dhops, key_file: id, known_hosts: known_hosts}
people:
  anna: {slack: [T0HOME/U0ANNA]}
clusters:
  prod:
    catalog: current
    roles: {readers: [anna]}
    hosts:
      infra-1: {address: 127.0.0.1, processes: [db_dis]}
`, 0o644)
	return dir
}

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

var bothTokens = environment("SLACK_APP_TOKEN", appToken, "SLACK_BOT_TOKEN", botToken)

// Commands that do not connect to Slack need no token.
func TestLoadWithoutTokens(t *testing.T) {
	file := filepath.Join(site(t), "dhbot.yaml")
	if _, problems := Load(file, environment()); !problems.Fatal() {
		t.Error("Load accepts a config without tokens")
	}
	if _, problems := LoadWithoutTokens(file); problems.Fatal() {
		t.Errorf("%v", problems)
	}
}

func TestLoad(t *testing.T) {
	dir := site(t)
	env := environment("SLACK_APP_TOKEN_FILE", filepath.Join(dir, "app-token"), "SLACK_BOT_TOKEN", botToken)
	c, problems := Load(filepath.Join(dir, "dhbot.yaml"), env)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if c.Slack.AppToken.Reveal() != appToken || c.Slack.BotToken.Reveal() != botToken || c.State.Etcd.Password.Reveal() != "etcdsecret" {
		t.Error("a secret was not read")
	}
	if c.SSH.Credentials[0].KeyFile != filepath.Join(dir, "id") || c.SSH.KnownHosts != filepath.Join(dir, "known_hosts") || c.State.Etcd.CAFile != filepath.Join(dir, "ca.pem") {
		t.Errorf("paths do not start at the file's directory: %+v, %+v", c.SSH, c.State.Etcd)
	}
}

// The key of the state may be a credential that systemd provides, like the other secret files.
func TestStateKeyIsCredential(t *testing.T) {
	dir := site(t)
	file := filepath.Join(dir, "dhbot.yaml")
	if err := replace(file, "  etcd:", "  key_file: $CREDENTIALS_DIRECTORY/state.key\n  etcd:"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/dhbot.service")
	if c, problems := Load(file, bothTokens); problems.Fatal() || c.State.KeyFile != "/run/credentials/dhbot.service/state.key" {
		t.Errorf("%s, %v", c.State.KeyFile, problems)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, problems := Load(file, bothTokens); !strings.Contains(problems.Error(), "state.key_file: the variable CREDENTIALS_DIRECTORY is not set") {
		t.Errorf("%v", problems)
	}
}

// Each row breaks one part of the site.
func TestLoadProblems(t *testing.T) {
	for _, tt := range []struct {
		name    string
		breaks  func(dir string) error
		env     func(string) string
		problem string
	}{
		{"no config", func(d string) error { return os.Remove(filepath.Join(d, "dhbot.yaml")) }, bothTokens, "the config cannot be read: no such file"},
		{"no key file", func(d string) error { return os.Remove(filepath.Join(d, "id")) }, bothTokens, "6:20: ssh.key_file: "},
		{"key readable by a group", func(d string) error { return os.Chmod(filepath.Join(d, "id"), 0o640) }, bothTokens, "(mode 0640); chmod 600"},
		{"empty key", func(d string) error { return os.Truncate(filepath.Join(d, "id"), 0) }, bothTokens, "is empty"},
		{"no known_hosts", func(d string) error { return os.Remove(filepath.Join(d, "known_hosts")) }, bothTokens, "ssh.known_hosts: "},
		{"known_hosts writable by others", func(d string) error { return os.Chmod(filepath.Join(d, "known_hosts"), 0o666) }, bothTokens, "decide which host keys are trusted"},
		{"password readable by others", func(d string) error { return os.Chmod(filepath.Join(d, "password"), 0o644) }, bothTokens, "state.etcd.password_file: others can read"},
		{"state is a file", func(d string) error { return os.WriteFile(filepath.Join(d, "state"), nil, 0o600) }, bothTokens, "this is not a directory"},
		{"state directory open to others", func(d string) error { return os.Mkdir(filepath.Join(d, "state"), 0o755) }, bothTokens, "chmod 700"},
		{"no token", nil, environment("SLACK_APP_TOKEN", appToken), "environment: SLACK_BOT_TOKEN: this is not set"},
		{"tokens swapped", nil, environment("SLACK_APP_TOKEN", botToken, "SLACK_BOT_TOKEN", appToken), "must begin with xapp-"},
		{"token set twice", nil, environment("SLACK_APP_TOKEN", appToken, "SLACK_APP_TOKEN_FILE", "/x", "SLACK_BOT_TOKEN", botToken), "both set"},
		{"token instead of its file", nil, environment("SLACK_APP_TOKEN_FILE", appToken, "SLACK_BOT_TOKEN", botToken), "SLACK_APP_TOKEN_FILE is a token, not the path"},
		{"no token file", nil, environment("SLACK_APP_TOKEN_FILE", "/nonexistent", "SLACK_BOT_TOKEN", botToken), "/nonexistent cannot be read"},
		{"the store is on a host of the fleet", func(d string) error {
			// Only a look-up of the name shows that "localhost" and 127.0.0.1 are one machine.
			return replace(filepath.Join(d, "dhbot.yaml"), "127.0.0.9:2379", "localhost:2379")
		}, bothTokens, "5:22: state.etcd.endpoints.0: this etcd runs on infra-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := site(t)
			if tt.breaks != nil {
				if err := tt.breaks(dir); err != nil {
					t.Fatal(err)
				}
			}
			_, problems := Load(filepath.Join(dir, "dhbot.yaml"), tt.env)
			if !problems.Fatal() || !strings.Contains(problems.Error(), tt.problem) {
				t.Errorf("no problem contains %q; there are:\n%v", tt.problem, problems)
			}
			if strings.Contains(problems.Error(), "secretsecret") || strings.Contains(problems.Error(), "etcdsecret") {
				t.Errorf("the problems contain a secret:\n%v", problems)
			}
		})
	}
}

func replace(path, from, to string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(data), from, to)), 0o644)
}

// As in OpenSSH, a key that only an ssh_config names may be missing.
func TestMissingIdentityFile(t *testing.T) {
	dir := site(t)
	sshConfig := filepath.Join(dir, "ssh_config")
	text := "Host *\nIdentityFile " + dir + "/none\nIdentityFile " + dir + "/id\n"
	if err := os.WriteFile(sshConfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "dhbot.yaml")
	if err := replace(file, "known_hosts: known_hosts", "known_hosts: known_hosts, config_file: ssh_config"); err != nil {
		t.Fatal(err)
	}
	c, problems := Load(file, bothTokens)
	if problems.Fatal() || !strings.Contains(fmt.Sprint(problems), dir+"/none: warning: ssh.config_file: this key cannot be read") {
		t.Errorf("%v", problems)
	}
	for place, o := range c.SSH.Options {
		if len(o.Credentials) != 1 || o.Credentials[0].KeyFile != filepath.Join(dir, "id") {
			t.Errorf("%s: %+v", place, o)
		}
	}
	if len(c.SSH.Options) == 0 {
		t.Error("the ssh_config is ignored")
	}
}

// A token file that others can read is refused, whatever its content.
func TestTokenFileOthersRead(t *testing.T) {
	for _, name := range []string{"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN"} {
		dir := site(t)
		path := filepath.Join(dir, "app-token")
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		_, problems := Load(filepath.Join(dir, "dhbot.yaml"), environment(name+"_FILE", path))
		if !strings.Contains(problems.Error(), name+"_FILE: others can read "+path) {
			t.Errorf("%v", problems)
		}
	}
}

// Printing a config in any way prints no secret.
func TestSecretsStayHidden(t *testing.T) {
	c := &Config{Slack: Slack{AppToken: secret.New(appToken)}, State: State{Etcd: &Etcd{Password: secret.New("etcdhunter2")}}}
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T%v", "%10s", "%.2s"} {
		for _, x := range []any{c, *c, c.Slack, c.State.Etcd} {
			printed = append(printed, fmt.Sprintf(verb, x))
		}
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(c.Slack)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "token", c.Slack.AppToken, "config", c)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "token", c.Slack.AppToken, "config", c)
	printed = append(printed, string(asJSON), string(asYAML), logged.String())
	for _, p := range printed {
		for _, leaked := range []string{"hunter2", "xapp", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2")} {
			if strings.Contains(p, leaked) {
				t.Errorf("%q is in %s", leaked, p)
			}
		}
	}
	if !strings.Contains(string(asJSON), "redacted") || !strings.Contains(logged.String(), "redacted") {
		t.Errorf("hidden values are not marked: %s, %s", asJSON, logged.String())
	}
}
