package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/test/testenv"
)

// mountScript makes a root file system in which only the directories of the bot's state can be
// written. It mounts config and secrets read-only at the paths in its first arguments, and runs the
// bot there as a separate user. The config and the secrets belong to root; the directories of a
// ConfigMap have mode 0777.
const mountScript = `d=$1 config=$2 secrets=$3; shift 3
mount -t tmpfs -o mode=755 tmpfs $d/t; mkdir $d/t/root $d/t/bin; cp $d/bot $d/t/bin/bot; chmod 755 $d/t/bin/bot
mount --bind / $d/t/root; mount -o remount,bind,ro $d/t/root; cd $d/t/root
mount -t proc proc proc; mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs mnt; mkdir mnt/bin; mount --bind $d/t/bin mnt/bin
mount -t tmpfs -o mode=755 tmpfs var/lib; mkdir -m 700 var/lib/dhbot var/lib/dhbot-key; chown 65532:65532 var/lib/dhbot var/lib/dhbot-key
mount -o remount,ro,mode=755 tmpfs var/lib; mount -t tmpfs -o uid=65532,gid=65532,mode=700 tmpfs var/lib/dhbot; mount -t tmpfs -o uid=65532,gid=65532,mode=700 tmpfs var/lib/dhbot-key
mount -t tmpfs -o mode=755 tmpfs run; mkdir -p run/credentials/dhbot.service
mount -t tmpfs -o mode=755 tmpfs etc/opt; mkdir etc/opt/dhbot etc/opt/secret
mount --bind $d/config .$config; mount -o remount,bind,ro .$config
mount --bind $d/secrets .$secrets; [ $secrets = /run/credentials/dhbot.service ] || mount -o remount,bind,ro .$secrets
mount -o remount,ro tmpfs mnt; mount -o remount,ro tmpfs run; mount -o remount,ro tmpfs etc/opt
exec chroot . setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs --bounding-set=-all env -i "$@" /mnt/bin/bot run --config $config/config.yaml
`

// mounted is the bot in a root made by mountScript, with its local Slack and simulated hosts.
type mounted struct {
	t     *testing.T
	dir   string
	slack *slacklocal.Server
	hosts *hostsim.Cluster
	bot   *exec.Cmd
	log   said
}

// mount starts the bot with its config and its secrets mounted at the two paths.
func mount(t *testing.T, config, secrets string, env ...string) *mounted {
	t.Helper()
	testenv.NeedRealPrograms(t) // and root, to mount
	m := &mounted{t: t, dir: t.TempDir()}
	var err error
	if m.hosts, err = hostsim.Start(hostsim.Config{Generation: hostsim.Current, Dir: t.TempDir(), Pace: 0.1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.hosts.Close() })
	if m.slack, err = slacklocal.Start(slacklocal.Config{Workspace: slacklocal.DemoWorkspace()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.slack.Close() })
	m.volume("config", 0o644, map[string][]byte{"config.yaml": m.config(config, secrets), "known_hosts": m.read(m.hosts.KnownHosts())})
	m.volume("secrets", 0o440, map[string][]byte{
		"slack-app-token": []byte(m.slack.AppToken()), "slack-bot-token": []byte(m.slack.BotToken()), "ssh-key": m.read(m.hosts.KeyFile()),
	})
	program, err := exec.LookPath("bot")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.dir, "bot"), m.read(program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(m.dir, "t"), 0o755); err != nil {
		t.Fatal(err)
	}
	m.bot = exec.Command("unshare", append([]string{
		"--mount", "--propagation", "private", "bash", "-euc", mountScript, "bash", m.dir, config, secrets,
		"PATH=/usr/bin:/bin", "SLACK_API_URL=" + m.slack.APIURL(),
		"SLACK_APP_TOKEN_FILE=" + secrets + "/slack-app-token", "SLACK_BOT_TOKEN_FILE=" + secrets + "/slack-bot-token",
	}, env...)...)
	m.bot.Stdout, m.bot.Stderr = &m.log, &m.log
	if err := m.bot.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- m.bot.Wait() }()
	t.Cleanup(func() {
		_ = m.bot.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			t.Errorf("the bot ended: %v\n%s", err, &m.log)
		}
	})
	eventually(t, "the bot connects to Slack", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the bot ended: %v\n%s", err, &m.log)
		default:
		}
		return m.slack.Connections() > 0
	})
	return m
}

