package bench

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dhbot/internal/sim/slacklocal"
)

// starts is how often the bot is started, each time with a fresh store.
const starts = 7

// idleFor is how long a bot is idle before its memory is read.
const idleFor = 5 * time.Second

// process is a running `bot run`.
type process struct {
	cmd  *exec.Cmd
	said bytes.Buffer
	// slack is the workspace of the bot.
	slack *slacklocal.Server
}

// buildBot builds the binary like a release (Dockerfile).
func buildBot(tb testing.TB) string {
	tb.Helper()
	bot := filepath.Join(tb.TempDir(), "bot")
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "timetzdata", "-ldflags", "-s -w", "-o", bot, "dhbot/cmd/bot")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("go build: %v\n%s", err, out)
	}
	return bot
}

// hearing starts `bot run` on a fresh store, and returns the time until Slack's hello message. The
// bot runs until p.stop is called.
func hearing(tb testing.TB, e *estate, bot string) (p *process, took time.Duration) {
	tb.Helper()
	local, err := slacklocal.Start(slacklocal.Config{Workspace: slacklocal.DemoWorkspace()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = local.Close() })
	p = &process{slack: local, cmd: exec.Command(bot, "run", "--config", e.configFile(tb))}
	p.cmd.Env = append(os.Environ(), "SLACK_APP_TOKEN="+local.AppToken(), "SLACK_BOT_TOKEN="+local.BotToken(), "SLACK_API_URL="+local.APIURL())
	p.cmd.Stderr = &p.said
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	for local.Connections() == 0 {
		if time.Since(began) > patience {
			p.stop(tb)
			tb.Fatalf("bot run does not connect; its log:\n%s", &p.said)
		}
		time.Sleep(200 * time.Microsecond)
	}
	return p, time.Since(began)
}

// stop ends the bot with SIGTERM, as an operator would.
func (p *process) stop(tb testing.TB) {
	tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Error(err)
	}
	if err := p.cmd.Wait(); err != nil {
		tb.Errorf("bot run: %v; its log:\n%s", err, &p.said)
	}
}

// resident is the memory of the process, in MB (10^6 bytes).
func (p *process) resident(tb testing.TB) float64 {
	tb.Helper()
	for line := range strings.Lines(read(tb, "/proc/"+strconv.Itoa(p.cmd.Process.Pid)+"/status")) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				tb.Fatal(err)
			}
			return kb * 1024 / 1e6
		}
	}
	tb.Fatal("/proc has no line about the memory of the process")
	return 0
}
