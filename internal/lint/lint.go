// Package lint reads runbook pages and reports commands that do not do what
// the page says, or that hurt when they are pasted as they stand: a restart of
// another process, a name that the supervisor does not know, a block that
// never ends, a placeholder that the shell takes for a redirection, and where
// a page and the catalog disagree.
//
// A page is Markdown, or what is left of Markdown after its fences and
// headings were lost: then lines and parts of sentences that read like
// commands are taken for them. What cannot be read as shell is passed over in
// silence: a finding must be true.
package lint

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dhbot/runbooks/catalogs"
)

// Finding is one thing wrong with one line of a page.
type Finding struct {
	File string // as it was given
	Line int    // from 1
	Rule string // a short name that stays the same, such as "wrong-process"
	Text string // what is wrong, and what to write instead
}

// String is "file:line: text [rule]".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s [%s]", f.File, f.Line, f.Text, f.Rule)
}

// Linter checks pages against catalogs.
type Linter struct {
	know  []*knowledge // of each generation
	fixed *knowledge   // the one that all pages are about; nil chooses by page
}

// New makes a linter. catalogs are every generation there is; catalog is the
// one that the pages are about, and "" takes for each page the one that cites
// it most, or else the first of them. The error says that there is no such
// generation, or that one cannot be shown.
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
		return nil, fmt.Errorf("there is no catalog %q; there is %s", catalog, list(catalogs.Names()))
	}
	return l, nil
}

// about is what is known of the generation that a page is about.
func (l *Linter) about(page string) *knowledge {
	if l.fixed != nil {
		return l.fixed
	}
	return slices.MaxFunc(l.know, func(a, b *knowledge) int { return cmp.Compare(a.cites[page], b.cites[page]) })
}

// Page checks one page. Findings come by line.
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

// check is one block under the rules.
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

// rule looks at one command. It returns a sentence for everything wrong with
// it.
type rule struct {
	name  string
	check func(*check, *call) []string
}

// callRules are the rules for one command by itself, in the order in which
// findings of one line are reported.
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

// one is a list of one sentence.
func one(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }

// list joins names as "a, b".
func list(names []string) string { return strings.Join(names, ", ") }
