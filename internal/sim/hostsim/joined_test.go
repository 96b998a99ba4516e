package hostsim

import (
	"slices"
	"strings"
	"testing"

	"dhbot/internal/remote"
)

// A line that the bot made from several commands is split into the same commands. Other lines are
// not split.
func TestJoined(t *testing.T) {
	const mark = "dhbot-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	want := []string{`env LC_ALL=C timeout -k 5 15 ps -e`, `env LC_ALL=C timeout -k 5 15 stat -c '%i; %s' "a; b"`}
	plain := []string{"true", `printf '%s\n' x`}
	if _, commands, ok := joined(remote.Join([]remote.Command{{Sent: plain[0]}, {Sent: plain[1]}}, mark)); !ok || !slices.Equal(commands, plain) {
		t.Errorf("%v %q", ok, commands)
	}
	line := remote.Join([]remote.Command{{Sent: want[0]}, {Sent: want[1]}}, mark)
	got, commands, ok := joined(line)
	if !ok || got != mark || !slices.Equal(commands, want) {
		t.Errorf("%v %q %q", ok, got, commands)
	}
	for _, other := range []string{
		"true", want[0] + "; " + want[1], strings.TrimSuffix(line, " >&2"), line + "; rm -rf /",
		remote.Join([]remote.Command{{Sent: "true; rm -rf /"}}, mark), remote.Join([]remote.Command{{Sent: "true"}}, "mark"),
		strings.Replace(line, mark+" $?", "dhbot-2BCDEFGHIJKLMNOPQRSTUVWXYZ $?", 1),
	} {
		if _, commands, ok := joined(other); ok {
			t.Errorf("%s was split into %q", other, commands)
		}
	}
}
