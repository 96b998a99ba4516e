package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"dhbot/internal/app"
	"dhbot/internal/audit"
	"dhbot/internal/config"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/store/etcdstore"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Show, verify and export the audit trail, and report on its runs", Args: argCheck(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return misuse{errors.New("audit needs show, verify, report, head or export")}
		}}
	var src source
	cmd.PersistentFlags().StringVar(
		&src.config, "config", cmp.Or(os.Getenv(configVariable), "config.yaml"), "the config `file` ($"+configVariable+")",
	)
	cmd.PersistentFlags().StringVar(&src.file, "file", "", "read an export `file` instead of the bot's trail; - is standard input")
	cmd.AddCommand(auditShow(&src), auditVerify(&src), auditReport(&src), auditHead(&src), auditExport(&src))
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

func auditShow(src *source) *cobra.Command {
	var format, person, target, run string
	var since time.Duration
	cmd := &cobra.Command{Use: "show", Short: "Show the trail", Args: argCheck(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f := audit.Filter{Person: person, Run: run, Target: target}
			if since > 0 {
				f.Since = time.Now().Add(-since)
			}
			write := map[string]func(io.Writer, iter.Seq2[audit.Sealed, error]) error{
				asTable: audit.WriteTable,
				asJSON:  audit.WriteJSON,
				asCSV:   audit.WriteCSV,
			}[format]
			src.only = &f
			return src.read(cmd, func(trail iter.Seq2[audit.Sealed, error]) error {
				return write(cmd.OutOrStdout(), only(trail, f.Query().Selects)) // a file has all entries
			})
		}}
	formatFlag(cmd, &format, asTable, asJSON, asCSV)
	cmd.Flags().StringVar(&person, "person", "", "only records of this person, by `name` in the config")
	cmd.Flags().StringVar(&target, "target", "", "only records whose target contains this `text`")
	cmd.Flags().DurationVar(&since, "since", 0, "only records of the last `duration`, such as 2h or 45m")
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

// source is where a trail comes from: a file, the running bot, or the store itself if no bot
// runs.
type source struct {
	config, file string
	only         *audit.Filter // selects the entries of the bot's trail to read; nil selects all
}

// open returns the trail as an export. The reader returns an error if the trail could not be
// read completely; Close ends the reading.
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

// read passes the trail's entries to f.
func (s *source) read(cmd *cobra.Command, f func(iter.Seq2[audit.Sealed, error]) error) error {
	r, err := s.open(cmd.Context(), cmd.InOrStdin())
	if err != nil {
		return err
	}
	defer r.Close()
	_, trail, err := audit.ReadExport(r)
	if err != nil {
		return err
	}
	return f(trail)
}

func (s *source) fromBot(ctx context.Context) (io.ReadCloser, error) {
	cfg, err := loadOffline(s.config)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(writeTrail(ctx, cfg, s.only, w)) }()
	return r, nil
}

// writeTrail writes the entries that the filter selects, or the whole trail if the filter is nil.
// It gets them from the running bot, or from the store itself if no bot runs or there is no socket.
func writeTrail(ctx context.Context, cfg *config.Config, only *audit.Filter, w io.Writer) error {
	if only != nil {
		return ask(ctx, cfg, "/trail", app.TrailParams(*only), w, func(store *etcdstore.Store) error {
			return audit.WriteExport(w, audit.Header{}, audit.Matches(ctx, store, only.Query()))
		})
	}
	return ask(ctx, cfg, "/trail", nil, w, func(store *etcdstore.Store) error {
		note, err := store.SignedHead(ctx)
		if err != nil {
			return err
		}
		return audit.WriteExport(w, audit.Header{Note: note}, audit.Entries(ctx, store, 1))
	})
}

// ask sends a GET request to the running bot, and writes the answer to w. If no bot runs, or the
// config has no state directory and so no control socket, ask calls fallback with the opened store.
func ask(
	ctx context.Context, cfg *config.Config, path string, params url.Values, w io.Writer, fallback func(*etcdstore.Store) error,
) error {
	if cfg.State.Dir != "" {
		err := adminsock.NewClient(cfg.State.Dir).Get(ctx, path, params, w)
		if !errors.Is(err, adminsock.ErrNotRunning) {
			return err
		}
	}
	return withStore(ctx, cfg, fallback)
}

// withStore opens the state store and calls f with it. Use it for an embedded store only while no
// bot runs.
func withStore(ctx context.Context, cfg *config.Config, f func(*etcdstore.Store) error) error {
	c := app.StoreConfig(cfg, fmt.Sprintf("cli-%d", os.Getpid()), slog.New(slog.DiscardHandler))
	c.KeyFile = "" // reading needs no key
	store, err := etcdstore.Open(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(f(store), store.Close())
}
