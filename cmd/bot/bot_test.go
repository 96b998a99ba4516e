package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"dhbot/internal/audit"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/sim/demo"
	"dhbot/internal/store/sign"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

func TestMain(m *testing.M) {
	testscript.Main(stories{m}, map[string]func(){"bot": func() { os.Exit(run()) }})
}

// stories runs up to 12 tests at a time, unless -parallel is set. This may be more than there are
// processors, because the tests mostly wait for hosts and Slack.
type stories struct{ *testing.M }

func (s stories) Run() int {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("12") // cannot fail: it is a number
	}
	return s.M.Run()
}

// TestScripts runs the scripts in testdata/script with the bot's binary.
func TestScripts(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error { env.Setenv("ROOT", root); return nil },
	})
}

func bot(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, 0, ""},
		{nil, 2, "command is missing"},
		{[]string{"--nonsense"}, 2, "nonsense"},
		{[]string{"nonsense"}, 2, "nonsense"},
		{[]string{"plan"}, 2, "requires at least 1 arg"},
		{[]string{"plan", "restart", "db_diss"}, 1, "restart db_dis"},
		{[]string{"plan", "restart", "db_dis; rm -rf /"}, 1, "Did you mean"},
		{[]string{"plan", "help"}, 1, "no plan to show"},
		{[]string{"plan", "--catalog", "modern", "status"}, 2, "legacy-20200121"},
		{[]string{"check", "--config", "nowhere.yaml"}, 1, "nowhere.yaml"},
		{[]string{"demo", "--script", "nowhere.story"}, 2, "nowhere.story"},
		{[]string{"demo", "--catalog", "modern"}, 2, "current"},
		{[]string{"localslack", "--listen", "0.0.0.0:0"}, 1, "127.0.0.1"},
		{[]string{"hostsim", "--listen", "0.0.0.0:0"}, 2, "loopback"},
		{[]string{"audit"}, 2, "audit needs"},
		{[]string{"state"}, 2, "state needs"},
		{[]string{"state", "backup"}, 2, "accepts 1 arg"},
		{[]string{"state", "restore", "nowhere.tar"}, 2, "--dir"},
		{[]string{"state", "restore", "nowhere.tar", "--dir", "nowhere"}, 1, "nowhere.tar"},
		{[]string{"audit", "verify", "--head", "12"}, 2, "N:HASH"},
		{[]string{"audit", "report", "--from", "yesterday"}, 2, "2026-11-01"},
		{[]string{"audit", "report", "--from", "2026-11-02", "--to", "2026-11-01"}, 2, "not before"},
	} {
		code, _, stderr := bot(t.Context(), c.args...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("bot %s: code %d, want %d: %s", strings.Join(c.args, " "), code, c.code, stderr)
		}
	}
}

// TestRestartNamesItsOwnProcess checks, for every process of both generations, that the plan of a
// restart restarts only this process, once on each host that runs it.
func TestRestartNamesItsOwnProcess(t *testing.T) {
	t.Parallel()
	for _, generation := range []string{"current", "legacy-20200121"} {
		cl := demo.Fleet(generation, nil).Clusters[0]
		catalogs, err := catalogs.Builtin()
		if err != nil {
			t.Fatal(err)
		}
		cat, _ := catalogs.Get(generation)
		for _, p := range cat.Processes() {
			code, stdout, stderr := bot(t.Context(), "plan", "--json", "--catalog", generation, "restart", p.ID)
			if code != 0 {
				t.Errorf("%s %s: %s", generation, p.ID, stderr)
				continue
			}
			var plan runbooks.PlanView
			if err := json.Unmarshal([]byte(stdout), &plan); err != nil {
				t.Fatal(err)
			}
			want := map[string]int{}
			for _, h := range cl.HostsOf(p.ID) {
				want[h.Name]++
			}
			for _, s := range plan.Steps {
				if s.Kind != runbooks.Exec {
					continue
				}
				want[s.Host]--
				if !strings.HasSuffix(s.Command, " restart "+p.Service) || s.Source == "" || !strings.Contains(s.Sent, "sudo -n") {
					t.Errorf("%s %s: %q from %q, sent as %q", generation, p.ID, s.Command, s.Source, s.Sent)
				}
			}
			for host, n := range want {
				if n != 0 {
					t.Errorf("%s %s on %s: %d restarts are missing", generation, p.ID, host, n)
				}
			}
		}
	}
}

