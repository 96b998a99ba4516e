package faulttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/test/mutant"
)

// broken describes a bot that lacks one of its rules, and the violation that the tests must then
// find.
type broken struct {
	edits []mutant.Edit
	run   string // the tests to run
	point string // DHBOT_FAULT_POINT
	says  string // part of the violation's text
}

func edit(file, old, instead string) mutant.Edit {
	return mutant.Edit{File: file, Old: old, New: instead}
}

var brokenBots = map[string]broken{
	"approval not checked again": {
		edits: []mutant.Edit{edit("internal/app/build.go", "return b.service.Recheck(ctx, r)", "return nil")},
		run:   "TestScenes/approver_leaves", says: "commands changed something, but none was allowed",
	},
	"ack before claim": {
		edits: []mutant.Edit{edit("internal/slackio/intake.go", "	first, claimErr := e.claim(ctx, d)\n", "	e.ack(ctx, l, ack{id: id})\n	first, claimErr := e.claim(ctx, d)\n")},
		run:   "TestPoints", point: "claim before 2", says: "was acked, but has no result",
	},
	"sent again after a lost connection": {
		edits: []mutant.Edit{edit("internal/engine/workerstep.go", "	result := w.c.Runner.Run(hard, CommandOf(ps))\n",
			"	result := w.c.Runner.Run(hard, CommandOf(ps))\n	if result.Outcome == remote.FateUnknown {\n		result = w.c.Runner.Run(hard, CommandOf(ps))\n	}\n")},
		run: "TestScenes/fate_unknown", says: "was executed 2 times",
	},
	"digest ignored": {
		edits: []mutant.Edit{
			edit("internal/engine/workerrun.go", " || !plan.Same(r.Plan):", ":"),
			edit("internal/engine/workerrun.go", "case !plan.Same(begun.Run.Plan):", "case false:"),
		},
		run: "TestScenes/plan_changes", says: "commands changed something, but none was allowed",
	},
	"own vote counts": {
		edits: []mutant.Edit{
			edit("auth/rules.go", "case samePerson(voter, asker):", "case samePerson(voter, asker) && false:"),
			edit("internal/engine/votes.go", "	case sameActor(e.By, r.Asked):\n		return refusal.New(OwnRequest, \"Not allowed: %s can't approve %s", "	case false:\n		return refusal.New(OwnRequest, \"Not allowed: %s can't approve %s"),
			edit("internal/engine/votes.go", " && !sameActor(v.Actor, r.Asked)", ""),
		},
		run: "TestScenes/own_vote", says: "began without the vote of another person",
	},
	"lock dropped on unknown": {
		edits: []mutant.Edit{edit("internal/engine/steps.go", "\tt.run.State = Unknown\n",
			"\tt.run.State = Unknown\n\tt.change.Release = true\n")},
		run: "TestScenes/fate_unknown", says: "is unknown and holds",
	},
}

// TestRulesAreThere checks that every edit in brokenBots still applies to the code. The edits of
// one entry together remove one rule from the bot. This test runs after every change, but
// TestBrokenBots does not.
func TestRulesAreThere(t *testing.T) {
	for name, b := range brokenBots {
		if _, err := mutant.Apply("../../..", b.edits); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBrokenBots removes one rule of the bot at a time, and builds this package. The tests of that
// build must report a violation.
func TestBrokenBots(t *testing.T) {
	if os.Getenv("DHBOT_FAULT_BROKEN") == "" {
		t.Skip("set DHBOT_FAULT_BROKEN=1 to build bots that are broken on purpose, and to check that the harness detects them")
	}
	for name, b := range brokenBots {
		t.Run(name, func(t *testing.T) {
			bin := b.build(t)
			cmd := exec.Command(bin, "-test.run", b.run)
			cmd.Env = append(os.Environ(), "DHBOT_FAULT_POINT="+b.point, "DHBOT_FAULT_ROUNDS=1") // both worlds
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("the harness reports no violation")
			case !strings.Contains(string(out), b.says):
				t.Errorf("the test failed, but without %q:\n%s", b.says, out)
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

// build compiles this package with the edited files.
func (b broken) build(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay, err := mutant.Overlay(root, dir, b.edits)
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "broken.test")
	cmd := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", bin, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the broken bot does not build: %v\n%s", err, out)
	}
	return bin
}
