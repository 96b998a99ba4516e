package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/config"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/sign"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

func auditVerify(src *source) *cobra.Command {
	var given evidence
	cmd := &cobra.Command{Use: "verify", Short: "Check the trail: hashes, chains, heads, and approvals", Args: argCheck(cobra.NoArgs),
		Long: "Check every hash, number and chain of the trail, that it continues the signed head\nin the export and each --head, and that no run started without its approvals.\n\n" +
			"Heads are verified with the public keys of the config's state.key_file, or with\nthe keys of --key. A trail without a signed head is refused: the author of the file\ncould have computed all its hashes again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, configErr := loadOffline(src.config)
			keys, err := given.verifiers(cfg)
			if err != nil {
				return err
			}
			o, err := given.options(keys)
			if err == nil {
				o.Rules, err = given.rules(cfg)
			}
			if err != nil {
				return err
			}
			r, err := src.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer r.Close()
			header, trail, err := audit.ReadExport(r)
			if err != nil {
				return err
			}
			o.After = header.After
			if header.Note != "" {
				signed, err := audit.OpenHead([]byte(header.Note), keys)
				if err != nil {
					return errors.Join(fmt.Errorf("the head in the first line of the export does not count: %w", err), keyless(keys, configErr))
				}
				o.Signed = append(o.Signed, signed)
			}
			if err := oneInstallation(o.Signed); err != nil {
				return err
			}
			report, err := audit.Verify(trail, o)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), verified(report))
			return err
		}}
	cmd.Flags().StringArrayVar(&given.heads, "head", nil, "a head that you kept, as `N:HASH` or a file of signed heads; may be given several times")
	cmd.Flags().StringArrayVar(&given.keys, "key", nil, "a `public` key of the state for verifying heads, instead of those of the config")
	cmd.Flags().DurationVar(&given.voteWithin, "approve-within", 0, "how long requests could wait for approvals, if longer than the config's `15m`")
	return cmd
}

func auditHead(src *source) *cobra.Command {
	return &cobra.Command{Use: "head", Short: "Print the newest signed head of the trail", Args: argCheck(cobra.NoArgs),
		Long: "Print the newest signed head of the trail, to keep elsewhere. `bot audit verify\n--head FILE` checks that the trail continues it. docs/consistency.py compares any two\nheads without the bot.",
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
		return errors.New("there is no signed head")
	}
	_, err := io.WriteString(w, note)
	return err
}

// evidence is the input of a verification: keys, heads and rules.
type evidence struct {
	heads, keys []string
	voteWithin  time.Duration
}

// verifiers are the public keys for verifying heads. cfg is nil without a config.
func (e evidence) verifiers(cfg *config.Config) ([]string, error) {
	if len(e.keys) > 0 || cfg == nil || cfg.State.KeyFile == "" {
		return e.keys, nil
	}
	key, err := sign.Load(cfg.State.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("%w; give the public key with --key instead, as `bot state key` printed it", err)
	}
	return key.Verifiers(), nil
}

// keyless adds the reason for missing keys to an error.
func keyless(keys []string, configErr error) error {
	if len(keys) > 0 {
		return nil
	}
	return errors.Join(errors.New("no public key is known: name the config, or give the key with --key"), configErr)
}

// options are the options for the given heads.
func (e evidence) options(keys []string) (audit.Options, error) {
	o := audit.Options{Anchored: true}
	for _, text := range e.heads {
		if file, err := os.ReadFile(text); err == nil {
			notes := audit.SplitHeads(file)
			if len(notes) == 0 {
				return o, fmt.Errorf("%s holds no head", text)
			}
			for _, note := range notes {
				signed, err := audit.OpenHead(note, keys)
				if err != nil {
					return o, fmt.Errorf("a head in %s does not count: %w", text, err)
				}
				o.Signed = append(o.Signed, signed)
			}
			continue
		}
		head, err := parseHead(text)
		if err != nil {
			return o, misuse{err}
		}
		o.Heads = append(o.Heads, head)
	}
	return o, nil
}

// oneInstallation refuses heads of different installations, because each has its own key.
func oneInstallation(list []audit.SignedHead) error {
	for _, h := range list {
		if h.Install != list[0].Install {
			return fmt.Errorf("the heads are of two installations, %s and %s", list[0].Install, h.Install)
		}
	}
	return nil
}

func parseHead(s string) (audit.Head, error) {
	num, hash, ok := strings.Cut(strings.TrimPrefix(s, "#"), ":")
	n, err := strconv.ParseUint(num, 10, 64)
	if !ok || err != nil || hash == "" {
		return audit.Head{}, fmt.Errorf("--head %q: want N:HASH, as in 1289:5f3a…, or a file of signed heads", s)
	}
	return audit.Head{N: n, Hash: hash}, nil
}

// Defaults, without a config, of how long a request waits, and an approved run.
const (
	defaultVoteWithin  = 15 * time.Minute
	defaultStartWithin = 2 * time.Minute
)

// rules are the rules for the verification, from the catalogs of the config or the built-in
// ones.
func (e evidence) rules(cfg *config.Config) (*audit.Rules, error) {
	r := audit.Rules{VoteWithin: defaultVoteWithin, StartWithin: defaultStartWithin}
	catalogs, err := catalogs.Builtin()
	if err != nil {
		return nil, err
	}
	if cfg != nil {
		catalogs = cfg.Catalogs
		r.VoteWithin = max(r.VoteWithin, cfg.VoteTTL)
		r.StartWithin = max(r.StartWithin, cfg.StartTTL)
	}
	r.VoteWithin = max(r.VoteWithin, e.voteWithin)
	classes := map[string]runbooks.Class{}
	for _, c := range catalogs {
		for _, a := range c.Actions() {
			classes[a.Name] = a.Class
		}
	}
	r.Approvals = func(rec audit.Record) int {
		class, known := classes[rec.Action]
		if !known {
			class = runbooks.Disruptive // of an earlier catalog
		}
		return auth.Policy{}.VotesNeeded(class, levelOf(rec.Severity))
	}
	return &r, nil
}

// levelOf parses the output of Severity.String; anything else is Unknown.
func levelOf(text string) runbooks.Severity {
	for n := range 4 {
		if level, err := runbooks.Level(n); err == nil && level.String() == text {
			return level
		}
	}
	return runbooks.Unknown
}

// verified describes the verified part of the trail, and its newest signed head.
func verified(r audit.Report) string {
	if r.Entries == 0 {
		return "the trail is empty\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the trail is whole: %d entries, from #%d to #%d, head %s\n", r.Entries, r.First, r.Head.N, r.Head.Hash)
	switch s := r.Signed; {
	case s != nil && s.Last.N == r.Vouched:
		fmt.Fprintf(&b, "up to #%d a head covers it, which %s signed in epoch %d\n", r.Vouched, s.Install, s.Epoch)
	default:
		fmt.Fprintf(&b, "up to #%d it continues the heads that were given\n", r.Vouched)
	}
	if newer := r.Head.N - r.Vouched; newer > 0 {
		fmt.Fprintf(&b, "no head covers the %d entries after it yet\n", newer)
	}
	for _, h := range r.Forgotten {
		fmt.Fprintf(&b, "head #%d covers entries that a restore lost, according to the trail\n", h.N)
	}
	for _, s := range r.Alarms {
		fmt.Fprintf(&b, "alarm #%d %s: %s\n", s.N, s.Record.At.UTC().Format("2006-01-02 15:04:05Z"), s.Record.Text)
	}
	return b.String()
}
