package hostsim

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

// find looks for files in one directory: `find DIR -maxdepth 1 -type f TESTS`
// with the tests -name, -links, -newermt, brackets and -o. What else find can
// do is not simulated.
func (c *call) find(args []string) answer {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return notSimulated("find without a directory")
	}
	dir := strings.TrimSuffix(args[0], "/")
	inside := c.host.files(dir, c.world.now)
	if len(inside) == 0 {
		return answer{err: fmt.Sprintf("find: '%s': No such file or directory\n", dir), exit: 1}
	}
	p := findParser{words: args[1:]}
	keep := p.either()
	if p.bad == "" && len(p.words) > 0 {
		p.bad = p.words[0]
	}
	if p.bad != "" {
		return notSimulated("find " + p.bad)
	}
	var b strings.Builder
	for _, f := range inside {
		if keep(f) {
			b.WriteString(f.path + "\n")
		}
	}
	return answer{out: b.String()}
}

// findParser reads find's expression; bad is the first word it cannot read.
type findParser struct {
	words []string
	bad   string
}

type fileTest func(file) bool

// either reads tests joined by -o.
func (p *findParser) either() fileTest {
	any := []fileTest{p.all()}
	for len(p.words) > 0 && p.words[0] == "-o" {
		p.words = p.words[1:]
		any = append(any, p.all())
	}
	return func(f file) bool {
		for _, t := range any {
			if t(f) {
				return true
			}
		}
		return false
	}
}

// all reads tests that stand side by side.
func (p *findParser) all() fileTest {
	var every []fileTest
	for p.bad == "" && len(p.words) > 0 && p.words[0] != "-o" && p.words[0] != ")" {
		every = append(every, p.one())
	}
	return func(f file) bool {
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
	if len(p.words) < 2 {
		p.bad = word
		return nil
	}
	value := p.words[1]
	p.words = p.words[2:]
	test := findTest(word, value)
	if test == nil {
		p.bad = word + " " + value
	}
	return test
}

// findTest is one test, or nil where it is not simulated.
func findTest(word, value string) fileTest {
	always := func(file) bool { return true }
	switch word {
	case "-maxdepth":
		if value == "1" {
			return always
		}
	case "-type":
		if value == "f" {
			return always
		}
	case "-name":
		return func(f file) bool { ok, err := path.Match(value, path.Base(f.path)); return err == nil && ok }
	case "-links":
		if n, err := strconv.Atoi(value); err == nil {
			return func(f file) bool { return f.links == n }
		}
	case "-newermt":
		for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05 MST", time.DateTime, time.DateOnly} {
			if at, err := time.Parse(layout, value); err == nil {
				return func(f file) bool { return f.changed.After(at) }
			}
		}
	}
	return nil
}
