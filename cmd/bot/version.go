package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"dhbot/internal/buildinfo"
	"dhbot/internal/config"
)

func versionCommand() *cobra.Command {
	var out *output
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version and commit of this binary", Args: argCheck(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			info := buildinfo.Read()
			return out.write(cmd.OutOrStdout(), info, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, info)
				return err
			})
		},
	}
	out = outputFlags(cmd)
	return cmd
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the config file, for editors", Args: argCheck(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), config.Schema)
			return err
		},
	}
}
