package sudoers

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/runbooks/planner"
)

var (
	errNoSudo = errors.New("runs without sudo")

	errAssignment = errors.New("the command has sudo set a variable, which sudo would have to keep for every command of the account: write env NAME=value between the account and the program")
)

// invocation is a parsed sudo command.
type invocation struct {
	runAs string
	words []planner.HostWord // the program and its arguments
}

// read parses a command of the catalog of the form sudo [-n] [-u account] [--] program arguments….
// It returns errNoSudo if the first word is not sudo, or another error that explains what is not
// supported.
func read(words []planner.HostWord) (*invocation, error) {
	if first(words) != "sudo" {
		return nil, errNoSudo
	}
	inv := &invocation{runAs: "root"}
	rest, err := inv.options(words[1:])
	if err != nil {
		return nil, err
	}
	if inv.words = rest; len(rest) > 0 && len(rest[0].Parts) > 0 && assignment.MatchString(rest[0].Parts[0].Text) {
		return nil, errAssignment
	}
	if first(inv.words) == "" {
		return nil, errors.New("the program that sudo runs varies")
	}
	return inv, nil
}

func first(words []planner.HostWord) string {
	if len(words) == 0 {
		return ""
	}
	text, fixed := words[0].Fixed()
	if !fixed {
		return ""
	}
	return text
}

// options parses sudo's own options. An unknown option could change the required rule, so it is
// an error.
func (inv *invocation) options(rest []planner.HostWord) ([]planner.HostWord, error) {
	for {
		switch o := first(rest); {
		case o == "-n":
			rest = rest[1:]
		case o == "-u":
			if inv.runAs = first(rest[1:]); inv.runAs == "" || strings.ContainsFunc(inv.runAs, func(r rune) bool { return !wordRune(r) }) {
				return nil, errors.New("the account after sudo -u is not one plain name")
			}
			rest = rest[2:]
		case o == "--":
			return rest[1:], nil
		case strings.HasPrefix(o, "-"):
			return nil, fmt.Errorf("no rule can be made for sudo's option %s", o)
		default:
			return rest, nil
		}
	}
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// rules returns the rules that allow the command. If wrapped is set, they are rules of the wrapper
// for an old sudo.
func (inv *invocation) rules(o Options, wrapped bool) ([]Rule, error) {
	program := first(inv.words)
	at := program
	if !path.IsAbs(at) {
		if strings.Contains(at, "/") {
			return nil, fmt.Errorf("%s is neither a name nor an absolute path", at)
		}
		if at = o.Paths[program]; at == "" {
			at = "/usr/bin/" + program
		}
	}
	if path.Clean(at) != at || strings.ContainsFunc(at, func(r rune) bool { return !wordRune(r) && r != '/' }) {
		return nil, fmt.Errorf("%q is not a plain path of a program", at)
	}
	if wrapped {
		args, sample, err := pattern(inv.words, wrapperBlank)
		if err != nil {
			return nil, err
		}
		return []Rule{{RunAs: inv.runAs, Program: at, Args: args, Example: inv.example(fleet.SudoWrapper, sample)}}, nil
	}
	if all, few := enumerate(inv.words[1:]); few {
		var out []Rule
		for _, args := range all {
			text, err := exact(args)
			if err != nil {
				return nil, err
			}
			out = append(out, Rule{RunAs: inv.runAs, Program: at, Args: text, Example: inv.example(program, args)})
		}
		return out, nil
	}
	args, sample, err := pattern(inv.words[1:], " ")
	if err != nil {
		return nil, err
	}
	if args = "^" + args + "$"; len(args) > maxRegexp {
		return nil, fmt.Errorf("the regular expression would be %d bytes long; sudo reads at most %d", len(args), maxRegexp)
	}
	return []Rule{{RunAs: inv.runAs, Program: at, Args: args, Example: inv.example(program, sample)}}, nil
}

func (inv *invocation) example(program string, args []string) []string {
	out := []string{"sudo", "-n"}
	if inv.runAs != "root" {
		out = append(out, "-u", inv.runAs)
	}
	return append(append(out, program), args...)
}

// fewLines is the largest number of lines for one command.
const fewLines = 32

// enumerate lists all forms that the words can have. The result few is false if a word varies
// freely or if there are too many forms.
func enumerate(words []planner.HostWord) (all [][]string, few bool) {
	all = [][]string{nil}
	for _, w := range words {
		if w.Most != 1 {
			return nil, false
		}
		forms := []string{""}
		for _, p := range w.Parts {
			if p.Pattern != "" {
				return nil, false
			}
			var longer []string
			for _, f := range forms {
				for _, text := range append([]string{p.Text}, p.OneOf...) {
					if text != "" {
						longer = append(longer, f+text)
					}
				}
			}
			forms = longer
		}
		var next [][]string
		for _, args := range all {
			if w.Optional {
				next = append(next, args)
			}
			for _, f := range forms {
				next = append(next, append(args[:len(args):len(args)], f))
			}
		}
		if all = next; len(all) > fewLines {
			return nil, false
		}
	}
	return all, true
}
