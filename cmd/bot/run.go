package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"dhbot/internal/app"
	"dhbot/internal/config"
	"dhbot/internal/control"
)

// slackURL is the variable that Slack's own tools use for another address of
// the Web API.
const slackURL = "SLACK_API_URL"

func runCommand() *cobra.Command {
	var configFile string
	var pretend bool
	cmd := &cobra.Command{
		Use: "run", Short: "Run the bot", Args: argCheck(cobra.NoArgs),
		Long: "Run the bot until it is told to stop.\n\nTokens come from SLACK_APP_TOKEN and SLACK_BOT_TOKEN, or from the files that\nSLACK_APP_TOKEN_FILE and SLACK_BOT_TOKEN_FILE name.\n\nOn SIGHUP it reads its config again, and begins anew with it; a config with an\nerror is refused whole, and the present one stays.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(configFile)
			if err != nil {
				return err
			}
			log := slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
			reload, stop := hangups(cmd.Context())
			defer stop()
			o := app.Options{SlackAPI: os.Getenv(slackURL), PretendSlackRealHosts: pretend, Log: log}
			start := func(ctx context.Context, cfg *config.Config) error { return app.Start(ctx, cfg, cfg.Catalogs, o) }
			load := func() (*config.Config, error) {
				cfg, err := loadConfig(configFile)
				if err == nil {
					err = app.Allowed(cfg, o)
				}
				return cfg, err
			}
			return app.Reloading(cmd.Context(), cfg, load, reload, start, log)
		},
	}
	configFlag(cmd, &configFile)
	cmd.Flags().BoolVar(&pretend, "pretend-slack-may-act-on-real-hosts", false, "let a Slack that "+slackURL+" names act on hosts that are not loopback")
	return cmd
}

// hangups turns SIGHUP into a word on a channel. One that nobody has taken yet
// stands for all that come meanwhile.
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

func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "config.yaml", "the config `file`")
}

// loadConfig reads and checks the config file, and everything that it names.
func loadConfig(file string) (*config.Config, error) {
	cfg, problems := config.Load(file, os.Getenv)
	if problems.Fatal() {
		return nil, fmt.Errorf("%s will not do:\n%w", file, problems)
	}
	return cfg, nil
}

func healthCommand() *cobra.Command {
	var configFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "health", Short: "Ask the running bot how it is", Args: argCheck(cobra.NoArgs),
		Long: "Ask the running bot how it is, over the socket in its state directory.\nExit code 0 means that it hears Slack and its store answers.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(configFile)
			if err != nil {
				return err
			}
			if cfg.State.Dir == "" {
				return errors.New("the config names no state.dir, so the running bot has no socket to be asked over")
			}
			var b bytes.Buffer
			if err := control.NewClient(cfg.State.Dir).Get(cmd.Context(), "/health", nil, &b); err != nil {
				return err
			}
			var h app.Health
			if err := json.Unmarshal(b.Bytes(), &h); err != nil {
				return fmt.Errorf("the running bot's answer: %w", err)
			}
			if asJSON {
				_, err = io.Copy(cmd.OutOrStdout(), &b)
			} else {
				err = writeHealth(cmd.OutOrStdout(), h)
			}
			if err == nil && !h.OK {
				err = errors.New("the bot is not well")
			}
			return err
		},
	}
	configFlag(cmd, &configFile)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func writeHealth(w io.Writer, h app.Health) error {
	word := "well"
	if !h.OK {
		word = "not well"
	}
	fmt.Fprintf(w, "%s, replica %s, up since %s\n", word, h.Replica, h.Since.Format("2006-01-02 15:04:05 MST"))
	var err error
	for _, line := range h.Lines() {
		_, err = fmt.Fprintf(w, "  %s\n", line)
	}
	return err
}
