package catalogs

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with a catalog file.
type Problem struct {
	File string
	Line int // from 1; 0 where the file as a whole is meant
	Col  int // from 1
	Text string
}

// String is "FILE:LINE:COL: what is wrong; what to write instead".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Col, p.Text)
}

// Problems is every problem of every catalog file, by file, line and column.
// Load never returns catalogs together with problems.
type Problems []Problem

// Error has a line per problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}
