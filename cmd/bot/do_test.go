package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/local/adminsock"
	"dhbot/internal/local/localshell"
	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/test/keytest"
	"dhbot/runbooks"
)

// said is a buffer that can be read while it is written.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// eventually waits until f returns true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}

// TestTerminalWhileSlackIsDown requests a Sev 1 restart at a terminal after Slack has been down for
// five minutes. A second person approves the restart at another terminal, as a different user of
// the machine. Request and approval are verified and recorded. The requester cannot approve the
// restart, and before the five minutes are over the bot refuses changes. When Slack is back, the
// message of the run is posted in the audit channel.
func TestTerminalWhileSlackIsDown(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can run commands as another user")
	}
	var ahead atomic.Int64
	operator, operatorPub := keytest.File(t)
	approver, approverPub := keytest.File(t)
	reader, readerPub := keytest.File(t)
	stranger, _ := keytest.File(t)
	o := demo.Options{Generation: "current", Pace: 0.1, Log: slog.New(slog.DiscardHandler),
		Keys: map[string]string{"operator": operatorPub, "approver": approverPub, "reader": readerPub},
		Now:  func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	err := demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		do := func(key string, args ...string) (int, string, string) {
			return bot(ctx, append([]string{"do", "--config", d.ConfigFile(), "--key", key}, args...)...)
		}
		for _, key := range []string{operator, approver, reader} { // so that Slack confirms the membership of each person
			if code, stdout, stderr := do(key, "help"); code != 0 {
				t.Fatalf("help: %d %s%s", code, stdout, stderr)
			}
		}
		down := []slacklocal.Fault{{Kind: "api-error", Error: "fatal_error", Count: -1}, {Kind: "disconnect", Each: true}}
		for _, f := range down {
			if err := d.Slack.Inject(f); err != nil {
				return err
			}
		}
		if code, stdout, stderr := do(operator, "restart", "db_dis", "full"); code != exitRefused || !strings.Contains(stdout+stderr, "could not find out who you are") {
			t.Errorf("with Slack down for only a moment: %d %s%s", code, stdout, stderr)
		}
		ahead.Store(int64(6 * time.Minute))
		for _, c := range []struct {
			key, command string
			code         int
			says         string
		}{
			{reader, "status db_dis", 0, "Data Import Server"},
			{reader, "restart db_dis", exitRefused, "Not allowed"},
			{stranger, "status db_dis", 1, "none of your 1 keys"},
			{operator, "restart db_diss", exitRefused, "Did you mean"},
			{operator, "approve R-7F3K db_dis", exitRefused, "no run R-7F3K"},
			{operator, "logs db_dis", 0, "db_dis"},
		} {
			code, stdout, stderr := do(c.key, strings.Fields(c.command)...)
			if code != c.code || !strings.Contains(stdout+stderr, c.says) {
				t.Errorf("%s: code %d: %s%s", c.command, code, stdout, stderr)
			}
		}

		var out said
		ended := make(chan int, 1)
		go func() {
			ended <- execute(ctx, []string{"do", "--config", d.ConfigFile(), "--key", operator, "restart", "db_dis", "disk", "was", "full"}, &out, &out)
		}()
		run := ""
		eventually(t, "the run waits for its vote", func() bool {
			run = regexp.MustCompile(`R-[0-9A-Z]{4,}`).FindString(out.String())
			return run != "" && strings.Contains(out.String(), "bot do approve "+run+" db_dis")
		})
		if code, stdout, _ := do(operator, "approve", run, "db_dis"); code != exitRefused || !strings.Contains(stdout, "another approver has to") {
			t.Errorf("the requester approved: %d %s", code, stdout)
		}
		if code, stdout, stderr := do(approver, "approve", run, "db_dis"); code != exitRefused || !strings.Contains(stdout+stderr, "different users of this machine") {
			t.Errorf("approved as the same user of the machine: %d %s%s", code, stdout, stderr)
		}
		asUser(ctx, t, d.ConfigFile(), approver, "approve", run, "db_dis")
		if code := <-ended; code != 0 || !regexp.MustCompile(`pid [0-9]+ → [0-9]+`).MatchString(out.String()) {
			t.Errorf("the run ended with code %d: %s", code, &out)
		}
		if strings.Count(out.String(), "disk was full") > 2 {
			t.Errorf("unchanged text is printed again:\n%s", &out)
		}
		if code, stdout, _ := do(operator, "restart", "db_dis"); code != exitRefused || !strings.Contains(stdout, "again=yes") {
			t.Errorf("a repeated restart asked no question: %d %s", code, stdout)
		}

		if err := d.Slack.Inject(slacklocal.Fault{Kind: "clear"}); err != nil {
			return err
		}
		eventually(t, "the run's message is in the audit channel", func() bool {
			list, err := d.Slack.Messages("audit", "")
			for _, m := range list {
				if strings.Contains(m.Text, run) && strings.Contains(m.Text, "Done in") {
					return true
				}
			}
			return err != nil
		})
		var trail bytes.Buffer
		if err := adminsock.NewClient(filepath.Dir(socketOf(t, d.ConfigFile()))).Get(ctx, "/trail", nil, &trail); err != nil {
			return err
		}
		if !strings.Contains(trail.String(), "vote 1 of 1 (Slack silent since") || !strings.Contains(trail.String(), "uid 61234)") {
			t.Errorf("the trail does not show that Slack was down: %s", &trail)
		}
		word, err := d.Verify(ctx)
		t.Log(word)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// socketOf is the terminal socket of the demo with this config file.
func socketOf(t *testing.T, config string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(config), "*", "terminal.sock"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the socket: %v, %v", found, err)
	}
	return found[0]
}

