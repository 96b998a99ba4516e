package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// block is one or more consecutive command lines.
type block struct {
	section string // the heading above the block
	process string // the process of the section, by id; "" for none
	label   string // the line of text above the block
	lines   []line
	prose   bool // a command inside a sentence, whose end is a guess
}

type line struct {
	no   int // from 1
	text string
}

// bare reports whether the block is a single word.
func (b *block) bare() bool {
	return len(b.lines) == 1 && len(strings.Fields(b.lines[0].text)) == 1 && !strings.ContainsAny(b.lines[0].text, "/.=") &&
		!isCommand(b.lines[0].text)
}

// readPage finds the blocks of commands in a page. It uses know to recognise headings that name a
// process.
func readPage(src string, know *knowledge) []*block {
	src = strings.ReplaceAll(src, "\r\n", "\n")
	title, body := frontMatter(src)
	if isMarkdown(body) {
		m := &markdown{src: []byte(body), know: know}
		m.enter(0, title)
		m.read()
		return m.blocks
	}
	p := &plain{know: know, lines: strings.Split(body, "\n")}
	p.read()
	return p.blocks
}

// frontMatter returns the title in the YAML header of a page, and the page with empty lines in
// place of the header.
func frontMatter(src string) (title, body string) {
	rest, ok := strings.CutPrefix(src, "---\n")
	if !ok {
		return "", src
	}
	header, rest, ok := strings.Cut(rest, "\n---\n")
	if !ok {
		return "", src
	}
	for l := range strings.Lines(header) {
		if t, is := strings.CutPrefix(l, "title:"); is {
			title = strings.Trim(strings.TrimSpace(t), `"'`)
		}
	}
	return title, strings.Repeat("\n", strings.Count(header, "\n")+3) + rest
}

var (
	fence      = regexp.MustCompile("(?m)^ {0,3}(```|~~~)")
	atxHeading = regexp.MustCompile(`(?m)^#{1,6} +\S.*\n\n`)
)

// isMarkdown reports whether a page still has its fences or headings. A single line that
// begins with "# " may also be a comment in a script.
func isMarkdown(src string) bool { return fence.MatchString(src) || atxHeading.MatchString(src) }

// markdown reads a page by its syntax tree.
type markdown struct {
	src      []byte
	know     *knowledge
	headings []heading
	label    string
	blocks   []*block
}

// heading is a section that has not ended, and the process that it is about.
type heading struct {
	level int
	// about is the heading that names the process: the heading of this section or of an enclosing
	// section.
	about, process string
}

// enter begins a section. A section whose heading names no process has the process of the
// enclosing section.
func (m *markdown) enter(level int, title string) {
	m.headings = slices.DeleteFunc(m.headings, func(h heading) bool { return h.level >= level })
	h := heading{level: level, about: title, process: m.know.titled(title)}
	if n := len(m.headings); n > 0 && h.process == "" && m.headings[n-1].process != "" {
		h.about, h.process = m.headings[n-1].about, m.headings[n-1].process
	}
	m.headings = append(m.headings, h)
	m.label = title
}

func (m *markdown) read() {
	doc := goldmark.DefaultParser().Parse(text.NewReader(m.src))
	// The function never returns an error, so Walk returns none.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			m.enter(n.Level, strings.TrimSpace(m.joined(n)))
			return ast.WalkSkipChildren, nil
		case *ast.FencedCodeBlock:
			m.add(m.linesOf(n), slices.Contains(shells, string(n.Language(m.src))), false)
		case *ast.CodeBlock:
			m.add(m.linesOf(n), false, false)
		case *ast.CodeSpan:
			m.span(n)
		case *ast.Paragraph, *ast.TextBlock:
			if t := strings.TrimSpace(m.joined(n)); t != "" && !strings.HasPrefix(t, "|") {
				m.label = t
			}
		}
		return ast.WalkContinue, nil
	})
}

func (m *markdown) linesOf(n ast.Node) (out []line) {
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		out = append(out, line{no: m.lineAt(seg.Start), text: strings.TrimRight(string(seg.Value(m.src)), "\n")})
	}
	return out
}

func (m *markdown) joined(n ast.Node) string {
	var b strings.Builder
	for _, l := range m.linesOf(n) {
		b.WriteString(strings.ReplaceAll(l.text, "`", "") + " ")
	}
	return b.String()
}

func (m *markdown) lineAt(offset int) int { return 1 + strings.Count(string(m.src[:offset]), "\n") }

// span treats code within a sentence as a command if it looks like a command with arguments.
func (m *markdown) span(n *ast.CodeSpan) {
	first, ok := n.FirstChild().(*ast.Text)
	if !ok {
		return
	}
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(m.src))
		}
	}
	if t := b.String(); len(strings.Fields(t)) > 1 && isCommand(t) {
		m.add([]line{{no: m.lineAt(first.Segment.Start), text: t}}, false, true)
	}
}

// shells are the languages of code blocks with shell commands.
var shells = []string{"sh", "bash", "shell", "zsh", "console"}

// add keeps a block if it is marked as shell, looks like shell, or is a single word where a command
// is expected.
func (m *markdown) add(lines []line, shell, prose bool) {
	if len(lines) == 0 {
		return
	}
	for i := range lines {
		lines[i].text = strings.TrimPrefix(lines[i].text, "$ ")
	}
	h := m.headings[len(m.headings)-1]
	b := &block{section: h.about, process: h.process, label: m.label, lines: lines, prose: prose}
	if shell || b.bare() || slices.ContainsFunc(lines, func(l line) bool { return isCommand(l.text) }) {
		m.blocks = append(m.blocks, b)
	}
}
