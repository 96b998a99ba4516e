package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dhbot/internal/app"
	"dhbot/internal/audit"
	"dhbot/internal/config"
	"dhbot/internal/control"
	"dhbot/internal/etcdstore"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Show, verify and export the audit trail", Args: argCheck(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return misuse{errors.New("audit needs show, verify or export")}
		}}
	var src source
	cmd.PersistentFlags().StringVar(&src.config, "config", "config.yaml", "the config `file`")
	cmd.PersistentFlags().StringVar(&src.file, "file", "", "read an export `file` instead of the bot's trail; - is standard input")
	cmd.AddCommand(auditShow(&src), auditVerify(&src), auditExport(&src))
	return cmd
}

func auditExport(src *source) *cobra.Command {
	return &cobra.Command{Use: "export", Short: "Write the trail as JSON lines", Args: argCheck(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := src.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(cmd.OutOrStdout(), r)
			return err
		}}
}

func auditVerify(src *source) *cobra.Command {
	var heads []string
	cmd := &cobra.Command{Use: "verify", Short: "Check every hash, number and chain of the trail", Args: argCheck(cobra.NoArgs),
		Long: "Check every hash, number and chain of the trail.\n\nA head kept elsewhere (the audit channel shows them) finds a trail that was cut off or made anew.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var o audit.Options
			for _, h := range heads {
				head, err := parseHead(h)
				if err != nil {
					return misuse{err}
				}
				o.Heads = append(o.Heads, head)
			}
			r, err := src.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer r.Close()
			after, trail, err := audit.ReadExport(r)
			if err != nil {
				return err
			}
			o.After = after
			report, err := audit.Verify(trail, o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the trail is whole: %d entries, head #%d %s\n", report.Entries, report.Head.N, report.Head.Hash)
			return err
		}}
	cmd.Flags().StringArrayVar(&heads, "head", nil, "a head that was kept elsewhere, as `N:HASH`; may be given several times")
	return cmd
}

func parseHead(s string) (audit.Head, error) {
	num, hash, ok := strings.Cut(strings.TrimPrefix(s, "#"), ":")
	n, err := strconv.ParseUint(num, 10, 64)
	if !ok || err != nil || hash == "" {
		return audit.Head{}, fmt.Errorf("--head %q: want N:HASH, as in 1289:5f3a…", s)
	}
	return audit.Head{N: n, Hash: hash}, nil
}

func auditShow(src *source) *cobra.Command {
	var format, person, target, run string
	var since time.Duration
	cmd := &cobra.Command{Use: "show", Short: "Show the trail", Args: argCheck(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := src.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer r.Close()
			_, trail, err := audit.ReadExport(r)
			if err != nil {
				return err
			}
			from := time.Time{}
			if since > 0 {
				from = time.Now().Add(-since)
			}
			keep := func(r audit.Record) bool {
				return !r.At.Before(from) && (person == "" || r.Person == person) && (run == "" || strings.EqualFold(r.Run, run)) && (target == "" || strings.Contains(r.Target, target))
			}
			write, ok := map[string]func(io.Writer, iter.Seq2[audit.Sealed, error]) error{"table": audit.WriteTable, "json": audit.WriteJSON, "csv": audit.WriteCSV}[format]
			if !ok {
				return misuse{fmt.Errorf("--format %q: want table, json or csv", format)}
			}
			return write(cmd.OutOrStdout(), only(trail, keep))
		}}
	cmd.Flags().StringVar(&format, "format", "table", "`table`, json or csv")
	cmd.Flags().StringVar(&person, "person", "", "only what this `name` of the config did")
	cmd.Flags().StringVar(&target, "target", "", "only records whose target contains this `text`")
	cmd.Flags().DurationVar(&since, "since", 0, "only the last so long, as `2h` or 45m")
	cmd.Flags().StringVar(&run, "run", "", "only records of this run `id`")
	return cmd
}

func only(trail iter.Seq2[audit.Sealed, error], keep func(audit.Record) bool) iter.Seq2[audit.Sealed, error] {
	return func(yield func(audit.Sealed, error) bool) {
		for s, err := range trail {
			if (err != nil || keep(s.Record)) && !yield(s, err) {
				return
			}
		}
	}
}

// source is where a trail is read from: a file, the running bot, or the store
// itself where no bot runs.
type source struct{ config, file string }

// open returns the trail as an export. Whoever reads it sees an error where it
// could not be read whole; Close ends the reading.
func (s *source) open(ctx context.Context, stdin io.Reader) (io.ReadCloser, error) {
	switch s.file {
	case "":
		return s.fromBot(ctx)
	case "-":
		return io.NopCloser(stdin), nil
	default:
		return os.Open(s.file)
	}
}

func (s *source) fromBot(ctx context.Context) (io.ReadCloser, error) {
	cfg, err := loadConfig(s.config)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(writeTrail(ctx, cfg, w)) }()
	return r, nil
}

// writeTrail asks the running bot, or the store itself where none runs.
func writeTrail(ctx context.Context, cfg *config.Config, w io.Writer) error {
	if cfg.State.Dir != "" {
		err := control.NewClient(cfg.State.Dir).Get(ctx, "/trail", nil, w)
		if !errors.Is(err, control.ErrNotRunning) {
			return err
		}
	}
	return withStore(ctx, cfg, func(store *etcdstore.Store) error {
		return audit.WriteExport(w, audit.Head{}, audit.Entries(ctx, store, 1))
	})
}

// withStore opens the state while no bot runs.
func withStore(ctx context.Context, cfg *config.Config, f func(*etcdstore.Store) error) error {
	store, err := etcdstore.Open(ctx, app.StoreConfig(cfg, fmt.Sprintf("cli-%d", os.Getpid()), slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	return errors.Join(f(store), store.Close())
}
