package sudoers

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// WriteTo writes the file as visudo takes it.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, f.String())
	return int64(n), err
}

// String is the text of the file.
func (f *File) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What dhbot runs through sudo on %s (cluster %s, catalog %s) as %s, and nothing else.\n", f.Host, f.Cluster, f.Catalog, f.User)
	fmt.Fprintf(&b, "# Check it with visudo -c -f FILE, and install it as /etc/sudoers.d/dhbot, owner root, mode 0440.\n")
	if n := len(f.Plain); n > 0 {
		fmt.Fprintf(&b, "# %d more commands need no sudo: %s must be able to run them by itself (it reads logs).\n", n, f.User)
	}
	b.WriteString("\n# The bot asks for no terminal.\n")
	fmt.Fprintf(&b, "Defaults:%s !requiretty\n", f.User)
	if len(f.Env) > 0 {
		b.WriteString("# Which etcd client is used; sudo keeps no other variable, and SETENV is not granted.\n")
		fmt.Fprintf(&b, "Defaults:%s env_keep += \"%s\"\n", f.User, strings.Join(f.Env, " "))
	}
	for i, r := range f.Rules {
		if i == 0 || f.Rules[i-1].Process != r.Process {
			title := r.Process
			if title == "" {
				title = "the host, or the whole cluster"
			}
			fmt.Fprintf(&b, "\n# %s\n", title)
		}
		fmt.Fprintln(&b, f.Line(r))
	}
	if len(f.LeftOut) > 0 {
		b.WriteString("\n# Left out; each stays a thing that a person does:\n")
	}
	for _, l := range f.LeftOut {
		fmt.Fprintf(&b, "#   %s: %s\n#     %s\n", comment(l.Use), comment(l.Command), comment(l.Why))
	}
	return b.String()
}

// Line is a rule as it stands in the file.
func (f *File) Line(r Rule) string {
	return fmt.Sprintf("%s ALL = (%s) NOPASSWD: %s %s", f.User, r.RunAs, r.Program, r.Args)
}

// comment keeps a text on its comment's line.
func comment(s string) string {
	s = strings.NewReplacer("\n", " ", "\r", " ").Replace(s)
	return strings.TrimSuffix(s, `\`)
}

// regexpSince is the first sudo that reads regular expressions.
var regexpSince = []int{1, 9, 10}

// ReadsRegexp says whether sudo of that version ("1.9.13p3") reads regular
// expressions. The error says how a version is written.
func ReadsRegexp(version string) (bool, error) {
	var have []int
	for _, part := range strings.Split(version, ".") {
		digits := part
		if i := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }); i > 0 {
			digits = part[:i]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return false, fmt.Errorf("sudo version %q: want what sudo --version says, as in 1.9.13p3", version)
		}
		have = append(have, n)
	}
	return slices.Compare(have, regexpSince) >= 0, nil
}
