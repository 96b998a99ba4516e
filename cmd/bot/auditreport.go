package main

import (
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"dhbot/internal/audit"
)

func auditReport(src *source) *cobra.Command {
	var from, to, person, format string
	cmd := &cobra.Command{Use: "report", Short: "List runs with their requesters, approvers, commands and manual steps", Args: argCheck(cobra.NoArgs),
		Long: "List the runs of a period, each with its requester, approvers, commands with their\nhosts, manual steps, and outcome. A run belongs to the period if any of its records\nfalls into the period.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := reportFilter(from, to, person)
			if err != nil {
				return misuse{err}
			}
			write := map[string]func(io.Writer, []audit.RunReport) error{
				asCSV: audit.WriteReportCSV, asJSON: audit.WriteReportJSON,
			}[format]
			return src.read(cmd, func(trail iter.Seq2[audit.Sealed, error]) error {
				runs, err := audit.Runs(trail, filter)
				if err != nil {
					return err
				}
				return write(cmd.OutOrStdout(), runs)
			})
		}}
	cmd.Flags().StringVar(&from, "from", "", "first `day` (UTC), such as 2026-11-01, or a time, such as 2026-11-01T06:00:00Z")
	cmd.Flags().StringVar(&to, "to", "", "last `day`, inclusive, or a time")
	cmd.Flags().StringVar(&person, "person", "", "only runs that this person (`name` in the config) requested, approved, denied, or completed steps of")
	formatFlag(cmd, &format, asCSV, asJSON)
	return cmd
}

// reportFilter parses the limits of a report.
func reportFilter(from, to, person string) (f audit.ReportFilter, err error) {
	f.Person = person
	if f.From, _, err = instant("--from", from); err != nil {
		return f, err
	}
	day := false
	if f.To, day, err = instant("--to", to); err != nil {
		return f, err
	}
	if day {
		f.To = f.To.AddDate(0, 0, 1)
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		return f, fmt.Errorf("--from %s is not before --to %s", from, to)
	}
	return f, nil
}

// instant parses a day or a time. The result day is true if the text is a day. The text "" gives
// the zero time.
func instant(flag, text string) (at time.Time, day bool, err error) {
	if text == "" {
		return time.Time{}, false, nil
	}
	if at, err = time.Parse(time.DateOnly, text); err == nil {
		return at, true, nil
	}
	if at, err = time.Parse(time.RFC3339, text); err == nil {
		return at, false, nil
	}
	return at, false, fmt.Errorf("%s %q is not a day or a time: write a day, such as 2026-11-01, or a time, such as 2026-11-01T06:00:00Z", flag, text)
}
