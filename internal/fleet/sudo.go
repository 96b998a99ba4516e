package fleet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// SudoWrapper is a script on hosts whose sudo does not support regular expressions. It runs every
// sudo command of the bot there.
const SudoWrapper = "/usr/local/libexec/dhbot-sudo"

// regexpSince is the first version of sudo that supports regular expressions in sudoers
// (sudoers(5), "Regular expressions").
var regexpSince = []int{1, 9, 10}

// SudoReadsRegexp reports whether a version of sudo, such as "1.9.13p3", supports regular
// expressions. It returns an error if version is not a version of sudo.
func SudoReadsRegexp(version string) (bool, error) {
	var have []int
	for _, part := range strings.Split(version, ".") {
		digits := part
		if i := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }); i > 0 {
			digits = part[:i]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return false, fmt.Errorf("sudo version %q: write the version that sudo --version prints, for example 1.9.13p3", version)
		}
		have = append(have, n)
	}
	return slices.Compare(have, regexpSince) >= 0, nil
}

// Sudo converts an argv that begins with sudo into the argv that is sent to the host. It adds -n,
// so that sudo fails instead of asking for a password. On a host with an old sudo it adds the
// wrapper before the program, if the wrapper is not there already. It adds no wrapper to a query
// of sudo itself, such as sudo -l, or to a command with unknown options.
func (h *Host) Sudo(argv []string) []string {
	if len(argv) == 0 || argv[0] != "sudo" {
		return argv
	}
	rest := argv[1:]
	out := []string{"sudo", "-n"}
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		n := 1
		switch rest[0] {
		case "-n":
			rest = rest[1:]
			continue
		case "-u":
			n = min(2, len(rest))
		case "--":
		default:
			return append(out, rest...)
		}
		out = append(out, rest[:n]...)
		rest = rest[n:]
	}
	if h != nil && h.OldSudo && len(rest) > 0 && rest[0] != SudoWrapper {
		out = append(out, SudoWrapper)
	}
	return append(out, rest...)
}
