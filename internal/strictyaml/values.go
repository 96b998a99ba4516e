package strictyaml

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"dhbot/internal/suggest"
)

// Text parses a text. It returns "" if the value is missing.
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

// Word returns a text or a number exactly as it is written. If the value is a block of lines, the
// white space around it is removed.
func (v Value) Word() string {
	switch v.Node.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return v.Node.GetToken().Value
	case *ast.LiteralNode:
		return strings.TrimSpace(v.Text())
	default:
		return v.Text()
	}
}

// Words returns the words of a list. If the value is a single word, it returns a list with this
// word. Duplicates are allowed, because a command may have them.
func (v Value) Words() []string {
	out := []string{}
	for _, item := range v.List() {
		out = append(out, item.Word())
	}
	return out
}

// OneOf returns a function that parses a word and reports a problem if the word is not in set.
func OneOf[T ~string](set ...T) func(Value) T {
	return func(v Value) T {
		before := len(v.R.Problems)
		word := v.Word()
		if !slices.Contains(set, T(word)) && len(v.R.Problems) == before {
			names := make([]string, len(set))
			for i, name := range set {
				names[i] = string(name)
			}
			v.Problem(suggest.Short(word)+" is not possible here", Meant(word, names, "write one of "))
		}
		return T(word)
	}
}

// Items returns the entries of a list.
func (v Value) Items() []Value {
	if !v.There() {
		return nil
	}
	list, ok := v.Node.(*ast.SequenceNode)
	if !ok {
		v.Problem("this must be a list", "write [a, b], or one \"- a\" on each line")
		return nil
	}
	out := make([]Value, 0, len(list.Values))
	for i, n := range list.Values {
		if item := v.child(strconv.Itoa(i), n, first(n)); !item.void() {
			out = append(out, item)
		}
	}
	return out
}

// first returns the first token of a node. GetToken is not enough, because for a block mapping it
// returns the first colon.
func first(n ast.Node) *token.Token {
	if m, is := n.(*ast.MappingNode); is && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}

// List returns the entries of a list. For any other value, it returns a list with only this value.
// If the value is missing, it returns nil.
func (v Value) List() []Value {
	if _, list := v.Node.(*ast.SequenceNode); !list && v.There() {
		return []Value{v}
	}
	return v.Items()
}

// Texts returns the entries of a list of texts. It reports empty and duplicate entries, and leaves
// them out.
func (v Value) Texts() []Value {
	var out []Value
	seen := map[string]bool{}
	for _, item := range v.Items() {
		switch s := item.Text(); {
		case s == "":
			if !item.There() {
				item.Problem("this is empty", "write a text, or remove the entry")
			}
		case seen[s]:
			item.Problem(Quote(s)+" is in this list twice", "keep one of them")
		default:
			seen[s] = true
			out = append(out, item)
		}
	}
	return out
}

// Number parses an integer from least to most. If the value is missing or not allowed, it returns
// otherwise.
func (v Value) Number(least, most, otherwise int) int {
	if !v.There() {
		return otherwise
	}
	what := "this is not a whole number"
	if n, ok := v.Node.(*ast.IntegerNode); ok {
		var got int
		if _, err := fmt.Sscan(n.Token.Value, &got); err == nil && got >= least && got <= most {
			return got
		}
		what = "this number is out of range"
	}
	v.Problem(what, fmt.Sprintf("write a whole number from %d to %d", least, most))
	return otherwise
}

// Boolean parses true or false. It returns false if the value is missing.
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

// Duration parses a duration such as "15m", from least to most. If the value is missing or not
// allowed, it returns otherwise.
func (v Value) Duration(least, most, otherwise time.Duration) time.Duration {
	if !v.There() {
		return otherwise
	}
	if d, err := time.ParseDuration(v.Word()); err == nil && d >= least && d <= most {
		return d
	}
	v.Problem(
		"this is not a duration, or it is out of range", fmt.Sprintf("write a time from %s to %s, such as %s", Short(least), Short(most), Short(otherwise)),
	)
	return otherwise
}

// Quote quotes a text for a problem. If the text may be an address with a password or a token,
// Quote returns "this", because problems are printed and logged.
func Quote(text string) string {
	if strings.ContainsAny(text, "@?") {
		return "this"
	}
	return strconv.Quote(text)
}

// Meant returns "did you mean …" with the words that are similar to word. If no word is similar, it
// returns all words, with the argument list in front.
func Meant(word string, among []string, list string) string {
	if near := suggest.Near(word, among); len(near) > 0 {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	if len(among) == 0 {
		return ""
	}
	return list + strings.Join(among, ", ")
}

// Short formats a duration for people, for example as 15m instead of 15m0s.
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
