package remote

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The output of real shells for a joined line is split into its parts: with and without a
// last newline, with lines that look like marks, and with exit codes.
func TestJoinedPartsAreSplit(t *testing.T) {
	const mark = "dhbot-MARK"
	plain := []Command{
		{Sent: "true"},
		{Sent: "env LC_ALL=C printf 'one\\ntwo'"},
		{Sent: "sh -c 'echo out; echo err >&2; exit 3'"},
		{Sent: "printf '\\ndhbot-OTHER 0\\n'"},
		{Sent: "nosuchprogram 2>/dev/null"},
		{Sent: "sh -c 'printf \"%s 0\\n\" dhbot-MAR; kill -TERM $$'"},
		{Sent: "sh -c 'exit 124'"},
	}
	want := []Part{
		{Stdout: []byte{}, Stderr: []byte{}},
		{Stdout: []byte("one\ntwo"), Stderr: []byte{}},
		{Stdout: []byte("out\n"), Stderr: []byte("err\n"), Exit: 3},
		{Stdout: []byte("\ndhbot-OTHER 0\n"), Stderr: []byte{}},
		{Stdout: []byte{}, Stderr: []byte{}, Exit: 127},
		{Stdout: []byte("dhbot-MAR 0\n"), Exit: 143},
		{Stdout: []byte{}, Stderr: []byte{}, Exit: 124},
	}
	inShells(t, Join(plain, mark), mark, want)
	const timeout = "env LC_ALL=C timeout -k 5 60 sh -c "
	inC := []Command{{Sent: timeout + "'echo \"$LC_ALL\"'"}, {Sent: timeout + "'echo $LC_ALL >&2; exit 1'"}}
	inShells(t, Join(inC, mark), mark, []Part{
		{Stdout: []byte("C\n"), Stderr: []byte{}}, {Stdout: []byte{}, Stderr: []byte("C\n"), Exit: 1},
	})
}

func inShells(t *testing.T, line, mark string, want []Part) {
	t.Helper()
	ran := 0
	for _, shell := range []string{"bash", "dash", "busybox", "ksh", "mksh", "zsh"} {
		program, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		ran++
		argv := []string{"-c", "echo hello; echo hello >&2; " + line}
		if shell == "busybox" {
			argv = append([]string{"sh"}, argv...)
		}
		cmd := exec.Command(program, argv...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v", shell, err)
		}
		parts, begun := Split(stdout.Bytes(), stderr.Bytes(), mark)
		for i := range parts {
			if parts[i].Exit == 143 {
				parts[i].Stderr = nil // about a terminated command, each shell has its own message or none
			}
		}
		if diff := cmp.Diff(want, parts); !begun || diff != "" {
			t.Errorf("%s: begun %v (-want +got):\n%s", shell, begun, diff)
		}
	}
	if ran == 0 {
		t.Skip("no shell is installed")
	}
}

// Wherever partial output ends, only the reads that have ended on both streams are returned.
func TestJoinedPartsComeOneByOne(t *testing.T) {
	const (
		mark   = "dhbot-MARK"
		stdout = "noise\ndhbot-MARK\nfirst\n\ndhbot-MARK 0\nsecond\ndhbot-MARK 17\n"
		stderr = "noise\ndhbot-MARK\n\ndhbot-MARK\nbad\n\ndhbot-MARK\n"
	)
	whole, _ := Split([]byte(stdout), []byte(stderr), mark)
	want := []Part{{Stdout: []byte("first\n"), Stderr: []byte{}}, {Stdout: []byte("second"), Stderr: []byte("bad\n"), Exit: 17}}
	if diff := cmp.Diff(want, whole); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	for out := range len(stdout) + 1 {
		for err := range len(stderr) + 1 {
			parts, _ := Split([]byte(stdout[:out]), []byte(stderr[:err]), mark)
			if diff := cmp.Diff(want[:len(parts)], append([]Part{}, parts...)); diff != "" {
				t.Fatalf("%d bytes and %d (-want +got):\n%s", out, err, diff)
			}
			complete := out == len(stdout) && err == len(stderr)
			if complete != (len(parts) == 2) {
				t.Fatalf("%d bytes and %d: %d parts", out, err, len(parts))
			}
		}
	}
}

// Parsing ends at a mark without a valid exit code.
func TestJoinedPartsWithoutExitCode(t *testing.T) {
	for _, code := range []string{"", "x", "-1", "256", "0 0", "+1"} {
		parts, _ := Split([]byte("M\na\nM "+code+"\nb\nM 0\n"), []byte("M\n\nM\n\nM\n"), "M")
		if len(parts) != 0 {
			t.Errorf("%q: %d parts", code, len(parts))
		}
	}
}
