package strictyaml

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"dhbot/internal/suggest"
)

// Reader walks the syntax tree of the file and collects every problem; a decoder in strict mode
// would stop at the first.
type Reader struct {
	File     string
	Problems Problems
}

// Value is a node of the file with its place. If the file lacks it, its node is nil and its place
// is that of its parent.
type Value struct {
	R         *Reader
	Node      ast.Node
	Key       string // its path from the top
	Line, Col int
}

// Parse returns the root of the file's single document.
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
		top.Problem("this is not YAML: "+err.Error(), "")
		return top
	case len(file.Docs) != 1 || file.Docs[0].Body == nil:
		top.Problem("the file must hold exactly one document", "start from config.example.yaml")
		return top
	}
	top.Node = file.Docs[0].Body
	return top
}

// Problem reports a problem of a value and the fix.
func (v Value) Problem(what, instead string) { v.report(what, instead, false) }

func (v Value) Warning(what, instead string) { v.report(what, instead, true) }

func (v Value) report(what, instead string, warning bool) {
	p := Problem{File: v.R.File, Line: v.Line, Column: v.Col, Key: v.Key, What: what, Instead: instead, Warning: warning}
	if !slices.Contains(v.R.Problems, p) { // a value may be parsed more than once
		v.R.Problems = append(v.R.Problems, p)
	}
}

// There reports whether the file has the value. An empty text counts as missing.
func (v Value) There() bool {
	switch n := v.Node.(type) {
	case nil, *ast.NullNode:
		return false
	case *ast.StringNode:
		return strings.TrimSpace(n.Value) != ""
	default:
		return true
	}
}

// child is a part of a value, with its own place if it has one.
func (v Value) child(name string, node ast.Node, at *token.Token) Value {
	c := Value{R: v.R, Node: node, Key: strings.TrimPrefix(v.Key+"."+name, "."), Line: v.Line, Col: v.Col}
	if at != nil && at.Position != nil {
		c.Line, c.Col = at.Position.Line, at.Position.Column
	}
	return c
}

// Pairs are the entries of a mapping, in the file's order. The place of an entry is that of its
// key.
func (v Value) Pairs() []pair {
	if !v.There() {
		return nil
	}
	m, ok := v.Node.(*ast.MappingNode)
	if !ok {
		v.Problem("this must be a mapping, with a key and a colon on each line", "")
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
		out = append(out, pair{name, c})
	}
	return out
}

type pair struct {
	Name  string
	Value Value
}

// Object is a mapping with a fixed set of keys.
type Object struct {
	Value
	fields map[string]Value
	Broken bool // not a mapping, which was reported
}

// Object parses a mapping with these keys only.
func (v Value) Object(keys ...string) Object {
	_, is := v.Node.(*ast.MappingNode)
	o := Object{v, map[string]Value{}, v.There() && !is}
	for _, p := range v.Pairs() {
		known := false
		for _, k := range keys {
			known = known || k == p.Name
		}
		if !known {
			p.Value.Problem(fmt.Sprintf("there is no key %q here", p.Name), Meant(p.Name, keys, "the keys are "))
			continue
		}
		o.fields[p.Name] = p.Value
	}
	return o
}

// Get is the value of a key, or a missing value.
func (o Object) Get(key string) Value {
	if v, ok := o.fields[key]; ok {
		return v
	}
	return o.child(key, nil, nil)
}

// Need is get for a required key; why is its purpose.
func (o Object) Need(key, why string) Value {
	v := o.Get(key)
	if !v.There() && !o.Broken {
		v.Problem("this is missing", why)
	}
	return v
}

// NeedSome is need for a list or mapping that must not be empty.
func (o Object) NeedSome(key, why string) Value {
	v := o.Need(key, why)
	list, isList := v.Node.(*ast.SequenceNode)
	m, isMap := v.Node.(*ast.MappingNode)
	if isList && len(list.Values) == 0 || isMap && len(m.Values) == 0 {
		v.Problem("this is empty", why)
	}
	return v
}

// Text parses a text; "" if missing.
func (v Value) Text() string {
	if !v.There() {
		return ""
	}
	switch n := v.Node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	default:
		v.Problem("this must be text", "write it in quotes")
		return ""
	}
}

// Items are the entries of a list.
func (v Value) Items() []Value {
	if !v.There() {
		return nil
	}
	list, ok := v.Node.(*ast.SequenceNode)
	if !ok {
		v.Problem("this must be a list", "write [a, b], or one \"- a\" on each line")
		return nil
	}
	out := make([]Value, len(list.Values))
	for i, n := range list.Values {
		out[i] = v.child(fmt.Sprintf("%d", i), n, n.GetToken())
	}
	return out
}

// Texts parses a list of texts, and reports duplicates.
func (v Value) Texts() []Value {
	var out []Value
	seen := map[string]bool{}
	for _, item := range v.Items() {
		switch s := item.Text(); {
		case s == "":
			if !item.There() {
				item.Problem("this is empty", "write a text, or leave the entry out")
			}
		case seen[s]:
			item.Problem(fmt.Sprintf("%q is in this list twice", s), "keep one of them")
		default:
			seen[s] = true
			out = append(out, item)
		}
	}
	return out
}

// Number parses an integer within bounds, or returns the default.
func (v Value) Number(least, most, otherwise int) int {
	if !v.There() {
		return otherwise
	}
	if n, ok := v.Node.(*ast.IntegerNode); ok {
		var got int
		if _, err := fmt.Sscan(n.Token.Value, &got); err == nil && got >= least && got <= most {
			return got
		}
	}
	v.Problem("this number is out of range", fmt.Sprintf("write a whole number from %d to %d", least, most))
	return otherwise
}

// Boolean parses true or false; false if missing.
func (v Value) Boolean() bool {
	if !v.There() {
		return false
	}
	if b, ok := v.Node.(*ast.BoolNode); ok {
		return b.Value
	}
	v.Problem("this must be true or false", "write true or false, without quotes")
	return false
}

// Duration parses a duration such as "15m" within bounds, or returns the default.
func (v Value) Duration(least, most, otherwise time.Duration) time.Duration {
	if !v.There() {
		return otherwise
	}
	if d, err := time.ParseDuration(v.Text()); err == nil && d >= least && d <= most {
		return d
	}
	v.Problem(
		"this duration is out of range", fmt.Sprintf("write a time from %s to %s, such as %s", Short(least), Short(most), Short(otherwise)),
	)
	return otherwise
}

// Meant is "did you mean …", or the whole list if no word is similar.
func Meant(word string, among []string, list string) string {
	if near := suggest.Near(word, among); len(near) > 0 {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	if len(among) == 0 {
		return ""
	}
	return list + strings.Join(among, ", ")
}

// Short formats a duration for people: 15m, not 15m0s.
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
