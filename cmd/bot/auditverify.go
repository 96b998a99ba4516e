package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"dhbot/internal/audit"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/trailcheck"
)

func auditVerify(src *source) *cobra.Command {
	var given trailcheck.Evidence
	cmd := &cobra.Command{Use: "verify", Short: "Check the trail: hashes, chains, heads, and approvals", Args: argCheck(cobra.NoArgs),
		Long: "Check every hash, number and chain of the trail. Check that the trail contains the\nsigned head in the export and each --head, and that no run started without its approvals.\n\n" +
			"Heads are verified with the public keys of the config's state.key_file, or with\nthe keys that --key gives. A trail that no head confirms is refused, because the author of the\nfile could have computed all hashes again. An unsigned head, given as --head N:HASH, is enough.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, configErr := loadOffline(src.config)
			check, err := given.Open(cfg, configErr)
			switch {
			case errors.Is(err, trailcheck.ErrHead):
				return misuse{err}
			case err != nil:
				return err
			}
			trail, err := src.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer trail.Close()
			report, err := check.Verify(trail)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), trailcheck.Text(report))
			return err
		}}
	cmd.Flags().StringArrayVar(&given.Heads, "head", nil, "a head that you kept, as `N:HASH` or a file of signed heads; may be given several times")
	cmd.Flags().StringArrayVar(&given.Keys, "key", nil, "a `public` key of the state for verifying heads, instead of those of the config")
	cmd.Flags().DurationVar(&given.VoteWithin, "approve-within", 0, "the `duration` for which requests could wait for approvals, if it was longer than 15m and policy.sev1.ttl")
	return cmd
}

func auditHead(src *source) *cobra.Command {
	return &cobra.Command{Use: "head", Short: "Print the newest signed head of the trail", Args: argCheck(cobra.NoArgs),
		Long: "Print the newest signed head of the trail, to keep elsewhere. `bot audit verify\n--head FILE` checks that the trail contains this head. With an export,\ndocs/consistency.py checks without the bot that one trail contains two heads.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if src.file != "" {
				r, err := src.open(cmd.Context(), cmd.InOrStdin())
				if err != nil {
					return err
				}
				defer r.Close()
				header, _, err := audit.ReadExport(r)
				if err != nil {
					return err
				}
				return printHead(cmd.OutOrStdout(), header.Note)
			}
			cfg, err := loadOffline(src.config)
			if err != nil {
				return err
			}
			return ask(cmd.Context(), cfg, "/head", nil, cmd.OutOrStdout(), func(store *etcdstore.Store) error {
				note, err := store.SignedHead(cmd.Context())
				if err != nil {
					return err
				}
				return printHead(cmd.OutOrStdout(), note)
			})
		}}
}

func printHead(w io.Writer, note string) error {
	if note == "" {
		return errors.New("the trail has no signed head")
	}
	_, err := io.WriteString(w, note)
	return err
}
