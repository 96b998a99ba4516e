package sudoers

import (
	"fmt"
	"io"
	"strings"
)

// WriteTo writes the file in the format that sudo reads.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, f.String())
	return int64(n), err
}

// String returns the text of the file.
func (f *File) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What dhbot runs through sudo on %s (cluster %s, catalog %s) as %s, and nothing else.\n", f.Host, f.Cluster, f.Catalog, f.User)
	fmt.Fprintf(&b, "# Check it with visudo -c -f FILE, and install it as /etc/sudoers.d/dhbot, owner root, mode 0440.\n")
	if n := len(f.Plain); n > 0 {
		fmt.Fprintf(&b, "# %d more commands need no sudo: %s must be able to run them itself (most of them read logs).\n", n, f.User)
	}
	b.WriteString("\n# No terminal is needed. Of the caller's environment, only variables that sudo checks (env_check)\n" +
		"# reach a command: by default the locale, the time zone and the terminal type.\n")
	for _, d := range f.Defaults() {
		fmt.Fprintf(&b, "Defaults:%s %s\n", f.User, d)
	}
	if f.oldSudo {
		fmt.Fprintf(&b, "\n# This sudo has no regular expressions: bot sudoers --wrapper prints the script that\n"+
			"# allows the same commands, and nothing else. Without the script nothing is allowed.\n%s\n", f.wrapperLine())
	} else {
		f.writeRules(&b, f.Line)
	}
	if len(f.LeftOut) > 0 {
		b.WriteString("\n# Left out: a person has to run these commands.\n")
	}
	for _, l := range f.LeftOut {
		fmt.Fprintf(&b, "#   %s: %s\n#     %s\n", comment(l.Use), comment(l.Command), comment(l.Why))
	}
	return b.String()
}

// writeRules writes the rules, grouped by process.
func (f *File) writeRules(b *strings.Builder, line func(Rule) string) {
	for i, r := range f.Rules {
		if i == 0 || f.Rules[i-1].Process != r.Process {
			title := r.Process
			if title == "" {
				title = "the host, or the whole cluster"
			}
			fmt.Fprintf(b, "\n# %s\n", title)
		}
		fmt.Fprintln(b, line(r))
	}
}

// Defaults returns the settings of sudo for the bot's account. They override the host's settings
// for all accounts, for example which variables sudo keeps and which search path it sets.
func (f *File) Defaults() []string {
	d := []string{"!env_keep, env_reset, !setenv, always_set_home, !requiretty", `secure_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"`}
	if !f.oldSudo { // runcwd needs 1.9.3; the wrapper changes the directory itself
		d = append(d, "runcwd = /, !runchroot")
	}
	return d
}

// Line returns a rule as a line of the file.
func (f *File) Line(r Rule) string {
	return fmt.Sprintf("%s ALL = (%s) NOPASSWD: %s %s", f.User, r.RunAs, r.Program, r.Args)
}

// Lacks returns the message that a host lacks a rule.
func (f *File) Lacks(r Rule) string {
	if f.oldSudo {
		return "the wrapper lacks: " + allowLine(r)
	}
	return "sudoers lacks: " + f.Line(r)
}

// comment changes a text so that it fits on one comment line of the file.
func comment(s string) string {
	s = strings.NewReplacer("\n", " ", "\r", " ").Replace(s)
	return strings.TrimSuffix(s, `\`)
}
