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

	"dhbot/runbooks"
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
	// Catalogs are every generation there is: a process of any of them is
	// known.
	Catalogs runbooks.Catalogs
	// Catalog is the generation that the pages are about; "" takes for each
	// page the one that cites it most, and else "current".
	Catalog string
}

// Page checks one page. Findings come by line. The error says that the
// generation does not exist, or cannot be shown.
func (l *Linter) Page(file string, text []byte) ([]Finding, error) {
	know, err := l.knowledge(filepath.Base(file))
	if err != nil {
		return nil, err
	}
	var out []Finding
	for _, b := range readPage(string(text), know) {
		c := &check{know: know, block: b}
		c.run()
		out = append(out, c.found...)
	}
	for i := range out {
		out[i].File = file
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return slices.Compact(out), nil
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
	for _, p := range script.placeholders {
		c.placeholder(p)
	}
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
// findings of one line are told.
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
