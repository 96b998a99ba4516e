package faulttest

import (
	"flag"
	"os"
	"strconv"
	"testing"
)

// parallelRounds is how many rounds are played at a time, unless -parallel
// says otherwise.
const parallelRounds = 6

// long says that .ci/long asks for all that there is to play.
func long() bool { return os.Getenv("DHBOT_FAULT_ROUNDS") != "" }

// gateOnly skips what takes longer than `go test ./...` may: .ci/run plays it, and
// .ci/long.
func gateOnly(t *testing.T) {
	t.Helper()
	if os.Getenv("DHBOT_REAL") == "" && !long() {
		t.Skip("takes long: DHBOT_REAL=1")
	}
}

// longOnly skips what only .ci/long plays.
func longOnly(t *testing.T) {
	t.Helper()
	if !long() {
		t.Skip("takes long: DHBOT_FAULT_ROUNDS=1")
	}
}

// TestMain is also main of the bot processes, which are this binary run again.
func TestMain(m *testing.M) {
	if file := os.Getenv(replicaVar); file != "" {
		os.Exit(replicaMain(file))
	}
	flag.Parse()
	// A round mostly waits: more of them at a time than there are processors.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(strconv.Itoa(parallelRounds)) // a number is one
	}
	os.Exit(m.Run())
}
