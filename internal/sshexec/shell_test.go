package sshexec

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
	"dhbot/internal/test/testenv"
	"dhbot/runbooks"
)

// The probe line is quoted like every command line.
func TestShellProbeIsQuotedAsCommandsAre(t *testing.T) {
	line, err := runbooks.Quote(append([]string{"env", "LC_ALL=C", "printf", `%s\n`}, shellWords...))
	if err != nil || line != shellProbe {
		t.Errorf("runbooks.Quote: %v\n%s\nwant\n%s", err, line, shellProbe)
	}
}

// shells are login shells. The value is whether the shell passes words on unchanged.
var shells = map[string]bool{
	"/bin/bash": true, "/bin/dash": true, "/bin/rbash": true, "/usr/bin/zsh": true, "/usr/bin/ksh": true,
	"/bin/tcsh": false, "/bin/csh": false, "/usr/bin/fish": false, "/usr/sbin/nologin": false, "/bin/false": false,
}

// mayBeMissing are the shells that need not be installed, because another shell of the list behaves
// the same.
var mayBeMissing = []string{"/bin/csh", "/usr/bin/zsh", "/usr/bin/ksh"}

// A command is not sent to a login shell that would change it. A command in an argument, such as
// `touch ran`, never runs.
func TestLoginShells(t *testing.T) {
	for shell, posix := range shells {
		t.Run(filepath.Base(shell), func(t *testing.T) {
			if _, err := os.Stat(shell); err != nil && slices.Contains(mayBeMissing, shell) {
				t.Skip(err)
			}
			testenv.Program(t, shell)
			var ran []string
			mark := filepath.Join(t.TempDir(), "ran")
			// sshd runs a line as `SHELL -c LINE` with the account's shell. A forced command
			// replaces the test account's shell.
			s := sshdtest.Start(t, fmt.Sprintf(`ForceCommand %s -c "$SSH_ORIGINAL_COMMAND"`, shell), "SetEnv SHLVL=2")
			p := openConfig(t, Config{Credentials: sshroute.Keys(s.KeyFile), KnownHosts: s.KnownHosts})
			text := "it's `touch " + mark + "`"
			line, err := runbooks.Quote([]string{"env", "LC_ALL=C", "printf", `%s\n`, text})
			if err != nil {
				t.Fatal(err)
			}
			r := run(t, p, remote.Command{Host: "h", Address: s.Address, Login: s.Login, Sent: line, Timeout: 20 * time.Second})
			if _, err := os.Stat(mark); err == nil {
				ran = append(ran, text)
			}
			arrived := r.Outcome == remote.Answered && r.Stdout.String() == text+"\n"
			if len(ran) > 0 || arrived != posix {
				t.Errorf("arrived: %v, ran: %q; %v, %s", arrived, ran, r.Outcome, r.Detail)
			}
			if !posix && (r.Outcome == remote.Answered || !strings.Contains(r.Detail, "was not sent")) {
				t.Errorf("%v, %s", r.Outcome, r.Detail)
			}
		})
	}
}

// TestShellProbe checks for each shell, without sshd, whether it passes on the words of the probe
// line.
func TestShellProbe(t *testing.T) {
	for shell, posix := range shells {
		if _, err := os.Stat(shell); err != nil {
			continue
		}
		var out bytes.Buffer
		cmd := exec.Command(shell, "-c", shellProbe)
		cmd.Stdout = &out
		_ = cmd.Run()
		if got := strings.Contains(out.String(), strings.Join(shellWords, "\n")+"\n"); got != posix {
			t.Errorf("%s: passes words on: %v\n%s", shell, got, out.String())
		}
	}
}
