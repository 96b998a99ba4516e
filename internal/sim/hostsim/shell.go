package hostsim

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// answer is the output of a command and how it ended.
type answer struct {
	out, err string
	noise    string // output of the login shell before the command
	exit     int
	takes    time.Duration // time from begin to end
	changes  bool          // the command changed the host, or would have changed it
	// settle reports whether the command has ended, and the final answer. It is called after the
	// time takes, and then repeatedly. The model is advanced before each call. If settle is nil,
	// the command ends after the time takes.
	settle func() (answer, bool)
}

// call is one command to run, with its host, user and arguments.
type call struct {
	world *world
	host  *machine
	took  timing
	login string
	user  string // the user to which sudo switched; the login without sudo
	env   map[string]string
	argv  []string      // the command without its wrappers
	limit time.Duration // the limit of a timeout wrapper; 0: there is none
	under string        // the innermost wrapper: "", "env", "timeout" or "sudo"
}

// word is one word of a command line, without its quotes.
type word struct {
	text    string
	pattern string // the word as a pattern of path.Match; "" without an unquoted glob
}

// splitLine splits a command line into words like a shell. The words may have quotes and globs. It
// returns an error for anything else that a shell would interpret, so tests detect a caller that
// does not quote its text.
func splitLine(line string) ([]word, error) {
	if strings.ContainsAny(line, "\x00\r") {
		return nil, errors.New("a control character")
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true)).Parse(strings.NewReader(line), "")
	if err != nil {
		return nil, fmt.Errorf("not readable as a shell command: %w", err)
	}
	if len(file.Stmts) != 1 || len(file.Last) > 0 {
		return nil, errors.New("not exactly one command")
	}
	s := file.Stmts[0]
	cmd, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(s.Redirs) > 0 || s.Negated || s.Background || s.Coprocess || s.Disown || s.Semicolon.IsValid() || len(s.Comments) > 0 {
		return nil, errors.New("more than a simple command")
	}
	if len(cmd.Assigns) > 0 {
		return nil, errors.New("a variable assignment")
	}
	var words []word
	for _, w := range cmd.Args {
		v, err := literal(w)
		if err != nil {
			return nil, err
		}
		words = append(words, v)
	}
	return words, nil
}

// literal removes the quotes of a word. It returns an error if the word needs an expansion other
// than globbing.
func literal(w *syntax.Word) (word, error) {
	var text, pattern strings.Builder
	glob := false
	quoted := func(s string) {
		text.WriteString(s)
		for _, r := range s {
			if strings.ContainsRune(`\*?[`, r) {
				pattern.WriteByte('\\')
			}
			pattern.WriteRune(r)
		}
	}
	for i, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if i == 0 && strings.HasPrefix(part.Value, "~") || strings.ContainsAny(part.Value, "{}") {
				return word{}, errors.New("an expansion")
			}
			for rest := part.Value; rest != ""; {
				if rest[0] == '\\' && len(rest) > 1 {
					quoted(rest[1:2])
					rest = rest[2:]
					continue
				}
				if rest[0] == '$' {
					return word{}, errors.New("an unquoted $")
				}
				glob = glob || strings.ContainsRune("*?[", rune(rest[0]))
				text.WriteByte(rest[0])
				pattern.WriteByte(rest[0])
				rest = rest[1:]
			}
		case *syntax.SglQuoted:
			if part.Dollar {
				return word{}, errors.New("a $'…' string")
			}
			quoted(part.Value)
		case *syntax.DblQuoted:
			s, err := doubleQuoted(part)
			if err != nil {
				return word{}, err
			}
			quoted(s)
		default:
			return word{}, errors.New("an expansion")
		}
	}
	v := word{text: text.String()}
	if glob {
		v.pattern = pattern.String()
	}
	return v, nil
}

func doubleQuoted(q *syntax.DblQuoted) (string, error) {
	if q.Dollar {
		return "", errors.New("a $\"…\" string")
	}
	var b strings.Builder
	for _, part := range q.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			return "", errors.New("an expansion")
		}
		v := lit.Value
		for i := 0; i < len(v); i++ {
			switch {
			case v[i] == '$':
				return "", errors.New("an unquoted $")
			case v[i] == '\\' && i+1 < len(v) && strings.IndexByte("$`\"\\", v[i+1]) >= 0:
				i++
			}
			b.WriteByte(v[i])
		}
	}
	return b.String(), nil
}

// expand replaces each glob by the files that match it. A glob without a match stays as it is. Like
// a login shell, expand runs before sudo.
func (m *machine) expand(words []word, now time.Time) []string {
	var argv []string
	for _, w := range words {
		var hits []string
		if w.pattern != "" {
			for _, f := range m.files(path.Dir(w.text), now) {
				if ok, err := path.Match(w.pattern, f.path); ok && err == nil {
					hits = append(hits, f.path)
				}
			}
		}
		if len(hits) == 0 {
			hits = []string{w.text}
		}
		argv = append(argv, hits...)
	}
	return argv
}

