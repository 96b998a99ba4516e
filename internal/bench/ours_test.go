package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dhbot/handlers/call"
	"dhbot/internal/app"
	"dhbot/internal/command"
	"dhbot/internal/config"
	"dhbot/internal/engine"
	"dhbot/internal/sim/slacklocal"
)

// configFile writes a config with which the bot serves the estate.
func (e *estate) configFile(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	var hosts strings.Builder
	for _, h := range e.hosts {
		fmt.Fprintf(&hosts, "      %s: {address: %q, processes: [%s]}\n", h.name, h.address, h.process)
	}
	var askers []string
	for i := range channels {
		askers = append(askers, personID(channelID(i)))
	}
	watch := ""
	if e.watch != "" {
		watch = "    watch: {" + e.watch + "}\n"
	}
	text := fmt.Sprintf(`slack: {home: %s, audit_channel: %s}
state: {dir: %s}
ssh: {user: %s, key_file: %s, known_hosts: %s}
people:
  operator: {slack: [%s, %s]}
  approver: {slack: [%s]}
clusters:
  %s:
    catalog: %s
    roles: {readers: [operator], operators: [operator], approvers: [approver]}
%s    hosts:
%s`, slacklocal.DemoTeam, slacklocal.DemoAudit, filepath.Join(dir, "state"), e.login, e.keyFile, e.knownHosts,
		slacklocal.DemoOperator, strings.Join(askers, ", "), slacklocal.DemoApprover, cluster, generation, watch, hosts.String())
	return write(tb, filepath.Join(dir, "config.yaml"), text, 0o600)
}

// startOurs runs the bot, with the same clients of Slack, hosts and store as `bot run`,
// until the benchmark ends. It returns these clients and the recorder of the lines that the
// bot sends.
func startOurs(tb testing.TB, e *estate, local *slacklocal.Server) (*app.Opened, *recorder) {
	tb.Helper()
	env := map[string]string{"SLACK_APP_TOKEN": local.AppToken(), "SLACK_BOT_TOKEN": local.BotToken()}
	cfg, problems := config.Load(e.configFile(tb), func(name string) string { return env[name] })
	if problems.Fatal() {
		tb.Fatal(problems)
	}
	// The log is formatted as in production, and discarded.
	log := slog.New(slog.NewJSONHandler(devNull(tb), nil))
	ctx, stop := context.WithCancel(context.Background())
	edges, err := app.Open(ctx, cfg, "bot", app.Options{SlackAPI: local.APIURL(), Log: log})
	if err != nil {
		stop()
		tb.Fatal(err)
	}
	sent := &recorder{Remote: edges.Remote}
	edges.Remote = sent
	ended := make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Config{
			Grammar:      command.Grammar{Catalogs: e.catalogs, Fleet: &cfg.Fleet, Channels: cfg.Slack.Channels},
			Settings:     call.Settings{Rules: &cfg.Rules},
			Policy:       engine.Policy{VoteTTL: cfg.VoteTTL, StartTTL: cfg.StartTTL},
			AuditChannel: cfg.Slack.AuditChannel, Replica: "bot", Log: log, Now: time.Now,
		}, edges.Edges)
	}()
	tb.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			tb.Errorf("the bot ended: %v", err)
		}
		edges.Pool.Close()
		if err := edges.Store.Close(); err != nil {
			tb.Errorf("closing the store: %v", err)
		}
	})
	return edges, sent
}

func devNull(tb testing.TB) *os.File {
	tb.Helper()
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}
