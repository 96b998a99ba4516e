package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"dhbot/internal/buildinfo"
)

func main() { os.Exit(run()) }

// run is main for tests, which call it under the name of the binary.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "bot",
		Version:       buildinfo.Read().String(),
		Short:         "A Slack bot that runs Deephaven's runbooks, with a second approver for Sev 1 actions",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misuse{fmt.Errorf("there is no command %q; `bot help` lists them", args[0])}
			}
			_ = cmd.Help()
			return misuse{errors.New("a command is missing")}
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse{err} })
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(
		demoCommand(), initCommand(), discoverCommand(), hostkeysCommand(), runCommand(), doCommand(), checkCommand(),
		healthCommand(), planCommand(), catalogCommand(), auditCommand(), stateCommand(), manifestCommand(),
		runbookCommand(), sudoersCommand(), localslackCommand(), hostsimCommand(), schemaCommand(), versionCommand(),
	)
	err := root.ExecuteContext(ctx)
	if err != nil && err.Error() != "" { // an error that was already printed is not printed again
		fmt.Fprintf(stderr, "error: %v\n", err)
	}
	return exitCode(err)
}

// argCheck wraps one of cobra's checks, so that its error has the exit code of misuse.
func argCheck(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return misuse{fmt.Errorf("%w\nusage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}
