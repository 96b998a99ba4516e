package installtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sim/slacklocal"
)

// machine is a booted Debian root.
type machine struct {
	t    *testing.T
	init string // the pid of the machine's systemd, as the host sees it
}

// boot boots a machine from the directory root. The machine runs until the test ends.
func boot(t *testing.T, root string) *machine {
	t.Helper()
	work := t.TempDir()
	cmd := exec.Command("./boot.sh", root, work)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // the children of the process end with it
		_ = cmd.Wait()
	})
	eventually(t, time.Minute, "the root boots", func() error {
		child, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
		if err != nil {
			return fmt.Errorf("%w: %s", err, &out)
		}
		m.init = strings.TrimSpace(string(child))
		if state, _ := m.try("systemctl", "is-system-running"); state != "running" && state != "degraded" {
			return fmt.Errorf("it is %q: %s", state, &out)
		}
		return nil
	})
	return m
}

func (m *machine) try(argv ...string) (string, error) {
	in := append([]string{"-t", m.init, "-a", "-r", "-w", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}, argv...)
	out, err := exec.Command("nsenter", in...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// run runs a command as root in the machine.
func (m *machine) run(argv ...string) string {
	m.t.Helper()
	out, err := m.try(argv...)
	if err != nil {
		journal, _ := m.try("journalctl", "-u", "dhbot", "-n", "30", "--no-pager", "-o", "cat")
		m.t.Fatalf("%s: %v: %s\n%s", strings.Join(argv, " "), err, out, journal)
	}
	return out
}

// write creates a file in the machine.
func (m *machine) write(path, mode string, content []byte) {
	m.t.Helper()
	cmd := exec.Command("nsenter", "-t", m.init, "-a", "-r", "-w", "sh", "-c", `cat >"$0.new" && chmod "$1" "$0.new" && mv "$0.new" "$0"`, path, mode)
	cmd.Stdin = bytes.NewReader(content)
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v: %s", path, err, out)
	}
}

// property returns a property of the bot's systemd unit.
func (m *machine) property(name string) string {
	m.t.Helper()
	return m.run("systemctl", "show", "-P", name, "dhbot")
}

func eventually(t *testing.T, within time.Duration, what string, f func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: this did not happen within %s: %v", what, within, err)
		}
	}
}

// world is the bot's environment.
type world struct {
	slack *slacklocal.Server
	hosts *hostsim.Cluster
}

func start(t *testing.T) world {
	t.Helper()
	hosts, err := hostsim.Start(hostsim.Config{Generation: hostsim.Current, Dir: t.TempDir(), Pace: 0.2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hosts.Close() })
	slack, err := slacklocal.Start(slacklocal.Config{Workspace: slacklocal.DemoWorkspace()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slack.Close() })
	return world{slack, hosts}
}

const metricsAddress = "127.0.0.1:19095"

func (w world) config(more string) []byte {
	var hosts strings.Builder
	for _, h := range demo.Fleet(hostsim.Current, w.hosts.Address).Clusters[0].Hosts {
		fmt.Fprintf(&hosts, "      %s: {address: %q, processes: [%s]}\n", h.Name, h.Address, strings.Join(h.Processes, ", "))
	}
	return fmt.Appendf(nil, `
slack: {home: %s, audit_channel: %s, channels: {%s: prod}}
state: {dir: /var/lib/dhbot, key_file: /var/lib/dhbot-key/state.key}
ssh: {user: %s, key_file: /run/credentials/dhbot.service/ssh-key, known_hosts: /etc/dhbot/known_hosts}
people:
  operator: {slack: [%[1]s/%[5]s]}
  approver: {slack: [%[1]s/%[6]s]}
clusters:
  prod:
    catalog: current
    roles: {operators: [operator], approvers: [approver]}
    hosts:
%[7]s%[8]s
`, slacklocal.DemoTeam, slacklocal.DemoAudit, slacklocal.DemoIncident, w.hosts.Login(), slacklocal.DemoOperator, slacklocal.DemoApprover, &hosts, more)
}

// play plays a story on the local Slack.
func (w world) play(t *testing.T, story string) {
	t.Helper()
	lines, err := demo.ParseScript(strings.NewReader(story))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := demo.Play(t.Context(), demo.Stage{Slack: w.slack.URL(), Out: &out}, lines); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
}

// install installs the package, the config and the secrets in the machine.
func (m *machine) install(deb string, w world) {
	m.t.Helper()
	read := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			m.t.Fatal(err)
		}
		return b
	}
	m.write("/tmp/dhbot.deb", "644", read(deb))
	m.run("dpkg", "-i", "/tmp/dhbot.deb")
	m.write("/etc/dhbot/config.yaml", "644", w.config(""))
	m.write("/etc/dhbot/known_hosts", "644", read(w.hosts.KnownHosts()))
	m.write("/etc/default/dhbot", "644", []byte("SLACK_API_URL="+w.slack.APIURL()+"\n"))
	for name, text := range map[string][]byte{
		"slack-app-token": []byte(w.slack.AppToken()), "slack-bot-token": []byte(w.slack.BotToken()), "ssh-key": read(w.hosts.KeyFile()),
	} {
		m.write("/etc/dhbot/credentials/"+name, "600", text)
	}
}

