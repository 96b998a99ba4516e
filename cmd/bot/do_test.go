package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/demo"
	"dhbot/internal/slacklocal"
	"dhbot/internal/terminal"
)

// keyFile makes a private key, and returns its file and its public line.
func keyFile(t *testing.T) (path, public string) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return path, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(p)))
}

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

// eventually waits until f holds.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// TestTerminalWhileSlackIsDown: with Slack gone altogether a Sev 1 restart is
// asked for at a terminal, approved by another person at another, proved and
// recorded; who asked cannot approve it. When Slack is back its message stands
// in the audit channel.
func TestTerminalWhileSlackIsDown(t *testing.T) {
	operator, operatorPub := keyFile(t)
	approver, approverPub := keyFile(t)
	reader, readerPub := keyFile(t)
	stranger, _ := keyFile(t)
	o := demo.Options{Generation: "current", Pace: 0.1, Log: slog.New(slog.DiscardHandler),
		Keys: map[string]string{"operator": operatorPub, "approver": approverPub, "reader": readerPub}}
	err := demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		down := []slacklocal.Fault{{Kind: "api-error", Error: "fatal_error", Count: -1}, {Kind: "disconnect", Each: true}}
		for _, f := range down {
			if err := d.Slack.Inject(f); err != nil {
				return err
			}
		}
		do := func(key string, args ...string) (int, string, string) {
			return bot(ctx, append([]string{"do", "--config", d.ConfigFile(), "--key", key}, args...)...)
		}
		for _, c := range []struct {
			key, command string
			code         int
			says         string
		}{
			{reader, "status db_dis", 0, "Data Import Server"},
			{reader, "restart db_dis", 1, "Not allowed"},
			{stranger, "status db_dis", 1, "none of your 1 keys"},
			{operator, "restart db_diss", 1, "Did you mean"},
			{operator, "approve R-7F3K db_dis", 1, "no such run"},
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
		if code, stdout, _ := do(operator, "approve", run, "db_dis"); code != 1 || !strings.Contains(stdout, "somebody else has to approve") {
			t.Errorf("who asked approved: %d %s", code, stdout)
		}
		if code, stdout, stderr := do(approver, "approve", run, "db_ltds"); code != 1 || !strings.Contains(stdout, "Nothing was approved") {
			t.Errorf("approved another target: %d %s%s", code, stdout, stderr)
		}
		if code, stdout, stderr := do(approver, "approve", run, "db_dis"); code != 0 || !strings.Contains(stdout, run) {
			t.Errorf("the approver could not: %d %s%s", code, stdout, stderr)
		}
		if code := <-ended; code != 0 || !regexp.MustCompile(`pid [0-9]+ → [0-9]+`).MatchString(out.String()) {
			t.Errorf("the run ended with code %d: %s", code, &out)
		}
		if strings.Count(out.String(), "disk was full") > 2 {
			t.Errorf("what has not changed is printed again:\n%s", &out)
		}
		if code, stdout, _ := do(operator, "restart", "db_dis"); code != 1 || !strings.Contains(stdout, "again=yes") {
			t.Errorf("it was not asked back: %d %s", code, stdout)
		}

		if err := d.Slack.Inject(slacklocal.Fault{Kind: "clear"}); err != nil {
			return err
		}
		eventually(t, "the run's message stands in the audit channel", func() bool {
			list, err := d.Slack.Messages("audit", "")
			for _, m := range list {
				if strings.Contains(m.Text, run) && strings.Contains(m.Text, "Done in") {
					return true
				}
			}
			return err != nil
		})
		word, err := d.Verify(ctx)
		t.Log(word)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTerminalForScripts(t *testing.T) {
	key, pub := keyFile(t)
	o := demo.Options{Generation: "current", Pace: 0.1, Log: slog.New(slog.DiscardHandler), Keys: map[string]string{"operator": pub}}
	err := demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		code, stdout, stderr := bot(ctx, "do", "--config", d.ConfigFile(), "--key", key, "--json", "restart", "status_dashboard")
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		var states []string
		var last terminal.Event
		for _, l := range lines {
			last = terminal.Event{}
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
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCompletion(t *testing.T) {
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
	} {
		_, stdout, stderr := bot(t.Context(), append([]string{"__complete", "do", "--config", config}, c.args...)...)
		if !strings.Contains("\n"+stdout, "\n"+c.want) || strings.Contains("\n"+stdout, "\n"+c.wont) {
			t.Errorf("%v: %s%s", c.args, stdout, stderr)
		}
	}
}
