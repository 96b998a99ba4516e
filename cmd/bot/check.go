package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"dhbot/internal/app"
	"dhbot/internal/config"
)

func checkCommand() *cobra.Command {
	var configFile string
	var live bool
	cmd := &cobra.Command{
		Use: "check", Short: "Check the config: every problem in one go", Args: argCheck(cobra.NoArgs),
		Long: "Check the config, and what it names, runbooks of your own included: every problem\nin one go, each with its line and what to write instead.\n\n--live also dials Slack, every host and the store, and says for each host which\nof its processes the supervisor really knows. It changes nothing.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, problems := config.Load(configFile, os.Getenv)
			for _, p := range problems {
				fmt.Fprintln(cmd.OutOrStdout(), p)
			}
			if problems.Fatal() {
				return fmt.Errorf("%s will not do", configFile)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s will do\n", configFile)
			for _, line := range cfg.WatchLines() {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			if live {
				return checkLive(cmd, cfg)
			}
			return nil
		},
	}
	configFlag(cmd, &configFile)
	cmd.Flags().BoolVar(&live, "live", false, "dial Slack, hosts and store as well")
	return cmd
}

func checkLive(cmd *cobra.Command, cfg *config.Config) error {
	bad := 0
	o := app.Options{SlackAPI: os.Getenv(slackURL), Log: slog.New(slog.DiscardHandler)}
	for _, f := range app.CheckLive(cmd.Context(), cfg, cfg.Catalogs, o) {
		sign := "ok  "
		if !f.OK {
			sign = "FAIL"
			bad++
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s  %-20s %s\n", sign, f.About, f.Text)
	}
	if bad > 0 {
		return errors.New("not everything that the config names answers as it should")
	}
	return nil
}
