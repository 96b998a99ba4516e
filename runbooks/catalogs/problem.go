package catalogs

import (
	"fmt"
	"strings"
)

// Problem is one error in a catalog file.
type Problem struct {
	File string
	Line int // from 1; 0 for the whole file
	Col  int // from 1
	Text string
}

// String returns "FILE:LINE:COL: error; correction".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Col, p.Text)
}

// Problems are the problems of all catalog files, by file, line and column. Load returns
// either catalogs or problems.
type Problems []Problem

// Error returns one line per problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}
