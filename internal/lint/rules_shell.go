package lint

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// placeholders finds placeholders that the shell would not treat as text.
func (c *check) placeholders(all []placeholder) {
	for i, l := range c.block.lines {
		var first, blanks string
		var square, angle []string
		for _, p := range all {
			if p.line != i || slices.Contains(square, p.text) || slices.Contains(angle, p.text) {
				continue
			}
			if first == "" {
				first = p.text
			}
			if strings.Contains(p.text, " ") {
				blanks = ", split at the blanks"
			}
			if p.text[0] == '[' {
				square = append(square, p.text)
			} else {
				angle = append(angle, p.text)
			}
		}
		var takes []string
		if len(square) > 0 {
			takes = append(takes, "a wildcard of one character ("+list(square)+")")
		}
		if len(angle) > 0 {
			takes = append(takes, "a redirection ("+list(angle)+")")
		}
		if len(takes) > 0 {
			c.report(l.no, "placeholder", fmt.Sprintf("until a person replaces this, the shell interprets it as %s%s; write %q instead: the command then fails until the variable is set",
				strings.Join(takes, " and "), blanks, shellName(first)))
		}
	}
}

// taken are variables that every shell sets.
var taken = []string{"USER", "HOME", "PATH", "HOSTNAME", "SHELL", "TERM", "PWD", "LOGNAME", "UID", "LANG"}

// shellName turns a placeholder such as <log file> into a variable such as ${LOG_FILE:?}. A command
// with this variable fails until the variable is set.
func shellName(placeholder string) string {
	name := strings.ToUpper(strings.Join(strings.FieldsFunc(placeholder, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}), "_"))
	if slices.Contains(taken, name) {
		name = "THE_" + name
	}
	return "${" + name + ":?}"
}

// noOperand finds chown and similar commands without a file. It ignores commands in a sentence,
// which may mean only the program.
func noOperand(_ *check, call *call) []string {
	least := map[string]int{"chown": 2, "chmod": 2, "chgrp": 2, "cp": 2, "mv": 2, "rm": 1, "mkdir": 1, "touch": 1}[call.program()]
	if n := len(call.operands()); least > 0 && n < least && !call.prose {
		return one("%s has no file argument", call.program())
	}
	return nil
}

var dataFile = regexp.MustCompile(`\.(p12|pem|crt|key|prop|conf|cnf|xml|log|txt|yaml|yml|json|db)$`)

// notAProgram finds a line that is only a file name.
func notAProgram(_ *check, call *call) []string {
	if len(call.argv) == 1 && path.IsAbs(call.argv[0].text) && dataFile.MatchString(call.argv[0].text) {
		return one("%s is not a program, but would run as one: it may belong to the line above", call.argv[0].text)
	}
	return nil
}

var setting = regexp.MustCompile(`^[A-Za-z_.]+=`)

func catForEcho(_ *check, call *call) []string {
	if args := call.args(); call.program() == "cat" && len(args) == 1 && setting.MatchString(args[0].text) && len(call.writes) > 0 {
		return one("cat looks for a file named %q: write echo", args[0].text)
	}
	return nil
}

// sudoOption finds sudo -p PROGRAM. Here -p sets the text of sudo's prompt, so sudo runs the word
// after PROGRAM.
func sudoOption(_ *check, call *call) []string {
	if s := call.sudo; s != nil && slices.Contains(programs, s.prompt) {
		return one("-p is sudo's own option for the text of its prompt: sudo runs the word after %s instead; write \"sudo %s -p …\"", s.prompt, s.prompt)
	}
	return nil
}

// environment finds variables that sudo drops or refuses.
func environment(_ *check, call *call) []string {
	s := call.sudo
	switch {
	case s == nil:
		return nil
	case len(call.assigns) > 0:
		return one("sudo drops %s, which is set before sudo, unless env_keep names the variable; the setting is then silently ignored", names(call.assigns))
	case len(s.env) > 0:
		return one("sudo refuses to set %s unless the rule has SETENV or allows ALL, or env_keep names it", names(s.env))
	case s.keepEnv:
		return one("sudo -E is refused unless the rule has SETENV or allows ALL, and then passes on every variable of the caller; name the needed variables in env_keep")
	default:
		return nil
	}
}

func names(words []word) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i], _, _ = strings.Cut(w.text, "=")
	}
	return list(out)
}

// changing are the programs that change the files in their arguments.
var changing = []string{"mv", "cp", "rm", "ln", "chmod", "chown", "chgrp", "mkdir", "touch", "tee"}

var systemDir = regexp.MustCompile(`^/(etc|usr|boot|lib|opt)(/|$)`)

