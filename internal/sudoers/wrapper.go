package sudoers

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"dhbot/internal/fleet"
)

const (
	// wrapperBlank separates words in the wrapper. No allowed word can contain it (see sayable), so
	// words that are split differently do not match.
	wrapperBlank = "#"
	// mayOption is the option that asks the wrapper whether it would run the command that follows.
	mayOption = "--may"
)

// Wrapper returns the script for a sudo without regular expressions. The script is installed as
// fleet.SudoWrapper. Wrapper returns "" if the host's sudo has regular expressions. Sudo allows the
// script with any arguments. The script runs a command if one of its expressions for the account
// matches the whole command.
func (f *File) Wrapper() string {
	if !f.oldSudo {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, wrapperHead, f.Host, f.Cluster, f.Catalog, f.User, fleet.SudoWrapper)
	f.writeRules(&b, allowLine)
	b.WriteString(wrapperTail)
	return b.String()
}

// wrapperHead is the start of the script. With -p, bash reads no start-up file that its environment
// names, and no function from it. sudo has also reset the environment. The script sets the C
// locale, because only there ranges of characters have their usual meaning.
const wrapperHead = `#!/bin/bash -p
# What dhbot runs through sudo on %s (cluster %s, catalog %s) as %s, and nothing else.
# Install it as %s, owner root, mode 0755, on hosts whose sudo
# has no regular expressions. Each line allows one command for one account: the program,
# and an extended regular expression for all words of the command, joined by #.
export LC_ALL=C
cd / || exit
may=
[ "$1" != --may ] || { may=1; shift; }
refuse() { [ -n "$may" ] || echo "dhbot-sudo: not allowed" >&2; exit 1; }
for word; do
  case $word in '' | *'#'* | *[!\ -~]*) refuse ;; esac
done
account=$(/usr/bin/id -un) || refuse
words=("$@")
line=$(IFS='#'; printf %%s "$*")
allow() { # ACCOUNT PROGRAM EXPRESSION
  [ "$1" = "$account" ] || return 0
  local whole="^($3)\$"
  [[ $line =~ $whole ]] || return 0
  [ -z "$may" ] || exit 0
  exec "$2" "${words[@]:1}"
}
`

const wrapperTail = "\nrefuse\n"

// allowLine returns a rule as a line of the wrapper script.
func allowLine(r Rule) string {
	return fmt.Sprintf("allow %s %s '%s'", r.RunAs, r.Program, strings.ReplaceAll(r.Args, "'", `'\''`))
}

// wrapperLine returns the line of the sudoers file that lets the bot's account run the wrapper, as
// each account of its rules.
func (f *File) wrapperLine() string {
	accounts := map[string]bool{}
	for _, r := range f.Rules {
		accounts[r.RunAs] = true
	}
	return fmt.Sprintf("%s ALL = (%s) NOPASSWD: %s", f.User, strings.Join(slices.Sorted(maps.Keys(accounts)), ", "), fleet.SudoWrapper)
}

// VersionCommand prints sudo's version. It begins with env, so that it is not mistaken for a
// command to run through sudo.
var VersionCommand = []string{"env", "sudo", "--version"}

var versionLine = regexp.MustCompile(`(?m)^Sudo version ([0-9][0-9a-z.]*)$`)

// ReadVersion parses the output of VersionCommand. The result reads means that this sudo has
// regular expressions.
func ReadVersion(answer string) (version string, reads bool, err error) {
	m := versionLine.FindStringSubmatch(answer)
	if m == nil {
		first, _, _ := strings.Cut(answer, "\n")
		return "", false, fmt.Errorf("sudo's version is not known from %q: the file that bot sudoers prints is for sudo 1.9.10 and newer", first)
	}
	reads, err = fleet.SudoReadsRegexp(m[1])
	return m[1], reads, err
}
