package runbooks

import (
	"errors"
	"fmt"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/suggest"
)

// killAfter is the time in seconds between the signals TERM and KILL that timeout sends.
const killAfter = 5

// Wrap returns the exact command line that is sent to a host. fleet.Host.Sudo determines how it
// calls sudo:
//
//	env LC_ALL=C timeout -k 5 SECONDS sudo -n …
//
// LC_ALL=C makes the output independent of the host's locale. timeout is required, because a remote
// command does not end when its connection closes. Its exit codes 124 (after TERM) and 137 (after
// KILL) mean that the outcome of the command is unknown. With -n, sudo fails at once instead of
// prompting for a password.
//
// timeout sends its signals to sudo, which can forward TERM, but not KILL. So a child of sudo that
// ignores TERM continues after timeout has ended.
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
