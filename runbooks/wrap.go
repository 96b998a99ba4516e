package runbooks

import (
	"errors"
	"fmt"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/suggest"
)

// killAfter is how many seconds a command has between the wrapper's TERM and
// its KILL.
const killAfter = 5

// Wrap turns an argv into the exact line that is sent to a host (fleet.Host.Sudo
// says how sudo is called there):
//
//	env LC_ALL=C timeout -k 5 SECONDS sudo -n …
//
// LC_ALL=C keeps the words that are read from the output the same everywhere.
// timeout is there because a remote command outlives the connection that asked
// for it: exit codes 124 (ended by TERM) and 137 (by KILL) mean that the
// command's fate is unknown. sudo -n fails at once where it would ask for a
// password.
//
// What timeout signals is sudo, which passes TERM on but cannot pass KILL on:
// a child of sudo that ignores TERM lives on after the wrapper has ended.
func Wrap(h *fleet.Host, argv []string, timeout time.Duration) (string, error) {
	if timeout < time.Second || timeout%time.Second != 0 {
		return "", fmt.Errorf("timeout %v: want whole seconds, at least one", timeout)
	}
	if len(argv) == 0 {
		return "", errors.New("a command needs at least one word")
	}
	line, err := Quote(h.Sudo(argv))
	if err != nil {
		return "", err
	}
	if line[0] == '-' {
		return "", fmt.Errorf("the command cannot begin with the option %s", suggest.Short(argv[0]))
	}
	return fmt.Sprintf("env LC_ALL=C timeout -k %d %d %s", killAfter, timeout/time.Second, line), nil
}
