package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"dhbot/internal/app"
	"dhbot/internal/buildinfo"
	"dhbot/internal/config"
	"dhbot/internal/liveness"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/logging"
	"dhbot/internal/metrics"
	"dhbot/internal/redact"
	"dhbot/internal/sdnotify"
	"dhbot/internal/tracing"
)

// slackURL is the environment variable for another address of Slack's Web API. Slack's own
// tools read the same variable.
const slackURL = "SLACK_API_URL"

func runCommand() *cobra.Command {
	var configFile string
	var pretend bool
	var lo logging.Options
	cmd := &cobra.Command{
		Use: "run", Short: "Run the bot", Args: argCheck(cobra.NoArgs),
		Long: "Run the bot until a signal stops it.\n\nTokens come from SLACK_APP_TOKEN and SLACK_BOT_TOKEN, or from the files that\nSLACK_APP_TOKEN_FILE and SLACK_BOT_TOKEN_FILE name.\n\nOn SIGHUP the bot reloads the config. If the new config has an error, the bot keeps the\ncurrent config.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logging.New(cmd.ErrOrStderr(), lo)
			if err != nil {
				return misuse{err}
			}
			cfg, err := loadConfig(configFile)
			if err != nil {
				return err
			}
			return runService(cmd.Context(), configFile, cfg, app.Options{
				SlackAPI: os.Getenv(slackURL), PretendSlackRealHosts: pretend, Log: log,
			})
		},
	}
	configFlag(cmd, &configFile)
	logFlags(cmd, &lo, logging.JSON)
	cmd.Flags().BoolVar(&pretend, "pretend-slack-may-act-on-real-hosts", false, "with "+slackURL+" set: let that Slack act on hosts that are not loopback")
	return cmd
}

func logFlags(cmd *cobra.Command, o *logging.Options, format string) {
	cmd.Flags().StringVar(&o.Level, "log-level", "info", "the lowest `level` to log: debug, info, warn or error")
	cmd.Flags().StringVar(&o.Format, "log-format", format, "the `format` of the log: json or text")
}

// runService runs the bot under a supervisor: it notifies systemd, answers its watchdog, and
// restarts the bot's parts with each config that SIGHUP loads.
func runService(ctx context.Context, configFile string, cfg *config.Config, o app.Options) error {
	reload, stop := hangups(ctx)
	defer stop()
	b := buildinfo.Read()
	sendTraces, err := tracing.Start(ctx, os.Getenv, b.Version, o.Log)
	if err != nil {
		return misuse{err}
	}
	defer stopTraces(sendTraces, o.Log)
	loops, read := new(liveness.Checker), new(configReads)
	read.note(nil)
	o.Build = metrics.Build{Version: b.Version, Commit: b.Commit, Go: b.Go}
	o.Loops = loops
	o.Reload = read.last
	o.Started = func() {
		o.Log.InfoContext(ctx, "started", "version", b.Version, "config", configFile)
		sdnotify.Report(o.Log, sdnotify.Ready())
	}
	load := func() (*config.Config, error) {
		cfg, err := loadConfig(configFile)
		if err == nil {
			err = app.Allowed(cfg, o)
		}
		read.note(err)
		if err == nil {
			sdnotify.Report(o.Log, sdnotify.Reloading())
		}
		return cfg, err
	}
	watchdog := make(chan error, 1)
	ctx, end := context.WithCancel(ctx)
	go func() { watchdog <- sdnotify.Watchdog(ctx, loops.Stuck, o.Log) }()
	start := func(ctx context.Context, cfg *config.Config) error { return app.Start(ctx, cfg, cfg.Catalogs, o) }
	notifyStop := context.AfterFunc(ctx, func() { sdnotify.Report(o.Log, sdnotify.Stopping()) })
	defer notifyStop()
	err = app.Reloading(ctx, cfg, load, reload, start, o.Log)
	end()
	return errors.Join(err, <-watchdog)
}

// lastTraces limits how long the program, before it exits, waits until the last traces are sent.
const lastTraces = 3 * time.Second

