// Package trailcheck verifies an exported trail with what an auditor has: keys, heads that
// were kept elsewhere, and the rules of a config.
package trailcheck

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/config"
	"dhbot/internal/store/sign"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// ErrHead is the error for a head that is neither N:HASH nor a file.
var ErrHead = errors.New("write N:HASH, for example 1289:5f3a…, or name a file of signed heads")

// Evidence is what an auditor has besides the trail and the config.
type Evidence struct {
	Heads      []string      // N:HASH, or files of signed heads
	Keys       []string      // public keys of the state; if empty, the keys of the config
	VoteWithin time.Duration // how long a request could wait for approvals, if longer than in the config
}

// Check is a verification, with the keys, heads and rules that it uses.
type Check struct {
	options   audit.Options
	keys      []string
	configErr error // why there is no config
}

// Open reads the keys and heads. If no config could be read, cfg is nil and configErr is the
// reason.
func (e Evidence) Open(cfg *config.Config, configErr error) (*Check, error) {
	keys, err := e.verifiers(cfg)
	if err != nil {
		return nil, err
	}
	o, err := e.options(keys)
	if err == nil {
		o.Rules, err = e.rules(cfg)
	}
	if err != nil {
		return nil, err
	}
	return &Check{options: o, keys: keys, configErr: configErr}, nil
}

// Verify verifies an export.
func (c *Check) Verify(export io.Reader) (audit.Report, error) {
	o := c.options
	header, trail, err := audit.ReadExport(export)
	if err != nil {
		return audit.Report{}, err
	}
	o.After = header.After
	if header.Note != "" {
		signed, err := audit.OpenHead([]byte(header.Note), c.keys)
		if err != nil {
			return audit.Report{}, errors.Join(fmt.Errorf("the head in the first line of the export is invalid: %w", err), keyless(c.keys, c.configErr))
		}
		o.Signed = append(slices.Clone(o.Signed), signed)
	}
	if err := oneInstallation(o.Signed); err != nil {
		return audit.Report{}, err
	}
	return audit.Verify(trail, o)
}

// verifiers returns the public keys for verifying heads. The argument cfg may be nil.
func (e Evidence) verifiers(cfg *config.Config) ([]string, error) {
	if len(e.Keys) > 0 || cfg == nil || cfg.State.KeyFile == "" {
		return e.Keys, nil
	}
	key, err := sign.Load(cfg.State.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("%w; give the public key with --key instead, as `bot state key` printed it", err)
	}
	return key.Verifiers(), nil
}

// keyless returns an error if there are no keys, with the reason configErr; otherwise nil.
func keyless(keys []string, configErr error) error {
	if len(keys) > 0 {
		return nil
	}
	return errors.Join(errors.New("no public key is known: name the config, or give the key with --key"), configErr)
}

// options returns the options for a verification with the given heads.
func (e Evidence) options(keys []string) (audit.Options, error) {
	o := audit.Options{Anchored: true}
	for _, text := range e.Heads {
		if file, err := os.ReadFile(text); err == nil {
			notes := audit.SplitHeads(file)
			if len(notes) == 0 {
				return o, fmt.Errorf("%s holds no head", text)
			}
			for _, note := range notes {
				signed, err := audit.OpenHead(note, keys)
				if err != nil {
					return o, fmt.Errorf("a head in %s is invalid: %w", text, err)
				}
				o.Signed = append(o.Signed, signed)
			}
			continue
		}
		head, err := parseHead(text)
		if err != nil {
			return o, err
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
		return audit.Head{}, fmt.Errorf("--head %q: %w", s, ErrHead)
	}
	return audit.Head{N: n, Hash: hash}, nil
}

// Defaults without a config: how long a request may wait for approvals, and how long an approved
// run may wait for its start.
const (
	defaultVoteWithin  = 15 * time.Minute
	defaultStartWithin = 2 * time.Minute
)

// rules are the rules for the verification, from the catalogs of the config or the built-in
// catalogs.
func (e Evidence) rules(cfg *config.Config) (*audit.Rules, error) {
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
	r.VoteWithin = max(r.VoteWithin, e.VoteWithin)
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

// Text describes the verified part of the trail, and its newest signed head.
func Text(r audit.Report) string {
	if r.Entries == 0 {
		return "the trail is empty\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the trail is whole: %d entries, from #%d to #%d, head %s\n", r.Entries, r.First, r.Head.N, r.Head.Hash)
	switch s := r.Signed; {
	case s != nil && s.Last.N == r.Vouched:
		fmt.Fprintf(&b, "covered up to #%d by a head that %s signed in epoch %d\n", r.Vouched, s.Install, s.Epoch)
	default:
		fmt.Fprintf(&b, "it agrees with the given heads up to #%d\n", r.Vouched)
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
