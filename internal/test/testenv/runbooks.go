package testenv

import (
	"os"
	"path/filepath"
	"testing"
)

// runbooksEnv is the name of an environment variable with the directory of the published runbooks.
const runbooksEnv = "DHBOT_SEEDS"

// Runbooks returns the directory of the published runbooks, from which the catalogs were made. The
// repository does not contain these pages. The directory is the value of DHBOT_SEEDS, and the test
// fails if it has no pages. If DHBOT_SEEDS is not set, the directory is shared/seeds next to the
// repository, and the test is skipped if it has no pages.
func Runbooks(t testing.TB) string {
	t.Helper()
	dir := os.Getenv(runbooksEnv)
	named := dir != ""
	if !named {
		dir = filepath.Join(repository(t), "..", "shared", "seeds")
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) > 0 {
		return dir
	}
	if named {
		t.Fatalf("%s=%s: there are no pages", runbooksEnv, dir)
	}
	t.Skipf("the published runbooks are not available; %s names their directory", runbooksEnv)
	return ""
}

// repository returns the nearest directory that has a go.mod: the test's own or one above it.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("the test does not run below a go.mod")
		}
	}
}