func stopTraces(stop func(context.Context) error, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), lastTraces)
	defer cancel()
	if err := stop(ctx); err != nil {
		log.Warn("the last traces were not sent", "err", err)
	}
}

// configReads remembers the result of the last reload.
type configReads struct {
	mu   sync.Mutex
	seen metrics.Reload
}

// mostWhy is the greatest length, in runes, of the text about the problems of a config.
const mostWhy = 400

func (c *configReads) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.seen = metrics.Reload{OK: true, At: time.Now()}
		return
	}
	c.seen.OK, c.seen.Refused, c.seen.Why = false, time.Now(), redact.Line(err.Error(), mostWhy)
}

func (c *configReads) last() metrics.Reload {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// hangups turns SIGHUP into a value on a channel. Signals that arrive before the value is received
// are merged into one further value.
func hangups(ctx context.Context) (<-chan struct{}, func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	out := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
			}
			select {
			case <-ctx.Done():
				return
			case out <- struct{}{}:
			}
		}
	}()
	return out, func() { signal.Stop(signals); cancel(); <-ended }
}

// configVariable names the config file if no flag does.
const configVariable = "DHBOT_CONFIG"

func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", cmp.Or(os.Getenv(configVariable), "config.yaml"), "the config `file` ($"+configVariable+")")
}

// optionalConfigFlag is configFlag for a command that works without a config.
func optionalConfigFlag(cmd *cobra.Command, file *string, what string) {
	cmd.Flags().StringVar(file, "config", os.Getenv(configVariable), what+" ($"+configVariable+")")
}

// loadOffline is loadConfig for commands that do not use Slack.
func loadOffline(file string) (*config.Config, error) {
	cfg, problems := config.LoadWithoutTokens(file)
	if problems.Fatal() {
		return nil, fmt.Errorf("%s is not valid:\n%w", file, problems)
	}
	return cfg, nil
}

// loadConfig reads and checks the config file, and all files that it names.
func loadConfig(file string) (*config.Config, error) {
	cfg, problems := config.Load(file, os.Getenv)
	if problems.Fatal() {
		return nil, fmt.Errorf("%s is not valid:\n%w", file, problems)
	}
	return cfg, nil
}

func healthCommand() *cobra.Command {
	var configFile string
	var out *output
	var live bool
	cmd := &cobra.Command{
		Use: "health", Short: "Show the health of the running bot", Args: argCheck(cobra.NoArgs),
		Long: "Show the health of the running bot, over the socket in its state directory.\nExit code 0 means that the bot is healthy: Slack delivers events, the store answers, and no\nother part of the bot reports a problem.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadOffline(configFile)
			if err != nil {
				return err
			}
			if cfg.State.Dir == "" {
				return errors.New("the config has no state.dir, so the running bot has no socket to query")
			}
			if live {
				return adminsock.NewClient(cfg.State.Dir).Get(cmd.Context(), "/healthz", nil, cmd.OutOrStdout())
			}
			var b bytes.Buffer
			if err := adminsock.NewClient(cfg.State.Dir).Get(cmd.Context(), "/health", nil, &b); err != nil {
				return err
			}
			var h app.Health
			if err := json.Unmarshal(b.Bytes(), &h); err != nil {
				return fmt.Errorf("the running bot's answer could not be parsed: %w", err)
			}
			err = out.write(cmd.OutOrStdout(), h, func(w io.Writer) error { return writeHealth(w, h) })
			if err == nil && !h.OK {
				err = errors.New("the bot is not healthy")
			}
			return err
		},
	}
	configFlag(cmd, &configFile)
	out = outputFlags(cmd)
	cmd.Flags().BoolVar(&live, "live", false, "check only that the bot's own loops run, for a supervisor that restarts the bot")
	return cmd
}

func writeHealth(w io.Writer, h app.Health) error {
	word := "healthy"
	if !h.OK {
		word = "not healthy"
	}
	fmt.Fprintf(w, "%s, replica %s, up since %s\n", word, h.Replica, h.Since.Format("2006-01-02 15:04:05 MST"))
	var err error
	for _, line := range h.Lines() {
		_, err = fmt.Fprintf(w, "  %s\n", line)
	}
	return err
}