// asUser sends a command at the terminal as a different user of the machine. It first gives that
// user access to the socket and the key.
func asUser(ctx context.Context, t *testing.T, config, key string, words ...string) {
	t.Helper()
	const other = 61234
	socket := socketOf(t, config)
	for path, mode := range map[string]os.FileMode{config: 0o644, filepath.Dir(config): 0o755, filepath.Dir(socket): 0o711, socket: 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for dir := filepath.Dir(key); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(key, other, other); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("bot")
	if err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(program); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"do", "--config", config, "--key", key}, words...)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v as another user: %v: %s", words, err, out)
	}
}

func TestTerminalForScripts(t *testing.T) {
	t.Parallel()
	key, pub := keytest.File(t)
	o := demo.Options{Generation: "current", Pace: 0.1, Log: slog.New(slog.DiscardHandler), Keys: map[string]string{"operator": pub}}
	err := demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		code, stdout, stderr := bot(ctx, "do", "--config", d.ConfigFile(), "--key", key, "--json", "restart", "status_dashboard")
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		var states []string
		var last localshell.Event
		for _, l := range lines {
			last = localshell.Event{}
			if err := json.Unmarshal([]byte(l), &last); err != nil {
				t.Fatalf("%q: %v", l, err)
			}
			states = append(states, last.State)
		}
		if code != 0 || last.End == nil || !last.End.OK || last.End.State != "done" || !strings.HasPrefix(last.End.Run, "R-") {
			t.Errorf("code %d: %s%s", code, stdout, stderr)
		}
		if states[len(states)-2] != "done" {
			t.Errorf("states: %v", states)
		}
		facts := func(line string) *card.Facts {
			var e localshell.Event
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.Facts == nil {
				t.Fatalf("no facts in %q: %v", line, err)
			}
			return e.Facts
		}
		run := facts(lines[len(lines)-2]).Run
		if run.ID != last.End.Run || run.State != engine.Done || run.Action != "restart" || len(run.Steps) == 0 ||
			run.Steps[len(run.Steps)-1].State == engine.StepPending {
			t.Errorf("the run as data: %+v", run)
		}

		if err := d.Hosts.Fault("infra-1", "db_dis", "stop"); err != nil {
			return err
		}
		code, stdout, stderr = bot(ctx, "do", "--config", d.ConfigFile(), "--key", key, "-o", "json", "status", "db_dis")
		lines = strings.Split(strings.TrimSpace(stdout), "\n")
		if code != 0 || len(lines) < 2 {
			t.Fatalf("code %d: %s%s", code, stdout, stderr)
		}
		status := facts(lines[len(lines)-2]).Status
		if status.Severity != runbooks.Critical || len(status.Findings) != 1 || status.Findings[0].Process != "db_dis" ||
			status.Findings[0].Host != "infra-1" || status.Findings[0].Severity != runbooks.Critical || status.Findings[0].At.IsZero() {
			t.Errorf("the status as data: %+v", status)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	config := filepath.Join("..", "..", "config.example.yaml")
	for _, c := range []struct {
		args       []string
		want, wont string
	}{
		{[]string{"re"}, "restart\t", "status"},
		{[]string{"status", ""}, "db_dis\t", "db_ltds"},
		{[]string{"status", "inf"}, "infra-1\t", "query-1"},
		{[]string{"restart", "db_dis", ""}, "on\t", "infra-1"},
		{[]string{"restart", "db_dis", "on", ""}, "infra-1", "prod"},
		{[]string{"restart", "db_dis", "in", ""}, "prod", "infra-1"},
		{[]string{"help", "db_"}, "db_dis\t", "restart"},
		{[]string{"--as", "dana", "status", "inf"}, "infra-1\t", "query-1"},
		{[]string{"--as", "nobody", "status", "inf"}, ":", "infra-1"}, // no role in any cluster
	} {
		_, stdout, stderr := bot(t.Context(), append([]string{"__complete", "do", "--config", config}, c.args...)...)
		if !strings.Contains("\n"+stdout, "\n"+c.want) || strings.Contains("\n"+stdout, "\n"+c.wont) {
			t.Errorf("%v: %s%s", c.args, stdout, stderr)
		}
	}
}