// TestTrailOfARunningBot checks that commands such as `bot audit` reach a running bot. It also
// checks that an exported trail verifies offline, but not after the file was changed.
func TestTrailOfARunningBot(t *testing.T) {
	lines, err := demo.ParseScript(strings.NewReader("operator: /dh restart db_ltds because tidy\nexpect 60s Done\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := demo.Options{Generation: "current", Pace: 0.1, Log: slog.New(slog.DiscardHandler)}
	err = demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		stage := d.Stage()
		stage.Out = io.Discard
		if err := demo.Play(ctx, stage, lines); err != nil {
			return err
		}
		t.Setenv("SLACK_APP_TOKEN", d.Slack.AppToken())
		t.Setenv("SLACK_BOT_TOKEN", d.Slack.BotToken())
		t.Setenv(slackURL, d.Slack.APIURL())
		checkRunning(t, ctx, d.ConfigFile())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkRunning(t *testing.T, ctx context.Context, config string) {
	t.Helper()
	eventually(t, "the bot is well, with both sockets", func() bool {
		code, out, _ := bot(ctx, "health", "--config", config)
		return code == 0 && strings.Contains(out, "socket 2 up")
	})
	var ready strings.Builder
	if err := adminsock.NewClient(filepath.Join(filepath.Dir(config), "state")).Get(ctx, "/readyz", nil, &ready); err != nil || ready.String() != "ok\n" {
		t.Errorf("readyz: %q, %v", &ready, err)
	}
	if code, out, stderr := bot(ctx, "check", "--live", "--config", config); code != 0 || !strings.Contains(out, "monit knows") {
		t.Errorf("check --live: %d\n%s%s", code, out, stderr)
	}
	if code, _, stderr := bot(ctx, "run", "--config", config); code != 1 || !strings.Contains(stderr, "another") {
		t.Errorf("a second bot on one state directory: %d %s", code, stderr)
	}
	if code, out, stderr := bot(ctx, "audit", "verify", "--config", config); code != 0 || !strings.Contains(out, "from #1 to #") || !strings.Contains(out, "signed in epoch 1") {
		t.Errorf("verify: %d %s %s", code, out, stderr)
	}
	checkReport(t, ctx, config)
	if code, out, _ := bot(ctx, "audit", "show", "--config", config, "--output", "csv", "--target", "db_ltds"); code != 0 || !strings.Contains(out, "monit restart db_ltds") {
		t.Errorf("show: %d %s", code, out)
	}
	checkBackup(t, ctx, config)
	_, export, _ := bot(ctx, "audit", "export", "--config", config)
	file := filepath.Join(t.TempDir(), "trail")
	for name, c := range map[string]struct {
		text string
		code int
	}{
		"whole":    {export, 0},
		"no head":  {headless(export), 1},
		"changed":  {strings.Replace(export, "db_ltds", "db_ltdx", 1), 1},
		"cut off":  {export[:len(export)/2], 1},
		"nothing":  {"", 1},
		"no trail": {"hello\n", 1},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, stderr := bot(ctx, "audit", "verify", "--config", config, "--file", file); code != c.code {
			t.Errorf("%s: %d %s %s", name, code, out, stderr)
		}
	}
	checkEvidence(t, ctx, config, file, export)
	checkShow(t, ctx, config, file)
}

// checkShow checks that the running bot finds the same records as a search of the
// whole export in the file.
func checkShow(t *testing.T, ctx context.Context, config, file string) {
	t.Helper()
	_, all, _ := bot(ctx, "audit", "show", "--config", config, "--file", file, "--target", "db_ltds", "--output", "csv")
	run := regexp.MustCompile("R-[A-Z0-9]+").FindString(all)
	for _, c := range []struct {
		filter []string
		lines  int // the minimum number of lines, including the header
	}{
		{[]string{"--person", "operator"}, 2},
		{[]string{"--run", strings.ToLower(run)}, 5},
		{[]string{"--target", "db_lt", "--since", "1h"}, 5},
		{[]string{"--person", "operator", "--since", "1ns"}, 1},
		{[]string{"--target", "nowhere & \"else"}, 1},
	} {
		show := append([]string{"audit", "show", "--config", config, "--output", "csv"}, c.filter...)
		code, out, stderr := bot(ctx, show...)
		_, want, _ := bot(ctx, append(show, "--file", file)...)
		if code != 0 || out != want || strings.Count(out, "\n") < c.lines {
			t.Errorf("%v: %d %s%s\nwant %s", c.filter, code, out, stderr, want)
		}
	}
}

// headless returns an export without its signed head, as a forger could write it.
func headless(export string) string {
	_, entries, _ := strings.Cut(export, "\n")
	return `{"format":"dhbot-trail","v":1,"after":0,"hash":""}` + "\n" + entries
}

// checkEvidence verifies an export without the bot's config. It tries a public key, a public key
// with a head that was kept earlier, and no key.
func checkEvidence(t *testing.T, ctx context.Context, config, file, export string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(export), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := sign.Load(filepath.Join(filepath.Dir(config), "state.key"))
	if err != nil {
		t.Fatal(err)
	}
	_, note, stderr := bot(ctx, "audit", "head", "--config", config)
	kept := filepath.Join(t.TempDir(), "head")
	if err := os.WriteFile(kept, []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(note, "dhbot/"+key.Install()+"\n") {
		t.Errorf("head: %q, %s", note, stderr)
	}
	verify := []string{"audit", "verify", "--config", "nowhere.yaml", "--file", file}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a key":          {[]string{"--key", key.Public()}, 0, "whole"},
		"no key":         {nil, 1, "--key"},
		"a head too new": {[]string{"--key", key.Public(), "--head", "99999:aa"}, 1, "cut off"},
		"a kept head":    {[]string{"--key", key.Public(), "--head", kept}, 0, "whole"},
	} {
		if code, out, stderr := bot(ctx, append(slices.Clone(verify), c.args...)...); code != c.code || !strings.Contains(out+stderr, c.says) {
			t.Errorf("%s: %d %s %s", name, code, out, stderr)
		}
	}
}

// checkReport checks that the report has the bot's only run, with its requester and commands.
func checkReport(t *testing.T, ctx context.Context, config string) {
	t.Helper()
	day := time.Now().UTC().Format(time.DateOnly)
	code, out, stderr := bot(ctx, "audit", "report", "--config", config, "--from", day, "--to", day, "--person", "operator", "--format", "json")
	var runs []audit.RunReport
	if err := json.Unmarshal([]byte(out), &runs); err != nil || code != 0 || len(runs) != 1 {
		t.Fatalf("report: %d %s %s, %v", code, out, stderr, err)
	}
	if r := runs[0]; r.Asked.Person != "operator" || r.Asked.Text != "tidy" || r.Outcome != "done" || !slices.ContainsFunc(r.Ran, func(c audit.Command) bool {
		return strings.Contains(c.Command, "monit restart db_ltds")
	}) {
		t.Errorf("report: %+v", r)
	}
	if code, out, stderr := bot(ctx, "audit", "report", "--config", config, "--to", "2020-01-01"); code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("a report of long ago: %d %s %s", code, out, stderr)
	}
	if code, out, stderr := bot(ctx, "audit", "report", "--config", config, "--person", "reader"); code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("a report of another person: %d %s %s", code, out, stderr)
	}
}

// checkBackup makes a backup of a running bot, restores it elsewhere, and reads the
// trail there without a bot.
func checkBackup(t *testing.T, ctx context.Context, config string) {
	t.Helper()
	dir := t.TempDir()
	file, state := filepath.Join(dir, "backup.tar"), filepath.Join(dir, "state")
	if code, _, stderr := bot(ctx, "state", "backup", "--config", config, file); code != 0 {
		t.Fatalf("backup: %d %s", code, stderr)
	}
	if code, _, stderr := bot(ctx, "state", "backup", "--config", config, file); code != 1 || !strings.Contains(stderr, "exists: name a new file") {
		t.Errorf("a backup onto an existing file: %d %s", code, stderr)
	}
	if code, out, stderr := bot(ctx, "state", "restore", file, "--dir", state); code != 0 || !strings.Contains(out, "whole") {
		t.Fatalf("restore: %d %s %s", code, out, stderr)
	}
	if code, _, stderr := bot(ctx, "state", "restore", file, "--dir", state); code != 1 || !strings.Contains(stderr, "not empty") {
		t.Errorf("a restore into a directory that is not empty: %d %s", code, stderr)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(filepath.Dir(config), "restored.yaml")
	moved := strings.Replace(string(text), "state: {dir: "+filepath.Join(filepath.Dir(config), "state"), "state: {dir: "+state, 1)
	if err := os.WriteFile(elsewhere, []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := bot(ctx, "audit", "show", "--config", elsewhere, "--format", "csv"); code != 0 || moved == string(text) || !strings.Contains(out, "monit restart db_ltds") {
		t.Errorf("the restored trail: %d %s %s", code, out, stderr)
	}
}
