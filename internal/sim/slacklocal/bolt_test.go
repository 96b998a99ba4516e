package slacklocal

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"dhbot/internal/test/testenv"
)

// TestBolt runs Slack's own JavaScript clients against the server. It needs
// node and, in test/bolt, the packages of `npm ci`.
func TestBolt(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "test", "bolt")
	node := testenv.Program(t, "node")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@slack", "bolt")); err != nil {
		t.Fatalf("run `npm ci` in test/bolt: %v", err)
	}
	s := start(t, Config{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "roundtrip.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DHBOT_SLACK="+s.URL(), "DHBOT_APP_TOKEN="+s.AppToken(), "DHBOT_BOT_TOKEN="+s.BotToken())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
