package demo_test

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/hostsim"
)

// ownStory checks what docs/own-runbooks.md says about its example.
const ownStory = `
operator: /dh status feed
expect Market Data Feed
expect Sev 0
operator: /dh restart feed because it stopped reading
expect 60s Done
operator: /dh help recycle-import
expect restart the import server
operator: /dh recycle-import because a new feed format
expect Approval needed
expect db_dis, market_feed
approver: approve
expect 90s Done
verify audit
`

// TestOwnRunbooks plays the example of docs/own-runbooks.md, a site-specific process and
// procedure. The simulated hosts run this process.
func TestOwnRunbooks(t *testing.T) {
	t.Parallel()
	layout := hostsim.DefaultLayout(hostsim.Current)
	infra := &layout[0]
	infra.Own = []hostsim.Service{{Name: "market_feed", Class: "MarketFeed", Dir: "market_feed", User: "dbmerge", Port: 9300}}
	infra.Processes = append(infra.Processes, "market_feed")
	hosts, err := hostsim.Start(hostsim.Config{Hosts: layout, Dir: t.TempDir(), Pace: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	defer hosts.Close()
	cl := demo.Fleet(hostsim.Current, hosts.Address).Clusters[0]
	cl.Hosts[0].Processes = infra.Processes
	directory, err := filepath.Abs("../../../docs/example-runbooks")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := demo.ParseScript(strings.NewReader(ownStory))
	if err != nil {
		t.Fatal(err)
	}
	o := demo.Options{
		Generation: hostsim.Current, Log: warnings(t), Runbooks: private(t, directory),
		Real: &demo.Real{Cluster: cl, KeyFile: hosts.KeyFile(), KnownHosts: hosts.KnownHosts()},
	}
	err = demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		stage := d.Stage()
		stage.Out = io.Discard
		return demo.Play(ctx, stage, lines)
	})
	if err != nil {
		t.Fatal(err)
	}
	var did []string
	for _, e := range hosts.Executed() {
		if e.Changes {
			did = append(did, e.Host+": "+strings.Join(e.Argv, " "))
		}
	}
	want := []string{"infra-1: monit restart market_feed", "infra-1: monit restart db_dis", "infra-1: monit restart market_feed"}
	if !slices.Equal(did, want) {
		t.Errorf("the hosts got %q, want %q", did, want)
	}
}

// docs/own-runbooks.md shows the same file that the test above runs.
func TestOwnRunbooksPage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/own-runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../../../docs/example-runbooks/market-feed.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```yaml\n"+string(example)+"```\n") {
		t.Error("docs/own-runbooks.md does not show docs/example-runbooks/market-feed.yaml unchanged")
	}
}

// private copies a directory so that only its owner can write to the copy, whatever the umask of
// the checkout was.
func private(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "runbooks")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o700)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}
