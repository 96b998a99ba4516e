package observe

import (
	"strings"
	"testing"

	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

func TestReadList(t *testing.T) {
	step := runbooks.Step{Title: "the paths", Host: "infra-1"}
	if lines, err := ReadList(step, answertest.Exited(0, "a\r\n\nb\n", "")); err != nil || len(lines) != 2 || lines[0] != "a" {
		t.Errorf("%q, %v", lines, err)
	}
	long := answertest.Of("a\n")
	long.Stdout.Total = 1 << 30
	for name, r := range map[string]remote.Result{
		"unreachable": {Outcome: remote.Unreachable, Detail: "refused"},
		"exit code 1": answertest.Exited(1, "a\n", "find: denied\n"),
		"too long":    long,
	} {
		if _, err := ReadList(step, r); err == nil || !strings.Contains(err.Error(), "the paths on infra-1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
