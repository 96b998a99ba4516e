package lint

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dhbot/runbooks/catalogs"
)

// Finding is one problem in one line of a page.
type Finding struct {
	File string // as passed to Page
	Line int    // from 1
	Rule string // a short stable name, such as "wrong-process"
	Text string // the problem, and what to write instead
}

// String is "file:line: text [rule]".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s [%s]", f.File, f.Line, f.Text, f.Rule)
}

// Linter checks pages against catalogs.
type Linter struct {
	know  []*knowledge // one for each generation
	fixed *knowledge   // the generation of all pages; nil chooses one per page
}

// New makes a linter. The argument catalogs has the catalogs of all generations, and catalog names
// the generation of the pages. If catalog is "", a page belongs to the generation whose catalog
// cites the page most, or else to the first generation. New returns an error if the generation of
// the pages is unknown, or if the commands of a generation cannot be read from its catalog.
func New(catalogs catalogs.Set, catalog string) (*Linter, error) {
	l := &Linter{}
	for _, c := range catalogs {
		k, err := learn(c, catalogs)
		if err != nil {
			return nil, err
		}
		l.know = append(l.know, k)
		if c.Name == catalog {
			l.fixed = k
		}
	}
	if catalog != "" && l.fixed == nil || len(l.know) == 0 {
		return nil, fmt.Errorf("there is no catalog %q; known: %s", catalog, list(catalogs.Names()))
	}
	return l, nil
}

// about returns what the catalog of a page's generation says.
func (l *Linter) about(page string) *knowledge {
	if l.fixed != nil {
		return l.fixed
	}
	return slices.MaxFunc(l.know, func(a, b *knowledge) int { return cmp.Compare(a.cites[page], b.cites[page]) })
}

// Page checks one page. Findings are sorted by line.
func (l *Linter) Page(file string, text []byte) []Finding {
	know := l.about(filepath.Base(file))
	var all, out []Finding
	for _, b := range readPage(string(text), know) {
		c := &check{know: know, block: b}
		c.run()
		all = append(all, c.found...)
	}
	for _, f := range all {
		f.File = file
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return out
}

// check applies the rules to one block.
type check struct {
	know  *knowledge
	block *block
	calls []*call
	found []Finding
}

func (c *check) run() {
	if c.block.bare() {
		c.missingCommand()
		return
	}
	script := parse(c.block)
	c.calls = script.calls
	c.placeholders(script.placeholders)
	for _, call := range c.calls {
		for _, r := range callRules {
			for _, text := range r.check(c, call) {
				c.report(call.line, r.name, text)
			}
		}
	}
	c.twice()
}

func (c *check) report(line int, rule, text string) {
	c.found = append(c.found, Finding{Line: line, Rule: rule, Text: text})
}

// rule checks one command. It returns a sentence for each problem.
type rule struct {
	name  string
	check func(*check, *call) []string
}

// callRules are the rules for a single command. The findings of one line are in this order.
var callRules = []rule{
	{"wrong-process", wrongProcess},
	{"unknown-service", unknownService},
	{"differs", differs},
	{"no-operand", noOperand},
	{"not-a-program", notAProgram},
	{"cat-for-echo", catForEcho},
	{"sudo-option", sudoOption},
	{"environment", environment},
	{"no-sudo", noSudo},
	{"reload", reload},
	{"never-ends", neverEnds},
	{"unbounded", unbounded},
	{"glob-before-sudo", globBeforeSudo},
	{"unquoted", unquoted},
	{"destructive", destructive},
	{"secret", secret},
	{"shared-tmp", sharedTmp},
	{"snapshot", snapshot},
}

// one returns a list with one formatted sentence.
func one(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }

// list joins names as "a, b".
func list(names []string) string { return strings.Join(names, ", ") }
