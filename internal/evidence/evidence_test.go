package evidence

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"dhbot/internal/fleet"
	"dhbot/internal/remote"
	"dhbot/internal/test/statustest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// host is a fake host. It chooses its answer by a word in the command, and records all commands.
type host struct {
	mu      sync.Mutex
	sent    []string
	answers map[string]remote.Result
}

func (h *host) Run(ctx context.Context, c remote.Command) remote.Result {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = append(h.sent, c.Sent)
	for word, r := range h.answers {
		if strings.Contains(c.Sent, word) {
			return r
		}
	}
	<-ctx.Done() // the host hangs
	return remote.Result{Outcome: remote.TimedOut, Detail: "no answer"}
}

func says(text string) remote.Result {
	return remote.Result{Outcome: remote.Answered, Stdout: statustest.Output(text)}
}

func collector(t *testing.T, h *host, dump string) *Collector {
	t.Helper()
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return &Collector{Catalogs: cs, Remote: h, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{{Name: "prod", Catalog: "current", Hosts: []fleet.Host{
		{Name: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Processes: []string{"db_dis"}, ThreadDump: dump},
	}}}}}
}

var restart = runbooks.Step{Kind: runbooks.Exec, Process: "db_dis", Host: "infra-1"}

func TestOf(t *testing.T) {
	h := &host{answers: map[string]remote.Result{
		"stat=,": says("Welcome!\nSsl 11040 812344 143\n"),
		"tail":   says("one\ntwo password=hunter2hunter2\n"),
		"jstack": says("Full thread dump\n\n\"main\" #1 waiting\n"),
	}}
	got := collector(t, h, "/usr/bin/jstack").Of(t.Context(), "prod", restart, 705)
	want := []string{
		"pid 705: sleeping, up 3h4m0s, 793 MB, 143 threads", "last lines of the log:", "one", "two password=[redacted]",
		"thread dump:", "Full thread dump", `"main" #1 waiting`,
	}
	if len(got) != len(want) || got[0] != want[0] || strings.Contains(strings.Join(got, ""), "hunter2") || got[6] != want[6] {
		t.Errorf("kept %q, want %q", got, want)
	}
	if !slices.ContainsFunc(h.sent, func(s string) bool { return strings.Contains(s, "jstack") && strings.Contains(s, "705") }) {
		t.Errorf("sent %q", h.sent)
	}
}

// TestNoDumpUnlessAllowed: without the setting no thread dump is taken.
func TestNoDumpUnlessAllowed(t *testing.T) {
	h := &host{answers: map[string]remote.Result{"stat=,": says("Ssl 5 812344 143\n"), "tail": says("one\n")}}
	got := collector(t, h, "").Of(t.Context(), "prod", restart, 705)
	if len(h.sent) != 2 || keepsDump(got) {
		t.Errorf("sent %q, kept %q", h.sent, got)
	}
}

func keepsDump(lines []string) bool {
	return slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "thread dump") })
}

// TestHostThatHangs: a read without an answer is noted, and does not delay the other reads.
func TestHostThatHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := collector(t, &host{}, "/usr/bin/jstack").Of(ctx, "prod", restart, 705)
	if len(got) != 3 || !strings.Contains(got[0], "could not be read") || !strings.Contains(got[2], "no thread dump") {
		t.Errorf("kept %q", got)
	}
}

// TestProcessThatIsGone: ps exits with 1 and prints nothing for a pid that no longer
// exists.
func TestProcessThatIsGone(t *testing.T) {
	h := &host{answers: map[string]remote.Result{"stat=,": {Outcome: remote.Answered, Exit: 1}, "tail": says("one\n")}}
	if got := collector(t, h, "").Of(t.Context(), "prod", restart, 705); got[0] != "pid 705: the process no longer exists" {
		t.Errorf("kept %q", got)
	}
}
