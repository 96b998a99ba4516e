// Package programs knows what a command does to a host: which programs, with
// which options, only read; which write a file of their own; which destroy.
// What is not known here changes something. It is pure.
package programs

import (
	"path"
	"slices"
	"strings"
)

// Effect is what a command does at most.
type Effect uint8

// The closed set of effects, the least first.
const (
	Reads    Effect = iota + 1
	Writes          // a file of its own, and nothing that was there before
	Restarts        // a service, by its supervisor
	Changes         // something else, or unknown
	Destroys        // what cannot be brought back
)

// Of is the effect of a command. A word that varies stands as its placeholder,
// in braces; the values of a placeholder never begin with "-".
func Of(argv []string) Effect {
	argv, bent := unwrap(argv)
	if len(argv) == 0 {
		return Changes
	}
	effect := Changes
	if judge, known := judges[path.Base(argv[0])]; known && trusted(argv[0]) {
		effect = judge(argv[1:])
	}
	if bent {
		effect = max(effect, Changes)
	}
	return effect
}

// Relative says that a command's program is named by a path that depends on the
// directory that it is run in.
func Relative(argv []string) bool {
	argv, _ = unwrap(argv)
	return len(argv) > 0 && strings.Contains(argv[0], "/") && !path.IsAbs(argv[0])
}

// trusted says that a program is named alone, or in a directory of the system.
func trusted(program string) bool {
	dir, _ := path.Split(program)
	return dir == "" || slices.Contains(systemPrograms, path.Clean(dir))
}

// harmlessVariables change what is shown, or which etcd client is used, and
// not what is run.
var harmlessVariables = []string{"LC_ALL", "LANG", "TZ", "DH_ETCD_USER"}

// unwrap takes sudo, env and timeout off a command. It is bent by an option
// that is not known here, and by a variable that may change what is run.
func unwrap(argv []string) (rest []string, bent bool) {
	for len(argv) > 0 {
		switch name := path.Base(argv[0]); {
		case argv[0] == "sudo":
			argv = argv[1:]
			for len(argv) > 0 && strings.HasPrefix(argv[0], "-") {
				switch {
				case argv[0] == "-u" && len(argv) > 1:
					argv = argv[1:]
				case argv[0] != "-n" && argv[0] != "--":
					bent = true
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
			bent = bent || !slices.Contains(harmlessVariables, variable)
			argv = argv[1:]
		default:
			return argv, bent
		}
	}
	return argv, bent
}