// TestDebianPackage checks the bot of the package under systemd. The bot starts, restarts a
// process after an approval, and reloads its config. If it hangs, the watchdog restarts it.
func TestDebianPackage(t *testing.T) {
	deb, root := os.Getenv("DHBOT_DEB"), os.Getenv("DHBOT_DEB_ROOT")
	if deb == "" || root == "" || os.Geteuid() != 0 {
		t.Skip("needs root, DHBOT_DEB (a package) and DHBOT_DEB_ROOT (made by rootfs.sh)")
	}
	w, m := start(t), boot(t, root)
	m.install(deb, w)
	if out := m.run("bot", "--version"); !strings.HasPrefix(out, "dhbot v") {
		t.Errorf("version: %s", out)
	}
	m.run("systemctl", "start", "dhbot") // returns when the bot has reported readiness
	eventually(t, time.Minute, "the bot is connected to Slack", func() error {
		if w.slack.Connections() == 0 {
			return fmt.Errorf("no connection")
		}
		return nil
	})
	w.play(t, "operator: /dh restart db_dis disk was full\nexpect 20s Approval needed\napprover: approve\nexpect 90s Done\n")
	checkHardening(t, m)
	checkReload(t, m, w)
	checkWatchdog(t, m, w)
	m.run("systemctl", "stop", "dhbot")
	if result := m.property("Result"); result != "success" {
		t.Errorf("stopped with result %s", result)
	}
	m.run("dpkg", "--remove", "dhbot")
}

// checkHardening checks that systemd gives the bot's unit an exposure score below 2.0.
func checkHardening(t *testing.T, m *machine) {
	t.Helper()
	out := m.run("systemd-analyze", "security", "--no-pager", "dhbot.service")
	match := regexp.MustCompile(`Overall exposure level for dhbot.service: ([0-9.]+)`).FindStringSubmatch(out)
	if match == nil {
		t.Fatalf("no score: %s", out)
	}
	if score, err := strconv.ParseFloat(match[1], 64); err != nil || score >= 2 {
		t.Errorf("exposure %s, want less than 2.0:\n%s", match[1], out)
	}
	t.Logf("exposure level %s", match[1])
}

func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), err
}

// checkReload checks that the running process applies a valid config. It also checks that an
// invalid config is refused and changes nothing.
func checkReload(t *testing.T, m *machine, w world) {
	t.Helper()
	pid := m.property("MainPID")
	m.write("/etc/dhbot/config.yaml", "644", w.config("metrics: {listen: '"+metricsAddress+"'}"))
	m.run("systemctl", "reload", "dhbot")
	eventually(t, time.Minute, "the reloaded bot is ready", func() error {
		_, err := get("http://" + metricsAddress + "/readyz")
		return err
	})
	m.write("/etc/dhbot/config.yaml", "644", []byte("people: nobody\n"))
	if out, err := m.try("systemctl", "reload", "dhbot"); err == nil {
		t.Errorf("an invalid config was reloaded: %s", out)
	}
	if _, err := get("http://" + metricsAddress + "/healthz"); err != nil || m.property("MainPID") != pid || m.property("ActiveState") != "active" {
		t.Errorf("after a refused reload: %v, pid %s then %s, %s", err, pid, m.property("MainPID"), m.property("ActiveState"))
	}
	m.write("/etc/dhbot/config.yaml", "644", w.config("metrics: {listen: '"+metricsAddress+"'}"))
}

// checkWatchdog checks that a hanging bot is killed and restarted, and that it works after that.
func checkWatchdog(t *testing.T, m *machine, w world) {
	t.Helper()
	pid := m.property("MainPID")
	m.run("kill", "-STOP", pid)
	eventually(t, 2*time.Minute, "the watchdog restarts the bot", func() error {
		if now := m.property("MainPID"); now == pid || now == "0" || m.property("NRestarts") != "1" {
			return fmt.Errorf("pid %s, %s restarts", now, m.property("NRestarts"))
		}
		_, err := get("http://" + metricsAddress + "/readyz")
		return err
	})
	w.play(t, "operator: /dh status db_dis\nexpect 20s Sev 0\n")
	out := m.run("setpriv", "--reuid=dhbot", "--regid=dhbot", "--clear-groups", "sh", "-c",
		"SLACK_APP_TOKEN=xapp-x SLACK_BOT_TOKEN=xoxb-x DHBOT_CONFIG=/etc/dhbot/config.yaml bot audit verify")
	if !strings.Contains(out, "entries") {
		t.Errorf("the trail: %s", out)
	}
}
