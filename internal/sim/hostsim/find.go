package hostsim

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// entry is a file or directory that find visits.
type entry struct {
	file
	dir    bool
	depth  int // depth below the start directory of find
	now    time.Time
	pruned bool // find does not enter it
}

// find searches one directory. It supports -mindepth and -maxdepth, the tests
// -type f|d, -name, -path, -links, -newermt, -mmin and -mtime, -prune, brackets
// and -o. Other options are not simulated.
func (c *call) find(args []string) answer {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return notSimulated("find without a directory")
	}
	dir := strings.TrimSuffix(args[0], "/")
	all := c.entries(dir)
	if len(all) == 0 {
		return answer{err: fmt.Sprintf("find: '%s': No such file or directory\n", dir), exit: 1}
	}
	p := findParser{words: args[1:], most: 1 << 20}
	keep := p.either()
	if p.bad == "" && len(p.words) > 0 {
		p.bad = p.words[0]
	}
	if p.bad != "" {
		return notSimulated("find " + p.bad)
	}
	var b strings.Builder
	var pruned []string
	for _, e := range all {
		inside := func(dir string) bool { return strings.HasPrefix(e.path, dir+"/") }
		if e.depth < p.least || e.depth > p.most || slices.ContainsFunc(pruned, inside) {
			continue
		}
		if keep(&e) {
			b.WriteString(e.path + "\n")
		}
		if e.pruned {
			pruned = append(pruned, e.path)
		}
	}
	return answer{out: b.String()}
}

// entries returns a directory and everything below it that the user may see.
func (c *call) entries(dir string) []entry {
	var out []entry
	for _, f := range c.host.logFiles(dir, c.world.now) {
		out = append(out, entry{file: f, depth: 1, now: c.world.now})
	}
	for _, name := range c.host.disk.under(dir) {
		n := c.host.disk.nodes[name]
		if c.mayEnter(name) {
			depth := strings.Count(strings.TrimPrefix(name, dir), "/")
			out = append(out, entry{file: file{path: name, owner: n.owner, links: 1, changed: n.changed, text: n.text}, dir: n.dir, depth: depth, now: c.world.now})
		}
	}
	return out
}

// findParser parses the expression of a find command. bad is the first invalid word, or "".
type findParser struct {
	words       []string
	bad         string
	least, most int // depths
}

type fileTest func(*entry) bool

// either parses tests joined by -o.
func (p *findParser) either() fileTest {
	any := []fileTest{p.all()}
	for len(p.words) > 0 && p.words[0] == "-o" {
		p.words = p.words[1:]
		any = append(any, p.all())
	}
	return func(f *entry) bool {
		for _, t := range any {
			if t(f) {
				return true
			}
		}
		return false
	}
}

// all parses tests joined by "and".
func (p *findParser) all() fileTest {
	var every []fileTest
	for p.bad == "" && len(p.words) > 0 && p.words[0] != "-o" && p.words[0] != ")" {
		every = append(every, p.one())
	}
	return func(f *entry) bool {
		for _, t := range every {
			if !t(f) {
				return false
			}
		}
		return true
	}
}

func (p *findParser) one() fileTest {
	word := p.words[0]
	if word == "(" {
		p.words = p.words[1:]
		inner := p.either()
		if len(p.words) == 0 || p.words[0] != ")" {
			p.bad = word
			return nil
		}
		p.words = p.words[1:]
		return inner
	}
	if word == "-prune" {
		p.words = p.words[1:]
		return func(e *entry) bool { e.pruned = true; return true }
	}
	if len(p.words) < 2 {
		p.bad = word
		return nil
	}
	value := p.words[1]
	p.words = p.words[2:]
	test := findTest(word, value)
	n, err := strconv.Atoi(value)
	switch {
	case word == "-mindepth" && err == nil:
		p.least, test = n, always
	case word == "-maxdepth" && err == nil:
		p.most, test = n, always
	case test == nil:
		p.bad = word + " " + value
	}
	return test
}

func always(*entry) bool { return true }

// findTest returns the test that a word of find names, such as -name with its value. It returns nil
// if the test is not simulated.
func findTest(word, value string) fileTest {
	n, err := strconv.Atoi(value)
	number := err == nil
	switch {
	case word == "-type" && (value == "f" || value == "d"):
		return func(e *entry) bool { return e.dir == (value == "d") }
	case word == "-name":
		return func(e *entry) bool { ok, err := path.Match(value, path.Base(e.path)); return err == nil && ok }
	case word == "-path":
		return func(e *entry) bool { return glob(value, e.path) }
	case word == "-links" && number:
		return func(e *entry) bool { return e.links == n }
	case word == "-mmin" && number && n < 0:
		return func(e *entry) bool { return e.now.Sub(e.changed) < time.Duration(-n)*time.Minute }
	case word == "-mtime" && number && n > 0:
		return func(e *entry) bool { return e.now.Sub(e.changed) >= time.Duration(n+1)*24*time.Hour }
	case word == "-newermt":
		for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05 MST", time.DateTime, time.DateOnly} {
			if at, err := time.Parse(layout, value); err == nil {
				return func(e *entry) bool { return e.changed.After(at) }
			}
		}
	}
	return nil
}

// glob reports whether a name matches a pattern, like -path of find: a * also matches "/".
func glob(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	tail, ok := strings.CutPrefix(name, first)
	if !ok {
		return false
	}
	for i := range len(tail) + 1 {
		if glob(rest, tail[i:]) {
			return true
		}
	}
	return false
}
