package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place is a position in a file.
type Place struct {
	File   string
	Line   int // from 1; 0 for the whole file
	Column int // from 1
}

// Problem returns a problem at this place. The argument what describes it.
func (p Place) Problem(what string) Problem {
	return Problem{File: p.File, Line: p.Line, Column: p.Column, What: what}
}

// Problem is one problem of a file.
type Problem struct {
	File   string // the file, or "environment"
	Line   int    // from 1; 0 without a place in the file
	Column int    // from 1
	Key    string // path in the file: "clusters.prod.hosts.infra-1.address"
	What   string // the problem, in one sentence without a full stop
	// Instead is the fix.
	Instead string
	// Warning means that the bot can run in spite of the problem.
	Warning bool
}

// String returns the problem on one line, in a format that editors understand: "dhbot.yaml:12:5:
// clusters.prod: what is wrong; what to do instead".
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

// Problems is a list of problems.
type Problems []Problem

// Fatal reports whether the bot must not start, because a problem is not just a warning.
func (ps Problems) Fatal() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return !p.Warning })
}

// Error lists one problem per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns the problems as an error. It returns nil if all of them are warnings.
func (ps Problems) Err() error {
	if !ps.Fatal() {
		return nil
	}
	return ps
}

func (ps Problems) Sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
