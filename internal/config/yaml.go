package config

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

	"dhbot/runbooks"
)

// reader walks the syntax tree of the file and collects every problem; a decoder in strict mode
// would stop at the first.
type reader struct {
	file     string
	problems Problems
}

// value is a node of the file with its place. If the file lacks it, its node is nil and its place
// is that of its parent.
type value struct {
	r         *reader
	node      ast.Node
	key       string // its path from the top
	line, col int
}

// parse returns the root of the file's single document.
func (r *reader) parse(data []byte) value {
	top := value{r: r, line: 1, col: 1}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax) && syntax.GetToken() != nil:
		at := syntax.GetToken().Position
		top.line, top.col = at.Line, at.Column
		top.problem("this is not YAML: "+syntax.GetMessage(), "check the indentation and the quotes from here upwards")
		return top
	case err != nil:
		top.problem("this is not YAML: "+err.Error(), "")
		return top
	case len(file.Docs) != 1 || file.Docs[0].Body == nil:
		top.problem("the file must hold exactly one document", "start from config.example.yaml")
		return top
	}
	top.node = file.Docs[0].Body
	return top
}

// problem reports a problem of a value and the fix.
func (v value) problem(what, instead string) { v.report(what, instead, false) }

func (v value) warning(what, instead string) { v.report(what, instead, true) }

func (v value) report(what, instead string, warning bool) {
	p := Problem{File: v.r.file, Line: v.line, Column: v.col, Key: v.key, What: what, Instead: instead, Warning: warning}
	if !slices.Contains(v.r.problems, p) { // a value may be parsed more than once
		v.r.problems = append(v.r.problems, p)
	}
}

// there reports whether the file has the value. An empty text counts as missing.
func (v value) there() bool {
	switch n := v.node.(type) {
	case nil, *ast.NullNode:
		return false
	case *ast.StringNode:
		return strings.TrimSpace(n.Value) != ""
	default:
		return true
	}
}

// child is a part of a value, with its own place if it has one.
func (v value) child(name string, node ast.Node, at *token.Token) value {
	c := value{r: v.r, node: node, key: strings.TrimPrefix(v.key+"."+name, "."), line: v.line, col: v.col}
	if at != nil && at.Position != nil {
		c.line, c.col = at.Position.Line, at.Position.Column
	}
	return c
}

// pairs are the entries of a mapping, in the file's order. The place of an entry is that of its
// key.
func (v value) pairs() []pair {
	if !v.there() {
		return nil
	}
	m, ok := v.node.(*ast.MappingNode)
	if !ok {
		v.problem("this must be a mapping, with a key and a colon on each line", "")
		return nil
	}
	var out []pair
	seen := map[string]bool{}
	for _, entry := range m.Values {
		at := entry.Key.GetToken()
		name := at.Value
		c := v.child(name, entry.Value, at)
		if _, plain := entry.Key.(ast.ScalarNode); !plain || entry.Key.IsMergeKey() {
			c.problem("merge keys and compound keys are not understood here", "write the keys out")
			continue
		}
		if seen[name] {
			c.problem("this key stands here twice", "keep one of them")
			continue
		}
		seen[name] = true
		out = append(out, pair{name, c})
	}
	return out
}

type pair struct {
	name  string
	value value
}

// object is a mapping with a fixed set of keys.
type object struct {
	value
	fields map[string]value
	broken bool // not a mapping, which was reported
}

// object parses a mapping with these keys only.
func (v value) object(keys ...string) object {
	_, is := v.node.(*ast.MappingNode)
	o := object{v, map[string]value{}, v.there() && !is}
	for _, p := range v.pairs() {
		known := false
		for _, k := range keys {
			known = known || k == p.name
		}
		if !known {
			p.value.problem(fmt.Sprintf("there is no key %q here", p.name), meant(p.name, keys, "the keys are "))
			continue
		}
		o.fields[p.name] = p.value
	}
	return o
}

// get is the value of a key, or a missing value.
func (o object) get(key string) value {
	if v, ok := o.fields[key]; ok {
		return v
	}
	return o.child(key, nil, nil)
}

// need is get for a required key; why is its purpose.
func (o object) need(key, why string) value {
	v := o.get(key)
	if !v.there() && !o.broken {
		v.problem("this is missing", why)
	}
	return v
}

// needSome is need for a list or mapping that must not be empty.
func (o object) needSome(key, why string) value {
	v := o.need(key, why)
	list, isList := v.node.(*ast.SequenceNode)
	m, isMap := v.node.(*ast.MappingNode)
	if isList && len(list.Values) == 0 || isMap && len(m.Values) == 0 {
		v.problem("this is empty", why)
	}
	return v
}

// text parses a text; "" if missing.
func (v value) text() string {
	if !v.there() {
		return ""
	}
	switch n := v.node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	default:
		v.problem("this must be text", "write it in quotes")
		return ""
	}
}

// items are the entries of a list.
func (v value) items() []value {
	if !v.there() {
		return nil
	}
	list, ok := v.node.(*ast.SequenceNode)
	if !ok {
		v.problem("this must be a list", "write [a, b], or one \"- a\" on each line")
		return nil
	}
	out := make([]value, len(list.Values))
	for i, n := range list.Values {
		out[i] = v.child(fmt.Sprintf("%d", i), n, n.GetToken())
	}
	return out
}

// texts parses a list of texts, and reports duplicates.
func (v value) texts() []value {
	var out []value
	seen := map[string]bool{}
	for _, item := range v.items() {
		switch s := item.text(); {
		case s == "":
			if !item.there() {
				item.problem("this is empty", "write a text, or leave the entry out")
			}
		case seen[s]:
			item.problem(fmt.Sprintf("%q stands in this list twice", s), "keep one of them")
		default:
			seen[s] = true
			out = append(out, item)
		}
	}
	return out
}

// number parses an integer within bounds, or returns the default.
func (v value) number(least, most, otherwise int) int {
	if !v.there() {
		return otherwise
	}
	if n, ok := v.node.(*ast.IntegerNode); ok {
		var got int
		if _, err := fmt.Sscan(n.Token.Value, &got); err == nil && got >= least && got <= most {
			return got
		}
	}
	v.problem("this number is out of range", fmt.Sprintf("write a whole number from %d to %d", least, most))
	return otherwise
}

// boolean parses true or false; false if missing.
func (v value) boolean() bool {
	if !v.there() {
		return false
	}
	if b, ok := v.node.(*ast.BoolNode); ok {
		return b.Value
	}
	v.problem("this must be true or false", "write true or false, without quotes")
	return false
}

// duration parses a duration such as "15m" within bounds, or returns the default.
func (v value) duration(least, most, otherwise time.Duration) time.Duration {
	if !v.there() {
		return otherwise
	}
	if d, err := time.ParseDuration(v.text()); err == nil && d >= least && d <= most {
		return d
	}
	v.problem(
		"this duration is out of range", fmt.Sprintf("write a time from %s to %s, such as %s", short(least), short(most), short(otherwise)),
	)
	return otherwise
}

// meant is "did you mean …", or the whole list if no word is similar.
func meant(word string, among []string, list string) string {
	if near := runbooks.Suggest(word, among); len(near) > 0 {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	if len(among) == 0 {
		return ""
	}
	return list + strings.Join(among, ", ")
}

// short formats a duration for people: 15m, not 15m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
