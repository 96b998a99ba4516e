package runbooks

import (
	"errors"
	"fmt"
	"time"

	"dhbot/internal/fleet"
	"dhbot/internal/suggest"
)

// killAfter is the time in seconds between the wrapper's TERM and its KILL.
const killAfter = 5

// Wrap returns the exact line that is sent to a host (fleet.Host.Sudo has the sudo
// command of the host):
//
//	env LC_ALL=C timeout -k 5 SECONDS sudo -n …
//
// LC_ALL=C makes the output independent of the host's locale. timeout is required
// because a remote command continues after its connection has closed. Exit codes 124
// (ended by TERM) and 137 (by KILL) mean that the command's outcome is unknown.
// sudo -n fails at once instead of prompting for a password.
//
// timeout signals sudo, which forwards TERM but cannot forward KILL: a child of sudo
// that ignores TERM continues after the wrapper has ended.
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
