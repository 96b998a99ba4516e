package faulttest

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"dhbot/internal/test/testenv"
)

// parallelRounds is the number of parallel rounds unless -parallel is set.
const parallelRounds = 6

// long reports whether .ci/long runs the tests.
func long() bool { return os.Getenv("DHBOT_FAULT_ROUNDS") != "" }

// gateOnly skips tests that are too slow for `go test ./...`: .ci/run and
// .ci/long run them.
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

// TestMain is also the main function of the bot processes, which run this
// binary.
func TestMain(m *testing.M) {
	if file := os.Getenv(replicaVar); file != "" {
		os.Exit(replicaMain(file))
	}
	flag.Parse()
	// A round mostly waits, so more rounds run in parallel than there are processors.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(strconv.Itoa(parallelRounds)) // a number is a valid value
	}
	os.Exit(m.Run())
}