// unwrap removes env, timeout and sudo from the beginning of argv and stores their settings. It
// returns nil if a command is left to run. Otherwise it returns the answer of the wrapper, for
// example a refusal, or an empty answer if no command follows the wrappers.
func (c *call) unwrap() *answer {
	for len(c.argv) > 0 {
		var refusal *answer
		switch path.Base(c.argv[0]) {
		case "env":
			refusal = c.unwrapEnv()
		case "timeout":
			refusal = c.unwrapTimeout()
		case "sudo":
			refusal = c.unwrapSudo()
		default:
			return nil
		}
		if refusal != nil {
			return refusal
		}
	}
	return &answer{}
}

func (c *call) unwrapEnv() *answer {
	c.argv, c.under = c.argv[1:], "env"
	for len(c.argv) > 0 {
		name, value, ok := strings.Cut(c.argv[0], "=")
		if !ok {
			break
		}
		c.env[name] = value
		c.argv = c.argv[1:]
	}
	return nil
}

// unwrapTimeout removes "timeout [-k D] D" from argv. Of nested limits, the shortest applies.
func (c *call) unwrapTimeout() *answer {
	c.argv, c.under = c.argv[1:], "timeout"
	if len(c.argv) > 1 && c.argv[0] == "-k" {
		if _, err := shellDuration(c.argv[1]); err != nil {
			return &answer{err: "timeout: invalid time interval '" + c.argv[1] + "'\n", exit: 125}
		}
		c.argv = c.argv[2:]
	}
	if len(c.argv) < 2 {
		return &answer{err: "timeout: missing operand\n", exit: 125}
	}
	d, err := shellDuration(c.argv[0])
	if err != nil {
		return &answer{err: "timeout: invalid time interval '" + c.argv[0] + "'\n", exit: 125}
	}
	if d > 0 && (c.limit == 0 || d < c.limit) {
		c.limit = d
	}
	c.argv = c.argv[1:]
	return nil
}

// shellDuration parses a duration as timeout and sleep do: a number, and optionally the unit s, m,
// h or d. The default is seconds.
func shellDuration(s string) (time.Duration, error) {
	unit := time.Second
	if n := len(s); n > 0 {
		switch s[n-1] {
		case 's', 'm', 'h', 'd':
			unit = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[s[n-1]]
			s = s[:n-1]
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1e6 {
		return 0, fmt.Errorf("invalid time interval %q", s)
	}
	return time.Duration(f * float64(unit)), nil
}

// unwrapSudo removes sudo from argv. Like sudo with env_reset, it clears the environment, and it
// changes the user. The login may run every command as any user without a password, unless the
// fault sudo-refused is set.
func (c *call) unwrapSudo() *answer {
	c.argv, c.under = c.argv[1:], "sudo"
	c.env = map[string]string{}
	c.user = "root"
	batch, list := false, false
options:
	for len(c.argv) > 0 {
		switch a := c.argv[0]; {
		case a == "--":
			c.argv = c.argv[1:]
			break options
		case a == "-n":
			batch = true
		case a == "-l":
			list = true
		case a == "--version":
			return &answer{out: "Sudo version 1.9.13p3\n"}
		case a == "-u" && len(c.argv) > 1:
			c.user = c.argv[1]
			c.argv = c.argv[1:]
		case strings.HasPrefix(a, "-"):
			return &answer{err: "sudo: invalid option -- '" + strings.TrimLeft(a, "-") + "'\n", exit: 1}
		case strings.Contains(a, "="):
			name, value, _ := strings.Cut(a, "=")
			c.env[name] = value
		default:
			break options
		}
		c.argv = c.argv[1:]
	}
	if !c.host.sudo {
		a := answer{err: "sudo: a password is required\n", exit: 1}
		if !batch {
			a.err = "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\n" + a.err
		}
		return &a
	}
	if list {
		return &answer{out: fmt.Sprintf(sudoList, c.login, c.host.name, c.login, c.host.name)}
	}
	if !knownUser(c.user) {
		return &answer{err: "sudo: unknown user " + c.user + "\nsudo: error initializing audit plugin sudoers_audit\n", exit: 1}
	}
	if len(c.argv) == 0 {
		return &answer{err: "usage: sudo -h | -K | -k | -V\n", exit: 1}
	}
	return nil
}

const sudoList = `Matching Defaults entries for %s on %s:
    env_reset, mail_badpass, secure_path=/usr/local/sbin\:/usr/local/bin\:/usr/sbin\:/usr/bin\:/sbin\:/bin, use_pty, !requiretty

User %s may run the following commands on %s:
    (ALL : ALL) NOPASSWD: ALL
`

func knownUser(u string) bool {
	switch u {
	case "root", "irisadmin", "dbquery", "dbmerge", "mysql", "etcd", Login:
		return true
	default:
		return false
	}
}