func (m *mounted) read(path string) []byte {
	m.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

// volume writes files as Kubernetes does: one directory for each version, ..data as a link to the
// current version, and a link for each file. The files belong to root and to the group of the bot.
func (m *mounted) volume(name string, mode os.FileMode, files map[string][]byte) {
	m.t.Helper()
	at := filepath.Join(m.dir, name)
	try := func(err error) {
		m.t.Helper()
		if err != nil {
			m.t.Fatal(err)
		}
	}
	try(os.MkdirAll(at, 0o777))
	try(os.Chmod(at, 0o777))
	version, err := os.MkdirTemp(at, "..version")
	try(err)
	try(os.Chmod(version, 0o755))
	for file, text := range files {
		path := filepath.Join(version, file)
		try(os.WriteFile(path, text, mode))
		try(os.Chmod(path, mode))
		try(os.Chown(path, 0, 65532))
		if link := filepath.Join(at, file); !m.isLink(link) {
			try(os.Symlink("..data/"+file, link))
		}
	}
	try(os.Symlink(filepath.Base(version), filepath.Join(at, "..data_tmp")))
	try(os.Rename(filepath.Join(at, "..data_tmp"), filepath.Join(at, "..data")))
}

func (m *mounted) isLink(path string) bool {
	_, err := os.Readlink(path)
	return err == nil
}

func (m *mounted) config(config, secrets string) []byte {
	var hosts strings.Builder
	for _, h := range demo.Fleet(hostsim.Current, m.hosts.Address).Clusters[0].Hosts {
		fmt.Fprintf(&hosts, "      %s: {address: %q, processes: [%s]}\n", h.Name, h.Address, strings.Join(h.Processes, ", "))
	}
	return fmt.Appendf(nil, `
slack: {home: %s, audit_channel: %s, channels: {%s: prod}}
state: {dir: /var/lib/dhbot, key_file: /var/lib/dhbot-key/state.key}
ssh: {user: %s, key_file: %s/ssh-key, known_hosts: %s/known_hosts}
people:
  operator: {slack: [%s]}
  approver: {slack: [%s]}
clusters:
  prod:
    catalog: current
    roles: {operators: [operator], approvers: [approver]}
    hosts:
%s`, slacklocal.DemoTeam, slacklocal.DemoAudit, slacklocal.DemoIncident, hostsim.Login, secrets, config,
		slacklocal.DemoOperator, slacklocal.DemoApprover, &hosts)
}

func (m *mounted) play(story string) {
	m.t.Helper()
	lines, err := demo.ParseScript(strings.NewReader(story))
	if err != nil {
		m.t.Fatal(err)
	}
	var out bytes.Buffer
	if err := demo.Play(m.t.Context(), demo.Stage{Slack: m.slack.URL(), Out: &out}, lines); err != nil {
		m.t.Fatalf("%v\n%s\n%s", err, &out, &m.log)
	}
}

// posted reports whether the audit channel has a message with all the words.
func (m *mounted) posted(words ...string) bool {
	list, err := m.slack.Messages("audit", "")
	if err != nil {
		m.t.Fatal(err)
	}
	for _, said := range list {
		all := true
		for _, w := range words {
			all = all && strings.Contains(said.Text+string(said.Blocks), w)
		}
		if all {
			return true
		}
	}
	return false
}

const restartStory = "operator: /dh restart db_dis because disk was full\nexpect 2m Approval needed\napprover: approve\nexpect 2m Done in\n"

// TestKubernetesMounts runs the bot from a ConfigMap and a Secret. The bot's user is not root and
// cannot write the root file system. When the ConfigMap gets an invalid config, the bot posts the
// refusal in the audit channel and keeps running.
func TestKubernetesMounts(t *testing.T) {
	t.Parallel()
	m := mount(t, "/etc/opt/dhbot", "/etc/opt/secret")
	m.play(restartStory)
	m.volume("config", 0o644, map[string][]byte{
		"config.yaml": []byte("people: nobody\n"), "known_hosts": m.read(m.hosts.KnownHosts()),
	})
	if err := m.bot.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the refused config is posted", func() bool { return m.posted("New config refused", "config.yaml:1:1: slack: this is missing") })
	m.play("operator: /dh status db_dis\nexpect 2m Sev 0\n")
}

// TestSystemdCredentials runs the bot with its secrets in systemd's credentials directory. Only in
// this directory may a group have read access to a secret.
func TestSystemdCredentials(t *testing.T) {
	t.Parallel()
	const credentials = "/run/credentials/dhbot.service"
	m := mount(t, "/etc/opt/dhbot", credentials, "CREDENTIALS_DIRECTORY="+credentials)
	m.play(restartStory)
}
