package catalogs

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// pos is a position in a catalog file.
type pos struct {
	file      string
	line, col int
}

// yamlFile reads one YAML file strictly. A library's strict mode stops at the first
// unknown key; this reader reports every problem with its position.
type yamlFile struct {
	name     string
	problems Problems
}

// parse returns the file's only document, or reports a problem and returns nil.
func (f *yamlFile) parse(data []byte) ast.Node {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		var syntax yaml.Error
		if errors.As(err, &syntax) && syntax.GetToken() != nil {
			p := syntax.GetToken().Position
			f.report(pos{f.name, p.Line, p.Column}, "not YAML: %s", syntax.GetMessage())
			return nil
		}
		f.report(pos{file: f.name}, "not YAML: %v", err)
		return nil
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			docs = append(docs, d.Body)
		}
	}
	if len(docs) != 1 {
		f.report(pos{file: f.name}, "holds %d documents; a catalog file holds exactly one", len(docs))
		return nil
	}
	return docs[0]
}

func (f *yamlFile) report(at pos, format string, args ...any) {
	f.problems = append(f.problems, Problem{at.file, at.line, at.col, fmt.Sprintf(format, args...)})
}

// at returns the position of a node; for a mapping, that of its first key.
func (f *yamlFile) at(n ast.Node) pos {
	if m, ok := n.(ast.MapNode); ok {
		if it := m.MapRange(); it.Next() {
			n = it.Key()
		}
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return pos{file: f.name}
	}
	p := n.GetToken().Position
	return pos{f.name, p.Line, p.Column}
}

// fields are the valid keys of a mapping, each with its reader.
type fields map[string]func(ast.Node)

// mapping passes every value of a mapping to its reader, in the file's order. It returns
// the keys found.
func (f *yamlFile) mapping(n ast.Node, what string, known fields) map[string]bool {
	seen := map[string]bool{}
	f.pairs(n, what, func(key string, at pos, value ast.Node) {
		read, ok := known[key]
		if !ok {
			names := make([]string, 0, len(known))
			for k := range known {
				names = append(names, k)
			}
			f.report(at, "%s has no key %s%s", what, suggest.Short(key), suggest.Hint(suggest.Near(key, names), names))
			return
		}
		seen[key] = true
		read(value)
	})
	return seen
}

// pairs calls each for every key and value of a mapping.
func (f *yamlFile) pairs(n ast.Node, what string, each func(key string, at pos, value ast.Node)) {
	m, ok := n.(ast.MapNode)
	if !ok {
		f.report(f.at(n), "%s must be a mapping (key: value)", what)
		return
	}
	seen := map[string]bool{}
	for it := m.MapRange(); it.Next(); {
		key, ok := it.Key().(*ast.StringNode)
		if !ok {
			f.report(f.at(it.Key()), "%s: a key must be plain text", what)
			continue
		}
		if seen[key.Value] {
			f.report(f.at(key), "%s has the key %s twice", what, suggest.Short(key.Value))
			continue
		}
		seen[key.Value] = true
		each(key.Value, f.at(key), it.Value())
	}
}

// items calls each for every entry of a list.
func (f *yamlFile) items(n ast.Node, what string, each func(ast.Node)) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		f.report(f.at(n), "%s must be a list", what)
		return
	}
	for _, v := range s.Values {
		each(v)
	}
}

// text returns a scalar exactly as written in the file.
func (f *yamlFile) text(n ast.Node, what string) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(v.Value.Value), true
	case *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	default:
		f.report(f.at(n), "%s must be text; put it in quotes if it means something to YAML", what)
		return "", false
	}
}

func (f *yamlFile) str(to *string, what string) func(ast.Node) {
	return func(n ast.Node) {
		if s, ok := f.text(n, what); ok {
			*to = s
		}
	}
}

// strs reads a list of texts, or one text as a list of one.
func (f *yamlFile) strs(to *[]string, what string) func(ast.Node) {
	return func(n ast.Node) {
		out := []string{}
		if _, list := n.(*ast.SequenceNode); !list {
			if s, ok := f.text(n, what); ok {
				*to = append(out, s)
			}
			return
		}
		f.items(n, what, func(n ast.Node) {
			if s, ok := f.text(n, what); ok {
				out = append(out, s)
			}
		})
		*to = out
	}
}

func (f *yamlFile) integer(to *int, what string) func(ast.Node) {
	return func(n ast.Node) {
		if _, ok := n.(*ast.IntegerNode); ok {
			if v, err := strconv.Atoi(n.GetToken().Value); err == nil {
				*to = v
				return
			}
		}
		f.report(f.at(n), "%s must be a whole number", what)
	}
}

func (f *yamlFile) boolean(to *bool, what string) func(ast.Node) {
	return func(n ast.Node) {
		b, ok := n.(*ast.BoolNode)
		if !ok {
			f.report(f.at(n), "%s must be true or false", what)
			return
		}
		*to = b.Value
	}
}

// seconds reads a duration in whole seconds, as the remote timeout needs.
func (f *yamlFile) seconds(to *runbooks.Duration, what string) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := f.text(n, what)
		if !ok {
			return
		}
		d, err := time.ParseDuration(s)
		if err != nil || d < time.Second || d > 24*time.Hour || d%time.Second != 0 {
			f.report(f.at(n), "%s %s must be whole seconds up to a day, as in 15s or 3m", what, suggest.Short(s))
			return
		}
		*to = runbooks.Duration(d)
	}
}

// oneOf reads one of a fixed set of values.
func oneOf[T ~string](f *yamlFile, to *T, what string, set ...T) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := f.text(n, what)
		if !ok {
			return
		}
		if !slices.Contains(set, T(s)) {
			names := make([]string, len(set))
			for i, v := range set {
				names[i] = string(v)
			}
			f.report(f.at(n), "%s cannot be %s%s", what, suggest.Short(s), suggest.Hint(suggest.Near(s, names), names))
			return
		}
		*to = T(s)
	}
}
