package lint

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// script is a block parsed as shell.
type script struct {
	calls        []*call
	placeholders []placeholder
}

// placeholder is a part of a command that the reader must replace, such as <file>.
type placeholder struct {
	line int    // the index of the line in the block
	text string // "<log file name>" or "[date]"
}

// call is one simple command.
type call struct {
	line    int
	text    string // as on the page
	assigns []word // NAME=value before the command
	sudo    *sudo  // nil without sudo
	argv    []word // program and arguments; after sudo, those of the inner command
	writes  []word // files that ">" and ">>" write
	appends []word // files that ">>" appends to
	reads   bool   // the input of the command is a pipe or a file
	prose   bool
}

// sudo is the part between "sudo" and the program.
type sudo struct {
	user    string // "root" by default
	env     []word // NAME=value
	keepEnv bool   // -E
	prompt  string // the argument of -p
}

// word is one word of a command.
type word struct {
	text   string // without quotes; expansions are unchanged
	glob   bool   // has a wildcard that the shell expands
	vars   bool   // has a variable outside quotes
	subst  bool   // has a command substitution
	secret bool   // has a variable with the name of a secret
}

func (c *call) program() string {
	if len(c.argv) == 0 {
		return ""
	}
	return path.Base(c.argv[0].text)
}

// args are the words after the program.
func (c *call) args() []word {
	if len(c.argv) == 0 {
		return nil
	}
	return c.argv[1:]
}

// operands are the arguments that are not options.
func (c *call) operands() (out []word) {
	for _, w := range c.args() {
		if !strings.HasPrefix(w.text, "-") {
			out = append(out, w)
		}
	}
	return out
}

// has reports whether one of the options is present, alone or with "=value". A one-letter option
// may also be in a group such as "-xefu".
func (c *call) has(options ...string) bool {
	for _, w := range c.args() {
		for _, o := range options {
			cluster := len(o) == 2 && len(w.text) > 1 && w.text[0] == '-' && w.text[1] != '-' &&
				strings.ContainsRune(w.text[1:], rune(o[1]))
			if w.text == o || strings.HasPrefix(w.text, o+"=") || cluster {
				return true
			}
		}
	}
	return false
}

// user is the account that the command runs as, or "" for the account of the person who types it.
func (c *call) user() string {
	if c.sudo == nil {
		return ""
	}
	return c.sudo.user
}

var (
	// variable matches a placeholder, such as <log file name> or [date].
	variable = regexp.MustCompile(`<[A-Za-z](?:[A-Za-z0-9 _./'-]*[A-Za-z0-9])?>|\[[a-z]+(?:[ _][a-z]+)*\]`)
	masked   = regexp.MustCompile(`‹(\d+)›`)
)

// shortestName is the least number of letters of a placeholder in square brackets. Fewer letters are
// a character set.
const shortestName = 4

// parse parses a block. It removes placeholders first, because they are not shell. If the block
// as a whole is not valid shell, it parses line by line and skips invalid lines.
func parse(b *block) script {
	var s script
	lines := make([]string, len(b.lines))
	for i, l := range b.lines {
		var masked strings.Builder
		from := 0
		for _, at := range variable.FindAllStringIndex(l.text, -1) {
			if !replaceable(l.text, at[0], at[1]) {
				continue
			}
			fmt.Fprintf(&masked, "%s‹%d›", l.text[from:at[0]], len(s.placeholders))
			s.placeholders = append(s.placeholders, placeholder{line: i, text: l.text[at[0]:at[1]]})
			from = at[1]
		}
		lines[i] = masked.String() + l.text[from:]
	}
	r := &reader{block: b, script: &s}
	if !r.read(strings.Join(lines, "\n"), 0) {
		for i, text := range lines {
			r.read(text, i)
		}
	}
	if len(s.calls) == 0 {
		s.placeholders = nil // not a command after all
	}
	return s
}

// replaceable reports whether a match is a placeholder: it is outside quotes, <…> is not two
// redirections, and […] is neither an index nor a character set.
func replaceable(text string, start, end int) bool {
	var quote rune
	for _, r := range text[:start] {
		switch {
		case quote == r:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		}
	}
	if quote != 0 {
		return false
	}
	letter := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] == '_' || text[i] >= '0' && text[i] <= '9' || text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z')
	}
	if text[start] == '<' {
		return !letter(end)
	}
	return !letter(start-1) && end-start-2 >= shortestName
}

