package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"dhbot/internal/lint"
)

func runbookCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "runbook", Short: "Check runbook pages", Args: argCheck(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return misuse{errors.New("runbook needs lint")}
		}}
	cmd.AddCommand(lintCommand())
	return cmd
}

func lintCommand() *cobra.Command {
	var configFile, catalog string
	cmd := &cobra.Command{
		Use: "lint FILE…", Short: "Report commands of runbook pages that do not do what the page says", Args: argCheck(cobra.MinimumNArgs(1)),
		Long: "Report commands of runbook pages that do not do what the page says, that do harm when\n" +
			"pasted unchanged, or that differ from the catalog. A page is a Markdown\n" +
			"file, or a text that has lost its Markdown fences and headings.\n\n" +
			"Exit code 0 means no findings, 1 findings, 2 that a file could not be read.",
		Example: "  bot runbook lint process-runbooks.md etcd-runbook.md",
		RunE: func(cmd *cobra.Command, files []string) error {
			catalogs, _, err := catalogsOf(configFile)
			if err != nil {
				return err
			}
			l, err := lint.New(catalogs, catalog)
			if err != nil {
				return misuse{err}
			}
			total := 0
			for _, name := range files {
				text, err := os.ReadFile(name)
				if err != nil {
					return misuse{err}
				}
				found := l.Page(name, text)
				for _, f := range found {
					fmt.Fprintln(cmd.OutOrStdout(), f)
				}
				total += len(found)
			}
			if total > 0 {
				return fmt.Errorf("%d findings", total)
			}
			return nil
		},
	}
	optionalConfigFlag(cmd, &configFile, "the config `file`; its directory of your own runbooks is included")
	cmd.Flags().StringVar(&catalog, "catalog", "", "the `generation` of the pages; default: for each page, the generation whose catalog cites the page most")
	return cmd
}
