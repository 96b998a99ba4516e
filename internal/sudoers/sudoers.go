package sudoers

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// Options has what a sudoers file needs besides the catalog and the fleet.
type Options struct {
	// User is the account with which the bot logs in to the host.
	User string
	// Paths maps names of programs to their absolute paths. The default is the name in /usr/bin.
	Paths map[string]string
}

// File is a sudoers file.
type File struct {
	User, Host, Cluster, Catalog string
	Rules                        []Rule
	// oldSudo means that the host's sudo does not support regular expressions. In that case, Rules
	// has the rules of the wrapper.
	oldSudo bool
	// LeftOut lists the commands that have no rule, because a rule cannot express the command, or
	// would allow more than the command.
	LeftOut []LeftOut
	// Plain lists the commands that run without sudo. Most of them read logs. The account itself
	// must have the right to run them.
	Plain []string
}

// Rule is one line of the file. It allows one command, or one pattern of commands, to run as one
// account.
type Rule struct {
	Process string // of the command; "" for none
	RunAs   string // the account that the command runs as
	Program string // absolute path
	// Args has the arguments in the syntax of sudoers. They are escaped words, `""` for no
	// arguments, or ^a regular expression$. In a rule of the wrapper, Args is a regular expression
	// for the name of the program and its arguments.
	Args string
	// Uses lists the actions that send this command, sorted.
	Uses []string
	// Example is a command that the rule must allow. It begins with "sudo -n", and names the
	// program as the bot does.
	Example []string
}

// Ask returns a command that only checks whether the rule's example is allowed. Exit code 0 means
// that it is, and 1 that it is not. The check does not show whether sudo would ask for a password.
// For a rule of the wrapper, the command asks the wrapper.
func (r Rule) Ask() []string {
	if i := slices.Index(r.Example, fleet.SudoWrapper); i > 0 {
		return slices.Insert(slices.Clone(r.Example), i+1, mayOption)
	}
	return slices.Concat([]string{"sudo", "-n", "-l"}, r.Example[2:])
}

// LeftOut is a command that has no rule, with the reason.
type LeftOut struct {
	Use     string // "intraday-cleanup db_dis"
	Command string // for people, with placeholders
	Why     string
}

// For makes the sudoers file for one host of a cluster. It returns an error for an invalid option,
// or if the catalog's commands cannot be listed.
func For(cat *catalogs.Catalog, cl *fleet.Cluster, h *fleet.Host, o Options) (*File, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	commands, err := planner.HostCommands(cat, cl, h)
	if err != nil {
		return nil, err
	}
	f := &File{User: o.User, Host: h.Name, Cluster: cl.Name, Catalog: cat.Name, oldSudo: h.OldSudo}
	for _, c := range commands {
		f.add(c, o)
	}
	f.sort()
	return f, nil
}

func (o Options) check() error {
	if o.User == "" || strings.ContainsFunc(o.User, func(r rune) bool { return !wordRune(r) }) {
		return fmt.Errorf("the account %q: want a login name such as dhops", o.User)
	}
	for name, at := range o.Paths {
		if !path.IsAbs(at) || path.Clean(at) != at || strings.ContainsFunc(at, func(r rune) bool { return !wordRune(r) && r != '/' }) {
			return fmt.Errorf("the path of %s is %q: want a plain absolute path such as /usr/bin/monit", name, at)
		}
	}
	return nil
}

// wordRune reports whether a character has no special meaning in a sudoers file.
func wordRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.", r)
}

// add adds the rules of one command. A command that cannot have rules goes to LeftOut or Plain.
func (f *File) add(c planner.HostCommand, o Options) {
	inv, err := read(c.Words)
	if errors.Is(err, errNoSudo) {
		if line := show(c.Words); !slices.Contains(f.Plain, line) {
			f.Plain = append(f.Plain, line)
		}
		return
	}
	var rules []Rule
	if err == nil {
		rules, err = inv.rules(o, f.oldSudo)
	}
	use := strings.TrimSpace(c.Action + " " + c.Process)
	if err != nil {
		l := LeftOut{Use: use, Command: show(c.Words), Why: err.Error()}
		if !slices.Contains(f.LeftOut, l) {
			f.LeftOut = append(f.LeftOut, l)
		}
		return
	}
	for _, r := range rules {
		f.merge(r, c.Process, c.Action)
	}
}

// merge adds a rule to the file. If the file already has the rule, merge only adds the action to
// the rule's Uses.
func (f *File) merge(r Rule, process, action string) {
	i := slices.IndexFunc(f.Rules, func(o Rule) bool {
		return o.RunAs == r.RunAs && o.Program == r.Program && o.Args == r.Args
	})
	if i < 0 {
		r.Process = process
		f.Rules = append(f.Rules, r)
		i = len(f.Rules) - 1
	}
	if uses := &f.Rules[i].Uses; !slices.Contains(*uses, action) {
		*uses = append(*uses, action)
		slices.Sort(*uses)
	}
}

// sort groups the rules by process. The processes stay in the order of their first rules, and rules
// without a process come last.
func (f *File) sort() {
	order := map[string]int{}
	for _, r := range f.Rules {
		if _, seen := order[r.Process]; !seen {
			order[r.Process] = len(order)
		}
	}
	order[""] = len(order) + 1
	slices.SortStableFunc(f.Rules, func(a, b Rule) int { return order[a.Process] - order[b.Process] })
}

// show formats a command for people, with variable parts in angle brackets.
func show(words []planner.HostWord) string {
	out := make([]string, len(words))
	for i, w := range words {
		var b strings.Builder
		for _, p := range w.Parts {
			switch {
			case p.OneOf != nil:
				b.WriteString("<" + strings.Join(p.OneOf, "|") + ">")
			case p.Pattern != "":
				b.WriteString("<" + strings.TrimSuffix(strings.TrimPrefix(p.Pattern, "^"), "$") + ">")
			default:
				b.WriteString(p.Text)
			}
		}
		out[i] = b.String()
	}
	return strings.Join(out, " ")
}
