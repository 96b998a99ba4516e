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

// TestShellProbeIsQuotedAsCommandsAre checks that the probe is quoted like every command line.
func TestShellProbeIsQuotedAsCommandsAre(t *testing.T) {
	line, err := runbooks.Quote(append([]string{"env", "LC_ALL=C", "printf", `%s\n`}, shellWords...))
	if err != nil || line != shellProbe {
		t.Errorf("runbooks.Quote: %v\n%s\nwant\n%s", err, line, shellProbe)
	}
}

// shells are login shells. The value says whether the shell passes all words on unchanged.
var shells = map[string]bool{
	"/bin/bash": true, "/bin/dash": true, "/bin/rbash": true, "/usr/bin/zsh": true, "/usr/bin/ksh": true,
	"/bin/tcsh": false, "/bin/csh": false, "/usr/bin/fish": false, "/usr/sbin/nologin": false, "/bin/false": false,
}

// mayBeMissing are the shells that need not be installed, because another shell in shells behaves
// the same.
var mayBeMissing = []string{"/bin/csh", "/usr/bin/zsh", "/usr/bin/ksh"}

// TestLoginShells checks that a command is not sent to a login shell that would change it. A
// command inside an argument, such as `touch ran`, must never run.
func TestLoginShells(t *testing.T) {
	for shell, posix := range shells {
		t.Run(filepath.Base(shell), func(t *testing.T) {
			if _, err := os.Stat(shell); err != nil && slices.Contains(mayBeMissing, shell) {
				t.Skip(err)
			}
			testenv.Program(t, shell)
			var ran []string
			mark := filepath.Join(t.TempDir(), "ran")
			// sshd runs a line as `SHELL -c LINE`, where SHELL is the account's shell. Here, a
			// forced command runs another shell instead.
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

// TestShellProbe runs the probe line in each shell, without sshd. It checks which shells print the
// words unchanged.
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