// noSudo finds commands that an ordinary account may not run.
func noSudo(c *check, call *call) []string {
	if call.sudo != nil || call.prose {
		return nil
	}
	if call.program() == "monit" && len(call.args()) > 0 {
		return one("monit without sudo fails for an account that has no control file of its own; write %q", strings.Join(c.know.catalog.Monit, " ")+strings.TrimPrefix(call.text, "monit"))
	}
	if call.program() == "systemctl" && len(call.args()) > 0 && slices.Contains([]string{"start", "stop", "restart", "enable", "disable"}, call.args()[0].text) {
		return one("systemctl %s without sudo is refused for an ordinary account", call.args()[0].text)
	}
	written := slices.Clone(call.writes)
	if slices.Contains(changing, call.program()) {
		written = append(written, call.operands()...)
	}
	if i := slices.IndexFunc(call.args(), func(w word) bool { return w.text == "-out" }); i >= 0 && i+1 < len(call.args()) {
		written = append(written, call.args()[i+1])
	}
	for _, w := range written {
		if at := path.Join(c.directory(call), w.text); systemDir.MatchString(at) {
			dir := path.Dir(at)
			return one("this writes to %s without sudo, which needs an account that may write there", dir)
		}
	}
	return nil
}

// directory returns the directory in which a command runs: the argument of the last cd before the
// command in its block, or "".
func (c *check) directory(call *call) string {
	dir := ""
	for _, o := range c.calls {
		if o == call {
			break
		}
		if o.program() == "cd" && len(o.args()) == 1 {
			dir = o.args()[0].text
		}
	}
	return dir
}

// reload finds a `monit reload` that sudo runs as an account other than root. Such a reload has no
// effect where root runs monit.
func reload(_ *check, call *call) []string {
	if call.program() == "monit" && call.sudo != nil && call.user() != "root" && len(call.args()) > 0 && call.args()[0].text == "reload" {
		return one("where root runs monit, %s cannot signal it: the reload does nothing and still ends with exit code 0; write \"sudo monit reload\"", call.user())
	}
	return nil
}

// neverEnds finds commands that need a terminal, or run until they are stopped.
func neverEnds(_ *check, call *call) []string {
	switch p := call.program(); {
	case slices.Contains([]string{"watch", "top", "htop"}, p):
		return one("%s needs a terminal and never ends: run the command itself, and repeat it until the state is as expected", p)
	case slices.Contains([]string{"less", "more", "vi", "vim", "nano"}, p):
		return one("%s needs a terminal and a person who types", p)
	case p == "tail" && call.has("-f", "-F", "--follow"), p == "journalctl" && call.has("-f", "--follow"):
		return one("this follows the log and never ends: write --no-pager -n 200, or tail -n 200")
	case p == "cat" && !call.reads && (len(call.args()) == 0 || slices.ContainsFunc(call.args(), func(w word) bool { return w.text == "-" })):
		return one("cat waits for input: name the file")
	case p == "mysql" && !call.has("-e", "--execute") && !call.reads:
		return one("mysql without -e waits for input")
	default:
		return nil
	}
}

var allRows = regexp.MustCompile(`(?i)\bselect \*`)

// unbounded finds commands with unlimited output.
func unbounded(_ *check, call *call) []string {
	switch call.program() {
	case "journalctl":
		if !call.has("-f", "--follow", "-n", "--lines", "-S", "--since", "-b") {
			return one("this prints the whole journal: write --no-pager and -n 200, or --since")
		}
	case "mysql":
		for _, w := range call.args() {
			if allRows.MatchString(w.text) && !strings.Contains(strings.ToLower(w.text), "limit") {
				return one("this prints the whole table: add LIMIT")
			}
		}
	case "cat":
		for _, w := range call.args() {
			if strings.HasSuffix(w.text, ".log") {
				return one("this prints the whole of %s, which may be huge: write tail -n 200", w.text)
			}
		}
	}
	return nil
}

// globBeforeSudo finds a wildcard in the arguments of sudo. The shell expands it with the caller's
// rights, before sudo runs.
func globBeforeSudo(_ *check, call *call) []string {
	for _, w := range call.args() {
		if w.glob && call.sudo != nil {
			return one("the shell expands %s before sudo, with the caller's rights: if the caller may not read the directory, the command gets the wildcard itself", w.text)
		}
	}
	return nil
}

// unquoted finds a variable without quotes, because the shell splits its value at blanks and
// expands wildcards in it.
func unquoted(_ *check, call *call) []string {
	for _, w := range call.args() {
		if w.vars {
			return one("%s is not quoted: the shell splits it at blanks and expands wildcards in it", w.text)
		}
	}
	return nil
}
