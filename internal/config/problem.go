package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the config.
type Problem struct {
	File   string // the file, or "environment"
	Line   int    // from 1; 0 when it has no place in the file
	Column int    // from 1
	Key    string // where in the file: "clusters.prod.hosts.infra-1.address"
	What   string // what is wrong, in one sentence without a full stop
	// Instead is what to write or do instead.
	Instead string
	// Warning marks what the bot can run with.
	Warning bool
}

// String is the problem on one line, in the form that editors jump to:
// "dhbot.yaml:12:5: clusters.prod: what is wrong; what to do instead".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.What)
	if p.Instead != "" {
		b.WriteString("; " + p.Instead)
	}
	return b.String()
}

// Problems is everything that is wrong, sorted by place.
type Problems []Problem

// Fatal says that the bot must not start.
func (ps Problems) Fatal() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return !p.Warning })
}

// Error is one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err is the problems as an error, or nil when the bot can run.
func (ps Problems) Err() error {
	if !ps.Fatal() {
		return nil
	}
	return ps
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