// reader converts syntax into calls.
type reader struct {
	block  *block
	script *script
	src    string
	first  int // index of the first line of src
}

func (r *reader) read(src string, first int) bool {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(src), "")
	if err != nil {
		return false
	}
	r.src, r.first = src, first
	piped := map[syntax.Node]bool{}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
				piped[n.Y] = true
			}
		case *syntax.Stmt:
			if call, ok := n.Cmd.(*syntax.CallExpr); ok {
				r.call(n, call, piped[n])
			}
		}
		return true
	})
	return true
}

func (r *reader) call(s *syntax.Stmt, e *syntax.CallExpr, piped bool) {
	at := min(r.first+int(s.Pos().Line())-1, len(r.block.lines)-1)
	c := &call{line: r.block.lines[at].no, prose: r.block.prose, reads: piped}
	c.text = r.unmask(strings.Join(strings.Fields(r.src[s.Pos().Offset():s.End().Offset()]), " "))
	for _, a := range e.Assigns {
		w := word{text: a.Name.Value + "="}
		if a.Value != nil {
			v := r.word(a.Value)
			w = word{text: w.text + v.text, subst: v.subst}
		}
		c.assigns = append(c.assigns, w)
	}
	for _, a := range e.Args {
		c.argv = append(c.argv, r.word(a))
	}
	for _, d := range s.Redirs {
		switch d.Op {
		case syntax.RdrOut, syntax.RdrClob:
			c.writes = append(c.writes, r.word(d.Word))
		case syntax.AppOut:
			c.writes, c.appends = append(c.writes, r.word(d.Word)), append(c.appends, r.word(d.Word))
		case syntax.RdrIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
			c.reads = true
		}
	}
	c.takeSudo()
	r.script.calls = append(r.script.calls, c)
}

func (r *reader) unmask(s string) string {
	return masked.ReplaceAllStringFunc(s, func(m string) string {
		var n int
		if _, err := fmt.Sscanf(m, "‹%d›", &n); err != nil || n >= len(r.script.placeholders) {
			return m
		}
		return r.script.placeholders[n].text
	})
}

var secretName = regexp.MustCompile(`(?i)(pass|passwd|password|secret|token|key)$`)

func (r *reader) word(w *syntax.Word) word {
	var out word
	var b strings.Builder
	var walk func(parts []syntax.WordPart, quoted bool)
	walk = func(parts []syntax.WordPart, quoted bool) {
		for _, p := range parts {
			switch p := p.(type) {
			case *syntax.Lit:
				b.WriteString(p.Value)
				out.glob = out.glob || !quoted && strings.ContainsAny(escaped.ReplaceAllString(p.Value, ""), "*?[")
			case *syntax.SglQuoted:
				b.WriteString(p.Value)
			case *syntax.DblQuoted:
				walk(p.Parts, true)
			case *syntax.ParamExp:
				b.WriteString("$" + p.Param.Value)
				out.vars = out.vars || !quoted
				out.secret = out.secret || secretName.MatchString(p.Param.Value)
			case *syntax.CmdSubst:
				b.WriteString("$(…)")
				out.subst = true
			default:
				b.WriteString(r.src[p.Pos().Offset():p.End().Offset()])
			}
		}
	}
	walk(w.Parts, false)
	out.text = r.unmask(b.String())
	return out
}

var escaped = regexp.MustCompile(`\\.`)

// withValue are sudo's one-letter options that take a value (sudo(8)).
const withValue = "CDghpRrTtUu"

// takeSudo removes sudo and its options from the beginning of the command, and keeps them in
// c.sudo.
func (c *call) takeSudo() {
	if c.program() != "sudo" {
		return
	}
	s := &sudo{user: "root"}
	rest := c.argv[1:]
	for len(rest) > 0 {
		o := rest[0].text
		switch {
		case strings.Contains(o, "=") && !strings.HasPrefix(o, "-") && !strings.Contains(strings.SplitN(o, "=", 2)[0], "/"):
			s.env = append(s.env, rest[0])
		case len(o) < 2 || o[0] != '-':
			c.sudo, c.argv = s, rest
			return
		case o == "--preserve-env" || o == "-E":
			s.keepEnv = true
		case len(o) == 2 && strings.Contains(withValue, o[1:]) && len(rest) > 1:
			if o == "-u" {
				s.user = rest[1].text
			}
			if o == "-p" {
				s.prompt = rest[1].text
			}
			rest = rest[1:]
		}
		rest = rest[1:]
	}
	c.sudo, c.argv = s, nil
}
