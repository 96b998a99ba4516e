package faulttest

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"dhbot/internal/test/testenv"
)

// parallelRounds is how many rounds run in parallel, unless -parallel is set.
const parallelRounds = 6

// long reports whether .ci/long runs the tests.
func long() bool { return os.Getenv("DHBOT_FAULT_ROUNDS") != "" }

// gateOnly skips a test that is too slow for `go test ./...`. Only .ci/run and .ci/long run such a
// test.
func gateOnly(t *testing.T) {
	t.Helper()
	if !long() {
		testenv.NeedRealPrograms(t)
	}
}

// longOnly skips tests that only .ci/long runs.
func longOnly(t *testing.T) {
	t.Helper()
	if !long() {
		t.Skip("takes long: DHBOT_FAULT_ROUNDS=1")
	}
}

// TestMain is also the main function of the bot processes, because they run the same binary as the
// tests.
func TestMain(m *testing.M) {
	if file := os.Getenv(replicaVar); file != "" {
		os.Exit(replicaMain(file))
	}
	flag.Parse()
	// More rounds run in parallel than there are processors, because a round mostly waits.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(strconv.Itoa(parallelRounds)) // a number is a valid value
	}
	os.Exit(m.Run())
}
