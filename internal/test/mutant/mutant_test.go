package mutant

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mutant is the bot without one of its rules, and the tests that must fail.
type mutant struct {
	name  string // the missing rule
	edits []Edit
	pkg   string // "./auth"
	run   string // the tests of pkg, for -run
}

// among reports whether a mutant is selected.
func (m mutant) among(which string) bool {
	has := func(part string) bool { return strings.Contains(m.name, part) }
	return which == "all" || slices.ContainsFunc(strings.Split(which, ","), has)
}

// one returns a mutant with a single edit.
func one(name, file, old, instead, pkg, run string) mutant {
	return mutant{name, []Edit{{file, old, instead}}, pkg, run}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestApply checks that the edits apply to the code, and that the tests of each mutant exist.
func TestApply(t *testing.T) {
	seen := map[string]bool{}
	tests := map[string][]string{} // by package
	for _, m := range mutants() {
		if seen[m.name] {
			t.Errorf("two mutants are called %q", m.name)
		}
		seen[m.name] = true
		if _, err := Apply(root(t), m.edits); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if tests[m.pkg] == nil {
			tests[m.pkg] = testsOf(t, filepath.Join(root(t), m.pkg))
		}
		top, _, _ := strings.Cut(m.run, "/")
		if !slices.ContainsFunc(tests[m.pkg], regexp.MustCompile(top).MatchString) {
			t.Errorf("%s: %s has no test %q", m.name, m.pkg, m.run)
		}
	}
	if len(seen) < 30 {
		t.Errorf("there are only %d mutants", len(seen))
	}
}

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)

// testsOf returns the names of the tests in a directory.
func testsOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names
}

// TestKilled builds each mutant. The tests that pass without the mutant must fail with it.
func TestKilled(t *testing.T) {
	which := os.Getenv("DHBOT_MUTANTS")
	if which == "" {
		t.Skip("set DHBOT_MUTANTS=all, or comma-separated parts of names, to build the bot without each of its rules")
	}
	baseline(t, which)
	for _, m := range mutants() {
		if m.among(which) {
			t.Run(strings.ReplaceAll(m.name, " ", "_"), m.killed)
		}
	}
}

// baseline runs the tests on the unchanged code, because a test that fails there cannot show
// that a rule is missing.
func baseline(t *testing.T, which string) {
	t.Helper()
	byPackage := map[string][]string{}
	for _, m := range mutants() {
		if m.among(which) {
			byPackage[m.pkg] = append(byPackage[m.pkg], m.run)
		}
	}
	for pkg, runs := range byPackage {
		cmd := exec.Command("go", "test", "-run", strings.Join(runs, "|"), pkg)
		cmd.Dir = root(t)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("the tests of %s fail without any mutant:\n%s", pkg, out)
		}
	}
}

func (m mutant) killed(t *testing.T) {
	out, err := m.play(t)
	switch {
	case bytes.Contains(out, []byte("no tests to run")):
		t.Errorf("%s has no test %q", m.pkg, m.run)
	case err == nil:
		t.Errorf("SURVIVED: %s of %s pass without the rule", m.run, m.pkg)
	default:
		t.Logf("killed by %s", firstFailure(out))
	}
}

// play builds the tests with the edited files and runs them. A mutant must compile, because
// otherwise no test runs.
func (m mutant) play(t *testing.T) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	overlay, err := Overlay(root(t), dir, m.edits)
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "mutant.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", bin, m.pkg)
	build.Dir = root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the mutant does not compile: %v\n%s", err, out)
	}
	run := exec.Command(bin, "-test.run", m.run, "-test.failfast", "-test.timeout", "2m")
	run.Dir = filepath.Join(root(t), filepath.FromSlash(m.pkg))
	return run.CombinedOutput()
}

func firstFailure(out []byte) string {
	for line := range bytes.Lines(out) {
		if _, name, failed := bytes.Cut(line, []byte("--- FAIL: ")); failed {
			return string(bytes.TrimSpace(name))
		}
	}
	return fmt.Sprintf("the end of its process: %.200s", out)
}
