// Package testenv finds what tests need and the module does not contain: programs such as OpenSSH,
// etcd and Chromium, the published runbooks, and addresses for the programs.
package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// RealEnv is the name of an environment variable. If its value is 1, tests use real programs and
// fail if one is missing. Otherwise these tests are skipped, so that `go test ./...` tests the
// same on every machine.
const RealEnv = "DHBOT_REAL"

// RealPrograms reports whether tests use real programs.
func RealPrograms() bool { return os.Getenv(RealEnv) == "1" }

// NeedRealPrograms skips a test unless RealEnv is 1. It never skips a benchmark.
func NeedRealPrograms(t testing.TB) {
	t.Helper()
	if _, ok := t.(*testing.B); !ok && !RealPrograms() {
		t.Skipf("needs real programs: %s=1", RealEnv)
	}
}

// Program returns the path of a program for a test or benchmark that needs it.
// A benchmark is skipped if the program is missing and RealEnv is not 1.
func Program(t testing.TB, name string) string {
	t.Helper()
	NeedRealPrograms(t)
	for _, path := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if !RealPrograms() {
		t.Skipf("%s is not installed", name)
	}
	t.Fatalf("%s=1, but %s is not installed", RealEnv, name)
	return ""
}
