package strictyaml

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Reader parses a file and collects every problem. A decoder in strict mode would stop at the first
// problem.
type Reader struct {
	File string
	// Example names a file that error messages suggest as a starting point.
	Example string
	// Strict means that a key or an entry without a value is a problem, and that an empty text is a
	// value. If Strict is false, both count as missing.
	Strict   bool
	Problems Problems
}

// Value is a node of the file with its place. If a key is missing, its value has a nil Node and the
// place of the mapping that lacks the key.
type Value struct {
	R         *Reader
	Node      ast.Node
	Key       string // the path of the node from the top
	Line, Col int
}

// Parse returns the top value of a file, which must have exactly one document.
func (r *Reader) Parse(data []byte) Value {
	top := Value{R: r, Line: 1, Col: 1}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax) && syntax.GetToken() != nil:
		at := syntax.GetToken().Position
		top.Line, top.Col = at.Line, at.Column
		top.Problem("this is not YAML: "+syntax.GetMessage(), "check the indentation and the quotes from here upwards")
		return top
	case err != nil:
		top.Problem("this is not YAML: "+err.Error(), "check the indentation and the quotes")
		return top
	}
	docs := slices.DeleteFunc(file.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) != 1 {
		top.Problem(fmt.Sprintf("the file must hold exactly one document, but holds %d", len(docs)), "write one document, without lines of --- ("+r.Example+" shows how)")
		return top
	}
	top.Node = docs[0].Body
	return top
}

// Add adds a problem, unless it was added before, because a value may be parsed more than once.
func (r *Reader) Add(p Problem) {
	if !slices.Contains(r.Problems, p) {
		r.Problems = append(r.Problems, p)
	}
}

// Problem reports a problem with a value. The argument instead is the fix.
func (v Value) Problem(what, instead string) { v.report(what, instead, false) }

func (v Value) Warning(what, instead string) { v.report(what, instead, true) }

func (v Value) report(what, instead string, warning bool) {
	v.R.Add(Problem{File: v.R.File, Line: v.Line, Column: v.Col, Key: v.Key, What: what, Instead: instead, Warning: warning})
}

// Place is the place of a value in its file.
func (v Value) Place() Place { return Place{v.R.File, v.Line, v.Col} }

// There reports whether the file has the value. An empty text counts as missing, unless the
// reader is strict.
func (v Value) There() bool {
	switch n := v.Node.(type) {
	case nil, *ast.NullNode:
		return false
	case *ast.StringNode:
		return v.R.Strict || strings.TrimSpace(n.Value) != ""
	default:
		return true
	}
}

// void reports whether a key or an entry has no value although the reader is strict. It then also
// adds a problem.
func (v Value) void() bool {
	if _, null := v.Node.(*ast.NullNode); !null || !v.R.Strict {
		return false
	}
	v.Problem("this has no value", "write a value, or remove the key")
	return true
}

// IsMapping reports whether the value is a mapping.
func (v Value) IsMapping() bool {
	_, is := v.Node.(*ast.MappingNode)
	return is
}

// child returns a part of a value. If the token at is nil, the part has the place of the whole
// value.
func (v Value) child(name string, node ast.Node, at *token.Token) Value {
	c := Value{R: v.R, Node: node, Key: strings.TrimPrefix(v.Key+"."+name, "."), Line: v.Line, Col: v.Col}
	if at != nil && at.Position != nil {
		c.Line, c.Col = at.Position.Line, at.Position.Column
	}
	return c
}

// Pairs returns the entries of a mapping, in the order of the file. The place of an entry is where
// its key is.
func (v Value) Pairs() []pair {
	if !v.There() {
		return nil
	}
	m, ok := v.Node.(*ast.MappingNode)
	if !ok {
		v.Problem("this must be a mapping", "write a key and a colon on each line")
		return nil
	}
	var out []pair
	seen := map[string]bool{}
	for _, entry := range m.Values {
		at := entry.Key.GetToken()
		name := at.Value
		c := v.child(name, entry.Value, at)
		if _, plain := entry.Key.(ast.ScalarNode); !plain || entry.Key.IsMergeKey() {
			c.Problem("merge keys and compound keys are not supported", "write the keys out")
			continue
		}
		if seen[name] {
			c.Problem("this key is here twice", "keep one of them")
			continue
		}
		seen[name] = true
		if !c.void() {
			out = append(out, pair{name, c})
		}
	}
	return out
}

type pair struct {
	Name  string
	Value Value
}

// Object is a parsed mapping.
type Object struct {
	Value
	fields map[string]Value
	Broken bool // the value is not a mapping; this was reported
}

// Object parses a mapping. It reports every key that is not among keys.
func (v Value) Object(keys ...string) Object {
	o := v.AnyObject()
	for _, p := range v.Pairs() {
		if !slices.Contains(keys, p.Name) {
			p.unknown(keys)
		}
	}
	return o
}

// AnyObject parses a mapping with any keys.
func (v Value) AnyObject() Object {
	o := Object{v, map[string]Value{}, v.There() && !v.IsMapping()}
	for _, p := range v.Pairs() {
		o.fields[p.Name] = p.Value
	}
	return o
}

// unknown reports that the key of the pair is not allowed in its mapping. The allowed keys are in
// the argument keys.
func (p pair) unknown(keys []string) {
	p.Value.Problem(fmt.Sprintf("there is no key %q here", p.Name), Meant(p.Name, keys, "the keys are "))
}

// Fields maps each allowed key of a mapping to the function that parses the key's value.
type Fields map[string]func(Value)

// Read passes each value of a mapping to the function of its key. It reports keys that have no
// function.
func (v Value) Read(fields Fields) {
	for _, p := range v.Pairs() {
		read, known := fields[p.Name]
		if !known {
			p.unknown(slices.Sorted(maps.Keys(fields)))
			continue
		}
		read(p.Value)
	}
}

// Into returns a function for Fields that parses a value and stores the result, unless the value
// has a problem.
func Into[T any](to *T, read func(Value) T) func(Value) {
	return func(v Value) {
		before := len(v.R.Problems)
		if got := read(v); len(v.R.Problems) == before {
			*to = got
		}
	}
}

// Get returns the value of a key. If the key is missing, There of this value is false.
func (o Object) Get(key string) Value {
	if v, ok := o.fields[key]; ok {
		return v
	}
	return o.child(key, nil, nil)
}

// Need is like Get, but reports a missing key. The argument why is the fix for the problem.
func (o Object) Need(key, why string) Value {
	v := o.Get(key)
	if !v.There() && !o.Broken {
		v.Problem("this is missing", why)
	}
	return v
}

// NeedSome is like Need, but also reports an empty list or mapping.
func (o Object) NeedSome(key, why string) Value {
	v := o.Need(key, why)
	list, isList := v.Node.(*ast.SequenceNode)
	m, isMap := v.Node.(*ast.MappingNode)
	if isList && len(list.Values) == 0 || isMap && len(m.Values) == 0 {
		v.Problem("this is empty", why)
	}
	return v
}

// NeedWord returns the word of a required key. It reports a missing key and an empty word.
func (o Object) NeedWord(key, why string) string {
	v := o.Need(key, why)
	word := v.Word()
	if _, text := v.Node.(*ast.StringNode); text && word == "" {
		v.Problem("this is empty", why)
	}
	return word
}
