package bench

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dhbot/internal/sim/slacklocal"
)

// boltDir is the directory of the bot that uses Bolt. After `npm ci` it also has Bolt itself.
var boltDir = filepath.Join("..", "..", "test", "bolt")

// hasBolt reports whether Bolt, Slack's own framework, is installed.
func hasBolt() bool {
	_, err := os.Stat(filepath.Join(boltDir, "node_modules", "@slack", "bolt"))
	if err == nil {
		_, err = exec.LookPath("node")
	}
	return err == nil
}

// startBolt runs the simplest bot that uses Bolt, Slack's own framework, and OpenSSH's
// ControlMaster (test/bolt/status.mjs). The bot runs until the benchmark ends.
func startBolt(tb testing.TB, e *estate, local *slacklocal.Server) {
	tb.Helper()
	type host struct {
		Address string `json:"address"`
		Port    string `json:"port"`
		Sent    string `json:"sent"`
	}
	hosts := map[string]host{}
	for _, h := range e.hosts {
		address, port, err := net.SplitHostPort(h.address)
		if err != nil {
			tb.Fatal(err)
		}
		hosts[h.process] = host{address, port, h.sent}
	}
	list, err := json.Marshal(hosts)
	if err != nil {
		tb.Fatal(err)
	}
	ssh := newOpenSSH(tb, e)
	cmd := exec.Command("node", "status.mjs")
	cmd.Dir = boltDir
	cmd.Env = append(os.Environ(), "DHBOT_SLACK="+local.URL(), "DHBOT_APP_TOKEN="+local.AppToken(), "DHBOT_BOT_TOKEN="+local.BotToken(),
		"DHBOT_HOSTS="+write(tb, ssh.dir+"/hosts.json", string(list), 0o600), "DHBOT_SSH_CONFIG="+ssh.kept)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // its exit status does not matter
		if said.Len() > 0 {
			tb.Errorf("Bolt's output:\n%.2000s", &said)
		}
	})
}
