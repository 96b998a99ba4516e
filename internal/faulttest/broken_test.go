package faulttest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// edit takes a rule out of a file of the bot.
type edit struct{ file, old, new string }

// broken is a bot without one of its rules, and how it is caught.
type broken struct {
	edits []edit
	run   string // which tests
	point string // DHBOT_FAULT_POINT
	says  string // part of the violation
}

var brokenBots = map[string]broken{
	"approval not checked again": {
		edits: []edit{{"internal/app/app.go", "return b.service.Recheck(ctx, r)", "return nil"}},
		run:   "TestScenes/approver_leaves", says: "commands changed something, where none may",
	},
	"ack before claim": {
		edits: []edit{{"internal/slackio/intake.go", "	first, claimErr := e.claim(l.work, d)\n", "	e.ack(l.work, l, ack{id: id})\n	first, claimErr := e.claim(l.work, d)\n"}},
		run:   "TestPoints", point: "claim before 2", says: "was acked, and nothing came of it",
	},
	"sent again after a lost connection": {
		edits: []edit{{"internal/engine/dostep.go", "	result := w.c.Runner.Run(hard, command(ps))\n",
			"	result := w.c.Runner.Run(hard, command(ps))\n	if result.Outcome == remote.FateUnknown {\n		result = w.c.Runner.Run(hard, command(ps))\n	}\n"}},
		run: "TestScenes/fate_unknown", says: "was executed 2 times",
	},
	"digest ignored": {
		edits: []edit{{"handlers/gate.go", "if now.Digest != r.Plan.Digest {", "if false {"}},
		run:   "TestScenes/plan_changes", says: "commands changed something, where none may",
	},
	"own vote counts": {
		edits: []edit{
			{"auth/rules.go", "	case samePerson(voter, asker):\n		return refuse(OwnRequest", "	case samePerson(voter, asker) && false:\n		return refuse(OwnRequest"},
			{"internal/engine/votes.go", "	case sameActor(e.By, r.Asked):\n		return refused(OwnRequest, \"Not allowed: %s asked for %s; somebody else", "	case false:\n		return refused(OwnRequest, \"Not allowed: %s asked for %s; somebody else"},
			{"internal/engine/votes.go", " && !sameActor(v.Actor, r.Asked)", ""},
		},
		run: "TestScenes/own_vote", says: "began without the vote of anybody else",
	},
	"lock dropped on unknown": {
		edits: []edit{{"internal/engine/steps.go", `t.run.State, t.run.Worker, t.run.Why = Unknown, "", line(why)`,
			`t.run.State, t.run.Worker, t.run.Why, t.change.Release = Unknown, "", line(why), true`}},
		run: "TestScenes/fate_unknown", says: "is unknown and holds",
	},
}

// TestRulesAreThere holds the edits to the code: each takes out one rule, and
// nobody plays the long version after every change.
func TestRulesAreThere(t *testing.T) {
	for name, b := range brokenBots {
		for _, e := range b.edits {
			text, err := os.ReadFile(filepath.Join("..", "..", e.file))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), e.old); n != 1 {
				t.Errorf("%s: %s has the rule %q %d times: tell this test where it is now", name, e.file, e.old, n)
			}
		}
	}
}

// TestBrokenBots builds the bot, and this package with it, without one of its
// rules at a time, and wants the harness to notice.
func TestBrokenBots(t *testing.T) {
	if os.Getenv("DHBOT_FAULT_BROKEN") == "" {
		t.Skip("set DHBOT_FAULT_BROKEN=1 to build bots that are broken on purpose and see them caught")
	}
	for name, b := range brokenBots {
		t.Run(name, func(t *testing.T) {
			bin := b.build(t)
			cmd := exec.Command(bin, "-test.run", b.run)
			cmd.Env = append(os.Environ(), "DHBOT_FAULT_POINT="+b.point)
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("the harness has nothing against it")
			case !strings.Contains(string(out), b.says):
				t.Errorf("it failed, but not over %q:\n%s", b.says, out)
			default:
				for line := range strings.Lines(string(out)) {
					if strings.Contains(line, "VIOLATION") {
						t.Log(strings.TrimSpace(line))
					}
				}
			}
		})
	}
}

// build compiles this package over the edited files.
func (b broken) build(t *testing.T) string {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for i, e := range b.edits {
		path := filepath.Join(root, e.file)
		from := path
		if to, ok := replace[path]; ok {
			from = to
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			t.Fatalf("%s has the rule %q %d times: tell this test where it is now", e.file, e.old, n)
		}
		to := filepath.Join(dir, string(rune('a'+i))+".go")
		if err := os.WriteFile(to, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[path] = to
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file, bin := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "broken.test")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-c", "-overlay", file, "-o", bin, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the broken bot does not build: %v\n%s", err, out)
	}
	return bin
}
