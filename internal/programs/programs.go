package programs

import (
	"path"
	"slices"
	"strings"
)

// Effect is the greatest possible effect of a command.
type Effect uint8

// All effects, the least first.
const (
	Reads    Effect = iota + 1
	Writes          // its own file, and nothing that existed before
	Restarts        // a service, by its supervisor
	Changes         // anything else, or unknown
	Destroys        // cannot be undone
)

// Of returns the effect of a command. A word that varies is written as a placeholder in braces.
// The value of a placeholder never begins with "-".
func Of(argv []string) Effect {
	argv, uncertain := unwrap(argv)
	if len(argv) == 0 {
		return Changes
	}
	effect := Changes
	if judge, known := judges[path.Base(argv[0])]; known && trusted(argv[0]) {
		effect = judge(argv[1:])
	}
	if uncertain {
		effect = max(effect, Changes)
	}
	return effect
}

// Relative reports whether the path of a command's program depends on the working directory.
func Relative(argv []string) bool {
	argv, _ = unwrap(argv)
	return len(argv) > 0 && strings.Contains(argv[0], "/") && !path.IsAbs(argv[0])
}

// trusted reports whether a program is named without a path, or in a system directory.
func trusted(program string) bool {
	dir, _ := path.Split(program)
	return dir == "" || slices.Contains(systemPrograms, path.Clean(dir))
}

// harmlessVariables are environment variables that change the output format or the user of the
// etcd client, but not which program runs.
var harmlessVariables = []string{"LC_ALL", "LANG", "TZ", "DH_ETCD_USER"}

// unwrap removes sudo, env and timeout from a command. uncertain means that one of these has an
// unknown option, or that a variable may change which program runs.
func unwrap(argv []string) (rest []string, uncertain bool) {
	for len(argv) > 0 {
		switch name := path.Base(argv[0]); {
		case argv[0] == "sudo":
			argv = argv[1:]
			for len(argv) > 0 && strings.HasPrefix(argv[0], "-") {
				switch {
				case argv[0] == "-u" && len(argv) > 1:
					argv = argv[1:]
				case argv[0] != "-n" && argv[0] != "--":
					uncertain = true
				}
				argv = argv[1:]
			}
		case name == "env" && trusted(argv[0]):
			if argv = argv[1:]; len(argv) > 0 && strings.HasPrefix(argv[0], "-") {
				return argv, true
			}
		case name == "timeout" && trusted(argv[0]) && len(argv) > 2:
			argv = argv[1:]
			if argv[0] == "-k" {
				argv = argv[2:]
			}
			if len(argv) > 0 {
				argv = argv[1:]
			}
		case strings.Contains(argv[0], "=") && !strings.HasPrefix(argv[0], "/"):
			variable, _, _ := strings.Cut(argv[0], "=")
			uncertain = uncertain || !slices.Contains(harmlessVariables, variable)
			argv = argv[1:]
		default:
			return argv, uncertain
		}
	}
	return argv, uncertain
}
