package main

import (
	"github.com/spf13/cobra"

	"dhbot/internal/slackio/manifest"
)

func manifestCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "manifest", Short: "Print the app manifest for creating the Slack app", Args: argCheck(cobra.NoArgs),
		Long: "Print the app manifest for creating the Slack app: paste it at\nhttps://api.slack.com/apps under Create New App, From a manifest, JSON.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := manifest.For(name)
			if err != nil {
				return misuse{err}
			}
			_, err = cmd.OutOrStdout().Write(b)
			return err
		},
	}
	cmd.Flags().StringVar(&name, "name", "dh", "the app's `name`; people mention it as @dh")
	return cmd
}
