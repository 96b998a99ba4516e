package sudoers

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"

	"dhbot/runbooks/planner"
)

// exact returns arguments in the syntax of sudoers, so that they match only themselves.
func exact(args []string) (string, error) {
	if len(args) == 0 {
		return `""`, nil
	}
	out := make([]string, len(args))
	for i, a := range args {
		if a == "" {
			return "", errEmpty
		}
		if err := sayable(a, `\`); err != nil {
			return "", err
		}
		var b strings.Builder
		for j, r := range a {
			// These characters have a special meaning. "," ":" "=" and "#" belong to the file's
			// syntax, and "*" "?" "[" "]" and "!" to its wildcards. "^" begins a regular
			// expression.
			if strings.ContainsRune(`,:=#*?[]!`, r) || r == '^' && i == 0 && j == 0 {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		out[i] = b.String()
	}
	return single(strings.Join(out, " "))
}

var errEmpty = errors.New("a sudoers file cannot express an empty argument")

// single returns its argument. It returns an error if the argument has blanks that a sudoers file
// would merge or drop.
func single(args string) (string, error) {
	if strings.Contains(args, "  ") || strings.HasPrefix(args, " ") || strings.HasSuffix(args, " ") {
		return "", fmt.Errorf("a sudoers file cannot express the blanks of %q", args)
	}
	return args, nil
}

// sayable returns an error for text that a sudoers file cannot contain. Only printable ASCII is
// allowed, except the characters in forbidden.
func sayable(text, forbidden string) error {
	for _, r := range text {
		if r < ' ' || r > '~' || strings.ContainsRune(forbidden, r) {
			return fmt.Errorf("a sudoers file cannot express the character %q of %q here", r, text)
		}
	}
	return nil
}

// maxRegexp is sudo's own limit, in bytes (sudoers(5), "Regular expressions").
const maxRegexp = 1024

// pattern converts a list of arguments to one regular expression, and also returns an example that
// it matches. The argument separator is the text between two words. A word that may be repeated has
// no upper bound in the expression, because the C library would make a copy for each repetition.
func pattern(words []planner.HostWord, separator string) (args string, example []string, err error) {
	var b strings.Builder
	for i, w := range words {
		body, text, err := wordPattern(w)
		if err != nil {
			return "", nil, err
		}
		if w.Optional && i == 0 {
			return "", nil, errors.New("the first argument may be missing")
		}
		example = append(example, text)
		switch {
		case i == 0:
			b.WriteString(body)
		case w.Optional:
			b.WriteString("(" + separator + body + ")?")
		default:
			b.WriteString(separator + body)
		}
		if w.Most > 1 {
			b.WriteString("(" + separator + body + ")*")
		}
	}
	args, err = single(b.String())
	return args, example, err
}

func wordPattern(w planner.HostWord) (ere, example string, err error) {
	var b, x strings.Builder
	for i, p := range w.Parts {
		switch {
		case p.Pattern != "":
			re, err := parse(p.Pattern)
			if err != nil {
				return "", "", err
			}
			if i == 0 {
				if err := noOption(re, p.Pattern); err != nil {
					return "", "", err
				}
			}
			text, err := toERE(re)
			if err != nil {
				return "", "", fmt.Errorf("the pattern %s: %w", p.Pattern, err)
			}
			b.WriteString(text)
			x.WriteString(sample(re))
		default:
			choices := p.OneOf
			if p.Text != "" {
				choices = []string{p.Text}
			}
			quoted := make([]string, len(choices))
			for j, c := range choices {
				if err := sayable(c, `\$#`); err != nil {
					return "", "", err
				}
				quoted[j] = quoteERE(c)
			}
			if len(quoted) == 1 {
				b.WriteString(quoted[0])
			} else {
				b.WriteString("(" + strings.Join(quoted, "|") + ")")
			}
			x.WriteString(choices[0])
		}
	}
	if b.Len() == 0 {
		return "", "", errEmpty
	}
	if climbs(b.String()) {
		return "", "", fmt.Errorf("the pattern %s can match a path with .. in it", b.String())
	}
	return b.String(), x.String(), nil
}

// parse parses a pattern of the catalog and removes its anchors.
func parse(pattern string) (*syntax.Regexp, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the pattern %s: %w", pattern, err)
	}
	if re.Op == syntax.OpConcat {
		subs := re.Sub
		if len(subs) > 0 && subs[0].Op == syntax.OpBeginText {
			subs = subs[1:]
		}
		if n := len(subs); n > 0 && subs[n-1].Op == syntax.OpEndText {
			subs = subs[:n-1]
		}
		re = &syntax.Regexp{Op: syntax.OpConcat, Sub: subs, Flags: re.Flags}
	}
	return re, nil
}

// noOption returns an error if a pattern could match text that begins with "-", because the program
// would treat this text as an option. The same applies to a pattern that could match an empty text.
func noOption(re *syntax.Regexp, pattern string) error {
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return fmt.Errorf("the pattern %s: %w", pattern, err)
	}
	walk(prog, func(in *syntax.Inst, _ int, _ func(int)) {
		switch {
		case in.Op == syntax.InstMatch:
			err = fmt.Errorf("the pattern %s can match an empty text", pattern)
		case in.MatchRune('-'):
			err = fmt.Errorf("the pattern %s can match an option", pattern)
		}
	})
	return err
}

// climbs reports whether an expression can match a path with ".." as a component, which would leave
// its directory. For an invalid expression it returns true.
func climbs(ere string) bool {
	re, err := syntax.Parse(ere, syntax.Perl)
	if err != nil {
		return true
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return true
	}
	// These are states of a path component: empty, "..", or other. The state of "." is 1.
	const begun, dots, other = 0, 2, 3
	found := false
	walk(prog, func(in *syntax.Inst, read int, next func(int)) {
		if in.Op == syntax.InstMatch {
			found = found || read == dots
			return
		}
		if in.MatchRune('/') {
			found = found || read == dots
			next(begun)
		}
		if in.MatchRune('.') {
			next(min(read+1, other))
		}
		if matchesOther(in) {
			next(other)
		}
	})
	return found
}

// matchesOther reports whether an instruction reads a character that is neither a slash nor a
// dot.
func matchesOther(in *syntax.Inst) bool {
	if in.Op != syntax.InstRune || len(in.Rune) == 1 {
		return in.Op != syntax.InstRune1 && in.Op != syntax.InstRune || in.Rune[0] != '/' && in.Rune[0] != '.'
	}
	for i := 0; i < len(in.Rune); i += 2 {
		for r := in.Rune[i]; r <= in.Rune[i+1]; r++ {
			if r != '/' && r != '.' {
				return true
			}
		}
	}
	return false
}

// walk follows every path through the program of a regular expression, with a state that is 0 at
// first. It calls visit for each instruction that reads a character, and for the match, once for
// every state in which the path reaches it. The function next continues after the instruction with
// a new state. If visit does not call next, this path ends.
func walk(prog *syntax.Prog, visit func(in *syntax.Inst, state int, next func(state int))) {
	type place struct {
		pc    uint32
		state int
	}
	todo, seen := []place{{pc: uint32(prog.Start)}}, map[place]bool{}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		switch in := &prog.Inst[at.pc]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, place{in.Out, at.state}, place{in.Arg, at.state})
		case syntax.InstCapture, syntax.InstEmptyWidth, syntax.InstNop:
			todo = append(todo, place{in.Out, at.state})
		case syntax.InstFail:
		default:
			visit(in, at.state, func(state int) { todo = append(todo, place{in.Out, state}) })
		}
	}
}
